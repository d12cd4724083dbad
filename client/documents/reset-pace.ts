import { backoffMs } from '../backoff.ts';

const RESET_RETRY = { baseMs: 2_000, capMs: 60_000 };
const RESETS_FORGOTTEN_MS = 60_000;

/** A binding that writes as it mounts, for a reader, would reset for ever: each time soon after the last waits longer. */
export class ResetPace {
  #resets = 0;
  #lastAt = 0;

  /** How long to wait after a reset, ms. */
  waitMs(now: number, random: number): number {
    this.#resets = now - this.#lastAt > RESETS_FORGOTTEN_MS ? 1 : this.#resets + 1;
    this.#lastAt = now;
    return this.#resets === 1 ? 0 : 500 * this.#resets + backoffMs(this.#resets - 1, random, RESET_RETRY);
  }
}
