import type { EventFacts } from '../shared/define-event.ts';
import type { EventMeta, Position } from '../shared/position.ts';

/** How far a client has come in one room. */
export interface RoomCursor {
  /** What the next join presents. */
  position: Position | null;
  /** Highest `seq` of a log event delivered since the last join answer. */
  delivered: number;
  /** The newest value per event and key: for listeners that come later, and to drop older ones. */
  readonly values: Map<string, StateEntry>;
  /** Keys whose present value was asked for again: it may come once more with the same `rev`, at the latest after the answer. */
  repeats: { readonly keys: Set<string>; answered: boolean };
}

export interface StateEntry {
  readonly event: string;
  readonly payload: unknown;
  readonly meta: EventMeta;
}

export function newCursor(): RoomCursor {
  return { position: null, delivered: 0, values: new Map(), repeats: { keys: new Set(), answered: true } };
}

/** A join was answered: everything that follows is after this position. */
export function startFrom(cursor: RoomCursor, position: Position): void {
  cursor.position = { epoch: position.epoch, seq: position.seq };
  cursor.delivered = position.seq;
  if (cursor.repeats.answered) cursor.repeats.keys.clear();
}

/**
 * Whether a room's event is news, and notes how far the client has come with it. Log events count by `seq`, which grows
 * through the epochs of one log (a log that went back answers the join with a new position); state events by `rev` within one
 * epoch.
 */
export function admitEvent(cursor: RoomCursor, definition: EventFacts, payload: unknown, meta: EventMeta): boolean {
  if (definition.delivery.class === 'state') return admitValue(cursor, definition, payload, meta);
  const { seq, epoch } = meta;
  if (seq === undefined || epoch === undefined) return true;
  const news = seq > cursor.delivered;
  if (news) cursor.delivered = seq;
  const reached = meta.position ?? { epoch, seq };
  // An event's own seq may lie before the position where the server left records out (notifications that were read).
  if (cursor.position === null || reached.seq > cursor.position.seq) cursor.position = { epoch: reached.epoch, seq: reached.seq };
  return news;
}

function admitValue(cursor: RoomCursor, definition: EventFacts, payload: unknown, meta: EventMeta): boolean {
  if (definition.delivery.class !== 'state') return true;
  const key = JSON.stringify([definition.name, definition.delivery.key(payload)]);
  const last = cursor.values.get(key);
  const older =
    last !== undefined &&
    meta.rev !== undefined &&
    last.meta.rev !== undefined &&
    last.meta.epoch === meta.epoch &&
    meta.rev <= last.meta.rev;
  if (older) return meta.rev === last.meta.rev && cursor.repeats.keys.delete(key);
  cursor.values.set(key, { event: definition.name, payload, meta });
  return true;
}
