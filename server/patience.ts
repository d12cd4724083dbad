import type { Clock } from './clock.ts';

/** One span of time for all that waits for a disk, which may hang. */
export class Patience {
  readonly #over: Promise<void>;
  #hangs = false;
  #cancel: () => void = () => {};

  constructor(clock: Pick<Clock, 'after'>, ms: number) {
    this.#over = new Promise((resolve) => {
      this.#cancel = clock.after(ms, () => {
        this.#hangs = true;
        resolve();
      });
    });
  }

  /** Resolves when the work is done, or the time is over. @throws what the work throws in time */
  async wait(work: Promise<unknown> | undefined): Promise<void> {
    await Promise.race([work, this.#over]);
  }

  /** Ends the timer. @returns whether the time is over */
  end(): boolean {
    this.#cancel();
    return this.#hangs;
  }
}
