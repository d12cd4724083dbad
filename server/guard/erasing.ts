import { AshlarError } from '../../shared/errors.ts';
import { type RoomName, userRoom } from '../../shared/room-name.ts';
import { isEventOf, isStateOf } from '../storage/erasure.ts';
import type { NewRecord, StateValue } from '../storage/store.ts';

/** The users who are being erased right now: nothing of theirs comes in until that is done, from whatever was under way. */
export class Erasing {
  readonly #users = new Map<string, number>();
  readonly #rooms = new Set<RoomName>();

  /** @returns ends it */
  begin(userId: string): () => void {
    const room = userRoom(userId);
    this.#users.set(userId, (this.#users.get(userId) ?? 0) + 1);
    this.#rooms.add(room);
    return () => {
      const left = (this.#users.get(userId) ?? 1) - 1;
      if (left > 0) {
        this.#users.set(userId, left);
        return;
      }
      this.#users.delete(userId);
      this.#rooms.delete(room);
    };
  }

  /** @throws AshlarError `access-denied` for a user who is being erased */
  refuse(userId: string | null | undefined): void {
    if (this.#users.size > 0 && typeof userId === 'string' && this.#users.has(userId)) throw new AshlarError('access-denied');
  }

  /**
   * Refuses what would be erased of such a user: what the backend says in its name is, too.
   * @throws AshlarError `access-denied`
   */
  refuseEntry(record: NewRecord | undefined, states: readonly StateValue[] | undefined): void {
    if (this.#users.size === 0) return;
    for (const userId of this.#users.keys()) {
      const comes = (state: StateValue) => state.value !== null && isStateOf(state, userId);
      if ((record !== undefined && isEventOf(record, userId)) || states?.some(comes)) throw new AshlarError('access-denied');
    }
  }

  /** Whether a room is that of such a user. */
  hasRoom(room: RoomName): boolean {
    return this.#rooms.size > 0 && this.#rooms.has(room);
  }
}
