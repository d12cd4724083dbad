import { AshlarError } from '../shared/errors.ts';
import type { Connector } from './connector.ts';
import type { Environment } from './environment.ts';
import { type Writable, writable } from './readable.ts';
import { quiet } from './report.ts';

export interface RequestLimits {
  /** Requests that may wait for an answer. Default 500. */
  maxPending: number;
  /** How long one may wait for its answer, reconnects included, ms. Default 120,000. */
  maxAgeMs: number;
}

interface Pending {
  readonly event: string;
  readonly args: readonly unknown[];
  sent: boolean;
  readonly cancel: () => void;
  readonly settle: (error: AshlarError | null, answer: unknown) => void;
}

/** Messages that are answered: in order, kept through a reconnect and sent again, bounded by count and age. */
export class Requests {
  readonly #connector: Connector;
  readonly #env: Environment;
  readonly #limits: RequestLimits;
  readonly #pending = new Set<Pending>();
  /** How many wait for their answer. */
  readonly pending: Writable<number>;
  #up = false;

  constructor(connector: Connector, env: Environment, limits: RequestLimits) {
    this.#connector = connector;
    this.#env = env;
    this.#limits = limits;
    this.pending = writable(0, () => {});
    connector.attach({
      up: () => {
        this.#up = true;
        for (const pending of [...this.#pending]) this.#send(pending);
      },
      down: () => {
        this.#up = false;
        for (const pending of this.#pending) pending.sent = false;
      },
    });
  }

  /**
   * Sends what may be sent twice: a question, or a message with an id.
   * @returns the ack; rejects with the server's code, `queue-full`, `timeout` or `client-closed`
   */
  ask(event: string, args: readonly unknown[]): Promise<unknown> {
    return quiet(
      new Promise((resolve, reject) => {
        this.#connector.mustLive();
        if (this.#pending.size >= this.#limits.maxPending) throw new AshlarError('queue-full');
        const pending: Pending = {
          event,
          args,
          sent: false,
          cancel: this.#env.after(this.#limits.maxAgeMs, () => this.#settle(pending, new AshlarError('timeout'), undefined)),
          settle: (error, answer) => (error === null ? resolve(answer) : reject(error)),
        };
        this.#pending.add(pending);
        this.pending.set(this.#pending.size);
        this.#send(pending);
      }),
    );
  }

  /** Rejects all that waits. */
  close(): void {
    for (const pending of [...this.#pending]) this.#settle(pending, new AshlarError('client-closed'), undefined);
  }

  #send(pending: Pending): void {
    if (!this.#up || pending.sent) return;
    pending.sent = true;
    this.#connector.request(pending.event, pending.args, (error, answer) => {
      // None of these is an answer: it goes again, now or with the next connection, and its age ends it.
      if (error?.code === 'not-connected' || error?.code === 'server-closing') return;
      if (error?.code === 'timeout') {
        pending.sent = false;
        if (this.#pending.has(pending)) this.#send(pending);
        return;
      }
      this.#settle(pending, error, answer);
    });
  }

  #settle(pending: Pending, error: AshlarError | null, answer: unknown): void {
    if (!this.#pending.delete(pending)) return;
    pending.cancel();
    pending.settle(error, answer);
    this.pending.set(this.#pending.size);
  }
}
