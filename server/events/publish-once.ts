import type { Catalog } from '../../shared/catalog.ts';
import { logMeta } from '../rooms/fan-out.ts';
import type { Publication, Publish, Published } from './publish.ts';
import { readPayload } from './read-payload.ts';

/**
 * Publishes a client's log event at most once per user, room and `meta.id`: a repeat gets the first answer, also while the first is
 * under way, and after a restart.
 */
export function createPublishOnce(catalog: Catalog, publish: Publish): (publication: Publication) => Promise<Published> {
  const underWay = new Map<string, Promise<Published>>();

  async function find(publication: Publication, userId: string, id: string): Promise<Published> {
    const { room } = publication;
    const record = await room.store.findById(room.name, userId, id);
    if (record !== null) return { data: readPayload(catalog, record), meta: logMeta(room, record) };
    return publish(publication);
  }

  return (publication) => {
    const { definition, room, userId, id } = publication;
    if (id === undefined || userId === null || definition.delivery.class !== 'log') return publish(publication);
    const key = JSON.stringify([room.name, userId, id]);
    let result = underWay.get(key);
    if (result === undefined) {
      result = find(publication, userId, id).finally(() => underWay.delete(key));
      underWay.set(key, result);
    }
    return result;
  };
}
