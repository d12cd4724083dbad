/**
 * Levels of Y types in Y types that a document may have. Yjs deletes and reads them recursively, in each member's browser: about 5,000 end the
 * stack. Far beyond what editors make.
 */
export const MAX_NESTING = 1_024;

// What a document has, for all that is known, until somebody has measured it.
const UNMEASURED = MAX_NESTING / 2;

/**
 * How deep a document is nested, at most: what a worker has measured, and the levels that updates may have added since. Kept as one number,
 * because what the bytes of an update do not say is where in the document its items stand.
 */
export class DocumentNesting {
  #bound: number;
  #measured: boolean;

  constructor(isEmpty: boolean) {
    this.#bound = isEmpty ? 0 : UNMEASURED;
    this.#measured = isEmpty;
  }

  get bound(): number {
    return this.#bound;
  }

  /** Whether the bound begins with what a worker saw. */
  get measured(): boolean {
    return this.#measured;
  }

  /** Whether so many levels more may be too many, for all that is known. */
  exceededBy(levels: number): boolean {
    return levels > 0 && this.#bound + levels > MAX_NESTING;
  }

  /** An update was taken. @param levels that it may have added */
  add(levels: number): void {
    this.#bound += levels;
  }

  /** A worker saw the document. @param depth what it saw @param boundThen the bound when what it looked at was read */
  measure(depth: number, boundThen: number): void {
    this.#bound += depth - boundThen;
    this.#measured = true;
  }

  /** Nothing is in the document any more. */
  clear(): void {
    this.#bound = 0;
    this.#measured = true;
  }
}
