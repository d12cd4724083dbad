// What the server takes in one join.
const MAX_FORMER_IDS = 1_000;

/** Yjs client ids of the user's other sessions whose content is here, and may not be on the server yet. */
export class FormerIds {
  readonly #ids = new Set<number>();
  #told = 0;

  add(clientId: number): void {
    this.#ids.add(clientId);
  }

  /** Whether some were added since the server was told. */
  get areUntold(): boolean {
    return this.#told !== this.#ids.size;
  }

  /** For a join: the newest. */
  tell(): { formerIds?: number[] } {
    this.#told = this.#ids.size;
    return this.#told === 0 ? {} : { formerIds: [...this.#ids].slice(-MAX_FORMER_IDS) };
  }
}
