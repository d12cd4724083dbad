import { AshlarError } from '../shared/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Environment } from './environment.ts';
import { type Writable, writable } from './readable.ts';
import type { Report } from './report.ts';

const LOAD_AGAIN = { baseMs: 1_000, capMs: 30_000 };
// From then on users should hear of it; what is under way goes on.
const SLOW_MS = 10_000;

/** A part of the SDK that not every page needs: once somebody asks for it, it is loaded, and asked for again until it is here. */
export class Later<Part> {
  readonly #load: () => Promise<Part>;
  readonly #env: Pick<Environment, 'after' | 'random'>;
  /** `not-loaded`: it did not come so far. Null: it is here, is on its way, or nobody asked. */
  readonly failure: Writable<AshlarError | null>;
  #whenHere: Promise<Part> | null = null;
  /** Null: nobody wants it, not yet or no longer. */
  #arrive: ((part: Part) => void) | null = null;
  #failures = 0;
  /** Ends the wait for the next attempt; null: none is waited for. */
  #cancelWait: (() => void) | null = null;
  #cancelSlow: () => void = () => {};

  /** @param load rejects where the part does not come; may be called again */
  constructor(load: () => Promise<Part>, env: Pick<Environment, 'after' | 'random'>, report: Report) {
    this.#load = load;
    this.#env = env;
    this.failure = writable<AshlarError | null>(null, report);
  }

  /** Resolves once it is here. Never rejects. */
  get(): Promise<Part> {
    this.#whenHere ??= new Promise((resolve) => {
      this.#arrive = resolve;
      this.#attempt();
    });
    return this.#whenHere;
  }

  /** The network may be back: what waits for its next attempt makes it now. */
  hurry(): void {
    if (!this.#cancelWait) return;
    this.#cancelWait();
    this.#attempt();
  }

  /** Asks no more. */
  stop(): void {
    this.#cancelWait?.();
    this.#cancelSlow();
    this.#arrive = null;
  }

  #attempt(): void {
    this.#cancelWait = null;
    this.#cancelSlow = this.#env.after(SLOW_MS, () => this.#fail());
    this.#load()
      .finally(this.#cancelSlow)
      .then(
        (part) => {
          this.failure.set(null);
          this.#arrive?.(part);
        },
        (cause) => {
          if (!this.#arrive) return;
          this.#fail(cause);
          const wait = backoffMs(++this.#failures, this.#env.random(), LOAD_AGAIN);
          this.#cancelWait = this.#env.after(wait, () => this.#attempt());
        },
      );
  }

  #fail(cause?: unknown): void {
    if (!this.failure.get()) this.failure.set(new AshlarError('not-loaded', { cause }));
  }
}
