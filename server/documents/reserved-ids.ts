import type { RoomName } from '../../shared/room-name.ts';

const KEPT_MS = 3_600_000;
const KEPT_PER_USER = 256;

interface Reservation {
  readonly userId: string;
  readonly until: number;
}

/**
 * Yjs client ids that awareness has shown and that nothing was written under: the log does not know whose they are, so they are kept for
 * their user here, for an hour after it left the document. In memory only, and no more than 256 for one user: the oldest goes.
 */
export class ReservedIds {
  // All are kept for the same time: they stand in the order in which they end.
  readonly #reservations = new Map<string, Reservation>();
  readonly #byUser = new Map<string, Set<string>>();

  /** Keeps an id for a user. @param now Unix ms */
  keep(room: RoomName, clientId: number, userId: string, now: number): void {
    this.#end(now);
    const key = keyOf(room, clientId);
    this.#drop(key);
    const mine = this.#byUser.get(userId) ?? new Set();
    this.#byUser.set(userId, mine);
    mine.add(key);
    this.#reservations.set(key, { userId, until: now + KEPT_MS });
    for (const oldest of mine) {
      if (mine.size <= KEPT_PER_USER) break;
      this.#drop(oldest);
    }
  }

  /** Whom an id is kept for. @param now Unix ms */
  userOf(room: RoomName, clientId: number, now: number): string | undefined {
    this.#end(now);
    return this.#reservations.get(keyOf(room, clientId))?.userId;
  }

  /** A user was erased. */
  forget(userId: string): void {
    for (const key of [...(this.#byUser.get(userId) ?? [])]) this.#drop(key);
  }

  #end(now: number): void {
    for (const [key, { until }] of this.#reservations) {
      if (until > now) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    const reservation = this.#reservations.get(key);
    if (reservation === undefined) return;
    this.#reservations.delete(key);
    const mine = this.#byUser.get(reservation.userId);
    mine?.delete(key);
    if (mine?.size === 0) this.#byUser.delete(reservation.userId);
  }
}

function keyOf(room: RoomName, clientId: number): string {
  return `${clientId} ${room}`;
}
