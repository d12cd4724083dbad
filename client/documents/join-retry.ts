import { backoffMs, jittered } from '../backoff.ts';
import type { Environment } from '../environment.ts';

const JOIN_RETRY = { baseMs: 1_000, capMs: 30_000 };
// A membership that held for so long was a good one: a server that lets us in and then does not go on is not hammered.
const STABLE_MS = 5_000;

/** When to join again. */
export class JoinRetry {
  readonly #env: Pick<Environment, 'after' | 'now' | 'random'>;
  #failures = 0;
  /** Since when there is nothing to try again; null: there is. */
  #wellSince: number | null = null;
  #cancel: () => void = () => {};

  constructor(env: Pick<Environment, 'after' | 'now' | 'random'>) {
    this.#env = env;
  }

  /** The first time at once: one lost frame should not show. */
  after(retryAfterMs: number, join: () => void): void {
    if (this.#wellSince !== null && this.#env.now() - this.#wellSince >= STABLE_MS) this.#failures = 0;
    this.#wellSince = null;
    const failures = this.#failures++;
    const backoff = failures === 0 ? 0 : backoffMs(failures, this.#env.random(), JOIN_RETRY);
    this.#cancel = this.#env.after(Math.max(backoff, jittered(retryAfterMs, this.#env.random())), join);
  }

  succeeded(): void {
    this.#wellSince ??= this.#env.now();
  }

  /** Another connection: what failed over the last one counts no more. */
  startOver(): void {
    this.#failures = 0;
    this.#wellSince = null;
  }

  cancel(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
