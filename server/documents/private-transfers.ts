/** What the unfinished transfers of one user may hold, beside the first. */
const MOST_BYTES = 32_000_000;

/**
 * Bytes that were made for one member alone and wait to be pulled. A few bytes ask for them, and they wait for as long as their receiver likes:
 * so they are counted by user.
 */
export class PrivateTransfers {
  readonly #held = new Map<string, number>();

  /**
   * Holds bytes for a user.
   * @returns lets go of them, once; null: the user has enough waiting
   */
  hold(userId: string, bytes: number): (() => void) | null {
    const held = this.#held.get(userId) ?? 0;
    // One transfer is always allowed, however large its document is.
    if (held > 0 && held + bytes > MOST_BYTES) return null;
    this.#held.set(userId, held + bytes);
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      const left = (this.#held.get(userId) ?? 0) - bytes;
      if (left > 0) this.#held.set(userId, left);
      else this.#held.delete(userId);
    };
  }
}
