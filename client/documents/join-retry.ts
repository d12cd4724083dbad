import { backoffMs, jittered } from '../backoff.ts';
import type { SenderPorts } from './update-sender.ts';

const JOIN_RETRY = { baseMs: 1_000, capMs: 30_000 };

/** When to join again. */
export class JoinRetry {
  readonly #ports: Pick<SenderPorts, 'after' | 'random'>;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(ports: Pick<SenderPorts, 'after' | 'random'>) {
    this.#ports = ports;
  }

  /** The first time at once: one lost frame should not show. */
  after(retryAfterMs: number, join: () => void): void {
    const failures = this.#failures++;
    const backoff = failures === 0 ? 0 : backoffMs(failures, this.#ports.random(), JOIN_RETRY);
    this.#cancel = this.#ports.after(Math.max(backoff, jittered(retryAfterMs, this.#ports.random())), join);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  cancel(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
