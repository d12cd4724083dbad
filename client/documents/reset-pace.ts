import { backoffMs } from '../backoff.ts';
import type { Environment } from '../environment.ts';

const RESET_RETRY = { baseMs: 2_000, capMs: 60_000 };
const RESETS_FORGOTTEN_MS = 60_000;

/** A binding that writes as it mounts, for a reader, would reset for ever: each time soon after the last waits longer. */
export class ResetPace {
  readonly #env: Environment;
  #resets = 0;
  #lastAt = 0;
  #cancel: (() => void) | null = null;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Until it is over, nothing else may begin what waits. */
  get isWaiting(): boolean {
    return this.#cancel !== null;
  }

  /** Begins anew after a reset: not before this returns. */
  begin(start: () => void): void {
    this.stop();
    this.#cancel = this.#env.after(this.#waitMs(), () => {
      this.#cancel = null;
      start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #waitMs(): number {
    const now = this.#env.now();
    this.#resets = now - this.#lastAt > RESETS_FORGOTTEN_MS ? 1 : this.#resets + 1;
    this.#lastAt = now;
    return this.#resets === 1 ? 0 : 500 * this.#resets + backoffMs(this.#resets - 1, this.#env.random(), RESET_RETRY);
  }
}
