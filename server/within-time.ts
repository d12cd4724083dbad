import type { AshlarError } from '../shared/errors.ts';
import type { Clock } from './clock.ts';

/**
 * Waits for work that may never end, such as that of a disk that hangs; the work itself goes on.
 * @param late makes what is thrown after `ms`
 * @throws what the work throws
 */
export async function withinTime<Value>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  late: () => AshlarError,
  work: Promise<Value>,
): Promise<Value> {
  let cancel = (): void => {};
  const tooLate = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => reject(late()));
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    cancel();
  }
}
