import type { AshlarError } from '../shared/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Environment } from './environment.ts';
import type { Report } from './report.ts';

/** A token, or a function that fetches a fresh one. Only a function lets the SDK renew by itself. */
export type TokenSource = string | (() => string | Promise<string>);

type Renew = (token: string, onAnswer: (error: AshlarError | null, answer: unknown) => void) => void;

const RETRY = { baseMs: 5_000, capMs: 60_000 };
// With a device clock ahead of the server's a good token looks expired: then this often, not in a loop.
const SKEWED_MS = 10_000;
const LEAST_MS = 500;

/**
 * When to renew a token, ms from now: after 80 to 95 % of the time left, so that clients which logged in together come apart.
 * @param leftMs until it expires, by this device's clock
 */
export function renewAfterMs(leftMs: number, random: number): number {
  return leftMs > 0 ? Math.max(LEAST_MS, leftMs * (0.8 + random * 0.15)) : SKEWED_MS;
}

/** Renews the token on the open connection, ahead of its end. */
export class TokenRenewal {
  readonly #env: Environment;
  readonly #report: Report;
  readonly #renew: Renew;
  #cancel: () => void = () => {};
  #run = 0;

  constructor(env: Environment, report: Report, renew: Renew) {
    this.#env = env;
    this.#report = report;
    this.#renew = renew;
  }

  start(fetchToken: () => string | Promise<string>, expiresAt: number): void {
    this.stop();
    if (!Number.isFinite(expiresAt)) return;
    this.#arm(fetchToken, renewAfterMs(expiresAt - this.#env.now(), this.#env.random()), 0);
  }

  stop(): void {
    this.#run++;
    this.#cancel();
  }

  #arm(fetchToken: () => string | Promise<string>, ms: number, failures: number): void {
    const run = ++this.#run;
    const failed = (error: unknown): void => {
      if (run !== this.#run) return;
      this.#report(error, 'token renewal');
      this.#arm(fetchToken, LEAST_MS + backoffMs(failures + 1, this.#env.random(), RETRY), failures + 1);
    };
    this.#cancel = this.#env.after(ms, () => {
      Promise.resolve()
        .then(fetchToken)
        .then((token) => {
          if (run !== this.#run) return;
          this.#renew(token, (error, answer) => {
            if (run !== this.#run) return;
            if (error !== null) failed(error);
            else this.start(fetchToken, Number((answer as { expiresAt?: unknown }).expiresAt));
          });
        })
        .catch(failed);
    });
  }
}
