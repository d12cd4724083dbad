import type * as z from 'zod/mini';
import { type batchCompleted, batchProgress } from '../../shared/catalog.ts';
import { type Room, stateKey } from '../rooms/room.ts';
import type { Publication } from './publish.ts';

type Progress = z.output<typeof batchProgress.payload>;

/**
 * What `batch:completed` settles in the same commit: its batch stands at 100 %, completed, whether or not progress was ever told.
 */
export function settleBatch(room: Room, payload: unknown): NonNullable<Publication['settles']> {
  const { batchId, results } = payload as z.output<typeof batchCompleted.payload>;
  const known = room.states.get(stateKey(batchProgress.name, batchId));
  const progress = known === undefined || known.value === null ? null : (JSON.parse(known.value) as Progress);
  const total = progress?.total ?? results.length;
  const settled: Progress = { batchId, progress: 100, current: total, total, status: 'completed' };
  return [{ definition: batchProgress, payload: settled }];
}
