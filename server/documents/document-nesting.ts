/**
 * Levels of Y types in Y types that a document may have. Yjs deletes and reads them recursively, in each member's browser: about 5,000 end the
 * stack. Far beyond what editors make.
 */
export const MAX_NESTING = 1_024;

// What a document has, for all that is known, until somebody has measured it.
const UNMEASURED = MAX_NESTING / 2;

/**
 * How deep a document is nested, at most: what a worker has measured, and the levels that updates may have added since. Kept as numbers,
 * because what the bytes of an update do not say is where in the document its items stand.
 */
export class DocumentNesting {
  /** Levels that updates may have added, all told. */
  #added = 0;
  /** How much deeper than that the document may be; below 0 where they did not all add to the same depth. */
  #base: number;
  #measured: boolean;

  constructor(isEmpty: boolean) {
    this.#base = isEmpty ? 0 : UNMEASURED;
    this.#measured = isEmpty;
  }

  get bound(): number {
    return this.#base + this.#added;
  }

  /** Only grows: says which updates a measurement saw. */
  get added(): number {
    return this.#added;
  }

  /** Whether the bound begins with what a worker saw. */
  get measured(): boolean {
    return this.#measured;
  }

  /** Whether so many levels more may be too many, for all that is known. */
  exceededBy(levels: number): boolean {
    return levels > 0 && this.bound + levels > MAX_NESTING;
  }

  /** An update was taken. @param levels that it may have added */
  add(levels: number): void {
    this.#added += levels;
  }

  /**
   * A worker saw the document. Several may look at once and end in any order: each says something true.
   * @param depth what it saw
   * @param addedThen `added` before what it looked at was read
   */
  measure(depth: number, addedThen: number): void {
    const base = depth - addedThen;
    this.#base = this.#measured ? Math.min(this.#base, base) : base;
    this.#measured = true;
  }

  /** Nothing is in the document any more. */
  clear(): void {
    this.#base = -this.#added;
    this.#measured = true;
  }
}
