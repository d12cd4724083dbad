/** What was asked for and is not done yet: a server that closes waits for it. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  /** @returns what the work gives */
  async follow<Result>(work: Promise<Result>): Promise<Result> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  /** Resolves when all of it is done, or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#work);
  }
}
