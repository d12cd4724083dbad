import { AshlarError } from '../../shared/errors.ts';

/** What editor bindings take for a place, and find in no document. */
const NOWHERE = { type: null, tname: null, item: { client: 0, clock: Number.MAX_SAFE_INTEGER }, assoc: 0 };

/**
 * The field `cursor` of an awareness state as editor bindings read it: `anchor` and `head` are Yjs relative positions. They ask nothing before they
 * look those up: with `{}` in this place y-prosemirror threw in the midst of taking others' edits, so that one reader parted the pages of all
 * writers, who then wrote over each other. A product's own cursor (`{ x, y }`) gets two that bindings pass over.
 * @returns null or undefined as it is
 * @throws AshlarError `invalid-payload`
 */
export function readCursor(cursor: unknown): object | null | undefined {
  if (cursor === null || cursor === undefined) return cursor;
  if (typeof cursor !== 'object' || Array.isArray(cursor)) throw refused('an object or null');
  const { anchor, head } = cursor as { anchor?: unknown; head?: unknown };
  if (anchor === undefined && head === undefined) return { ...cursor, anchor: NOWHERE, head: NOWHERE };
  return { ...cursor, anchor: readPlace(anchor), head: readPlace(head) };
}

function readPlace(place: unknown): object {
  if (typeof place !== 'object' || place === null) throw refused('anchor and head are Yjs relative positions');
  // Some bindings leave out what is null, and others stumble over that.
  const { type = null, tname = null, item = null, assoc = 0 } = place as Record<string, unknown>;
  const isPlace =
    isId(type) &&
    isId(item) &&
    (tname === null || typeof tname === 'string') &&
    typeof assoc === 'number' &&
    (type !== null || item !== null || tname !== null);
  if (!isPlace) throw refused('anchor and head are Yjs relative positions');
  return { type, tname, item, assoc };
}

function isId(id: unknown): boolean {
  if (id === null) return true;
  const { client, clock } = Object(id) as { client?: unknown; clock?: unknown };
  return isCount(client) && isCount(clock);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function refused(what: string): AshlarError {
  return new AshlarError('invalid-payload', { detail: `awareness: cursor, which editors read: ${what}` });
}
