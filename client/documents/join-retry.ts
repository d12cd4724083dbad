import { backoffMs, jittered } from '../backoff.ts';
import type { Environment } from '../environment.ts';

const JOIN_RETRY = { baseMs: 1_000, capMs: 30_000 };

/** When to join again. */
export class JoinRetry {
  readonly #env: Pick<Environment, 'after' | 'random'>;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(env: Pick<Environment, 'after' | 'random'>) {
    this.#env = env;
  }

  /** The first time at once: one lost frame should not show. */
  after(retryAfterMs: number, join: () => void): void {
    const failures = this.#failures++;
    const backoff = failures === 0 ? 0 : backoffMs(failures, this.#env.random(), JOIN_RETRY);
    this.#cancel = this.#env.after(Math.max(backoff, jittered(retryAfterMs, this.#env.random())), join);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  cancel(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
