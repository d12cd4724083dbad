import type { Clock } from '../clock.ts';
import type { Connection } from '../rooms/connection.ts';

export interface ExpiriesOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** All that are open. */
  connections(): Iterable<Connection>;
  /** Told of each connection whose token has ended, at that time: it is to close it. */
  expired(connection: Connection): void;
}

/**
 * Watches when the tokens of open connections end: with one timer for all, set for the one that ends first. A timer for each took half a
 * kilobyte, and most are renewed before they end. To look through ten thousand takes less than to end one.
 */
export class Expiries {
  readonly #options: ExpiriesOptions;
  /** By the monotonic clock. */
  #due = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(options: ExpiriesOptions) {
    this.#options = options;
  }

  /** A connection has come, or got another token. One that ends later than before needs no call, and none that goes does. */
  watch({ endsAt }: Connection): void {
    if (endsAt < this.#due) this.#arm(endsAt);
  }

  /** Ends the timer. */
  close(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #arm(due: number): void {
    this.#cancel?.();
    this.#due = due;
    this.#cancel = this.#options.clock.after(due - this.#options.clock.monotonic(), () => this.#look());
  }

  #look(): void {
    const { clock, connections, expired } = this.#options;
    const now = clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    const ended: Connection[] = [];
    for (const connection of connections()) {
      if (connection.endsAt > now) next = Math.min(next, connection.endsAt);
      else ended.push(connection);
    }
    this.#cancel = null;
    this.#due = next;
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const connection of ended) expired(connection);
  }
}
