import type * as Y from 'yjs';
import type { DocumentLog } from './compact.ts';
import { applyBehind, loadDoc } from './load-doc.ts';

/**
 * A document as a member has it who was there all the time, kept so that what comes behind costs no more than itself. It counts the time of all that was
 * ever applied: what is slow in many small portions is as slow as what comes at once.
 */
export class WarmDoc {
  readonly id: number;
  readonly #now: () => number;
  readonly #doc: Y.Doc;
  #ms: number;

  /**
   * @param id whoever sends what follows names it
   * @param now of a monotonic clock, ms
   * @throws AshlarError `document-damaged`
   */
  constructor(id: number, { state, updates }: DocumentLog, now: () => number) {
    this.id = id;
    this.#now = now;
    const startedAt = now();
    this.#doc = loadDoc(state, updates);
    this.#ms = now() - startedAt;
  }

  /** What applying took, from the first byte on, ms. */
  get ms(): number {
    return this.#ms;
  }

  /** @throws AshlarError `document-damaged`; then it is of no use any more */
  apply(updates: readonly Uint8Array[]): void {
    const startedAt = this.#now();
    applyBehind(this.#doc, updates);
    this.#ms += this.#now() - startedAt;
  }

  destroy(): void {
    this.#doc.destroy();
  }
}
