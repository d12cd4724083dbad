import type * as z from 'zod/mini';
import { batchCompleted, batchProgress } from '../../shared/catalog.ts';
import { type Room, stateKey } from '../rooms/room.ts';
import type { Publish } from './publish.ts';

type Progress = z.output<typeof batchProgress.payload>;
type Completed = z.output<typeof batchCompleted.payload>;

/**
 * Publishes a batch's events, and every other as it is. `batch:completed` settles its batch's state in the same commit: it stands at
 * 100 %, whether or not progress was ever told. Progress that comes behind it (a worker that was slower to tell) is superseded; only
 * `status: 'pending'` starts the batch again.
 */
export function keepCompleted(publish: Publish): Publish {
  // Settled by a completion that waits for its commit.
  const settling = new WeakMap<Room, Set<string>>();

  return (publication) => {
    const { definition, room, payload } = publication;
    if (definition.name === batchCompleted.name) {
      const { batchId, results } = payload as Completed;
      const total = progressOf(room, batchId)?.total ?? results.length;
      const settled: Progress = { batchId, progress: 100, current: total, total, status: 'completed' };
      const published = publish({ ...publication, settles: [{ definition: batchProgress, payload: settled }] });
      const batches = settling.get(room) ?? new Set();
      settling.set(room, batches.add(batchId));
      return published.finally(() => batches.delete(batchId));
    }
    if (definition.name === batchProgress.name) {
      const { batchId, status } = payload as Progress;
      const completed = settling.get(room)?.has(batchId) || progressOf(room, batchId)?.status === 'completed';
      if (status === 'pending') settling.get(room)?.delete(batchId);
      else if (completed) return publish({ ...publication, superseded: true });
    }
    return publish(publication);
  };
}

function progressOf(room: Room, batchId: string): Progress | null {
  const known = room.states.get(stateKey(batchProgress.name, batchId));
  return known === undefined || known.value === null ? null : (JSON.parse(known.value) as Progress);
}
