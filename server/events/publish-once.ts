import type { Catalog } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import { logMeta } from '../rooms/fan-out.ts';
import type { Publication, Publish, Published } from './publish.ts';
import { readPayload } from './read-payload.ts';

/** What a client's event was answered with. */
export interface PublishedOnce extends Published {
  /** Whether it had been published before: then this is the first one's answer, and the product has heard of it. */
  readonly isRepeat: boolean;
}

export type PublishOnce = (publication: Publication) => Promise<PublishedOnce>;

/** Handed over to its room, and what will come of that: a promise by itself would be waited for. */
interface Submitted {
  readonly published: Promise<PublishedOnce>;
}

/**
 * Publishes a client's log event at most once per user, room and `meta.id`: a repeat gets the first answer, also while the first is
 * under way, and after a restart. What a user sends into a room while an id is looked up waits for that: it comes in the order in which it was sent.
 * @throws AshlarError `idempotency-conflict` where the id is another kind of event's; as `Publish`
 */
export function createPublishOnce(catalog: Catalog, publish: Publish): PublishOnce {
  const underWay = new Map<string, { readonly kind: string; readonly result: Promise<PublishedOnce> }>();
  /** By user and room: what was sent last, while it is not handed over. */
  const lines = new Map<string, Promise<unknown>>();

  const publishNow = async (publication: Publication): Promise<PublishedOnce> => ({
    ...(await publish(publication)),
    isRepeat: false,
  });

  async function find(publication: Publication, userId: string, id: string): Promise<Submitted> {
    const { room, definition } = publication;
    const record = await room.store.findById(room.name, userId, id);
    if (record === null) return { published: publishNow(publication) };
    requireKind(record.kind, definition.name);
    return { published: Promise.resolve({ data: readPayload(catalog, record), meta: logMeta(room, record), isRepeat: true }) };
  }

  async function inLine(line: string, submit: () => Submitted | Promise<Submitted>): Promise<PublishedOnce> {
    const before = lines.get(line);
    const submitted = before === undefined ? Promise.resolve(submit()) : before.then(submit);
    const turn = submitted.catch(() => {});
    lines.set(line, turn);
    void turn.then(() => {
      if (lines.get(line) === turn) lines.delete(line);
    });
    return (await submitted).published;
  }

  return async (publication) => {
    const { definition, room, userId, id } = publication;
    const hasId = id !== undefined && userId !== null && definition.delivery.class === 'log';
    // Most events have none, and nothing is before them.
    if (!hasId && lines.size === 0) return publishNow(publication);
    const line = JSON.stringify([room.name, userId]);
    if (!hasId) return lines.has(line) ? inLine(line, () => ({ published: publishNow(publication) })) : publishNow(publication);
    const key = JSON.stringify([room.name, userId, id]);
    const first = underWay.get(key);
    if (first !== undefined) {
      requireKind(first.kind, definition.name);
      return { ...(await first.result), isRepeat: true };
    }
    const result = inLine(line, () => find(publication, userId, id)).finally(() => underWay.delete(key));
    underWay.set(key, { kind: definition.name, result });
    return result;
  };
}

// The answer to the other one would be taken for this one's, which nobody has stored.
function requireKind(kind: string, sent: string): void {
  if (kind !== sent) throw new AshlarError('idempotency-conflict', { detail: `meta.id was used with ${kind}` });
}
