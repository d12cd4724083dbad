import { AshlarError } from '../../shared/errors.ts';
import type { Entry } from './entry.ts';

/** What an entry costs beside its payload: the objects that it is made of. */
const ENTRY_OVERHEAD_BYTES = 500;

/**
 * What waits for the disk, by who sent it. A disk that hangs, or a database that is being written anew, takes nothing for minutes, while
 * budgets go on being refilled: without an end one sender's updates would fill the memory.
 */
export class WaitingBytes {
  readonly #limit: number;
  readonly #byUser = new Map<string, number>();

  /** @param limit bytes per user; whatever its size, one entry of a user waits */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws AshlarError `storage-unavailable` where the user has too much waiting: then nothing is counted */
  add(entry: Entry): void {
    const userId = senderOf(entry);
    if (userId === null) return;
    const waiting = this.#byUser.get(userId) ?? 0;
    const all = waiting + bytesOf(entry);
    if (waiting > 0 && all > this.#limit)
      throw new AshlarError('storage-unavailable', {
        detail: `${waiting} bytes of yours wait for the disk`,
        retryAfterMs: 1_000,
      });
    this.#byUser.set(userId, all);
  }

  /** To be called once for each entry that was added, when it is on disk or has failed. */
  remove(entry: Entry): void {
    const userId = senderOf(entry);
    if (userId === null) return;
    const left = (this.#byUser.get(userId) ?? 0) - bytesOf(entry);
    if (left > 0) this.#byUser.set(userId, left);
    else this.#byUser.delete(userId);
  }

  /** Users of whom something waits. */
  get size(): number {
    return this.#byUser.size;
  }
}

/** Null: the backend's own, which waits for its answers. */
function senderOf({ durable, record }: Entry): string | null {
  return durable ? (record?.userId ?? null) : null;
}

function bytesOf({ record }: Entry): number {
  return ENTRY_OVERHEAD_BYTES + (record?.payload.length ?? 0);
}
