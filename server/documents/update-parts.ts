import { AshlarError } from '../../shared/errors.ts';

/** A large update as it comes in. */
export interface UpdatePart {
  readonly counter: number;
  readonly full: boolean;
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Puts an update together from its parts: one at a time, in order, bounded. */
export class UpdateParts {
  readonly #capBytes: number;
  #counter = 0;
  #full = false;
  #count = 0;
  #bytes = 0;
  #parts: Uint8Array[] = [];

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  /** What is held of an update that is not whole yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes the next part.
   * @returns the whole update with its last part, else null
   * @throws AshlarError `counter-gap` out of order, `too-large` beyond the cap
   */
  add(part: UpdatePart): Uint8Array | null {
    if (part.index === 0) {
      this.clear();
      this.#counter = part.counter;
      this.#full = part.full;
      this.#count = part.count;
    }
    const fits =
      part.counter === this.#counter &&
      part.full === this.#full &&
      part.count === this.#count &&
      part.index === this.#parts.length;
    if (!fits) {
      this.clear();
      throw new AshlarError('counter-gap', { detail: 'parts come in order' });
    }
    this.#bytes += part.bytes.length;
    if (this.#bytes > this.#capBytes) {
      this.clear();
      throw new AshlarError('too-large', { detail: `an update has at most ${this.#capBytes} bytes` });
    }
    this.#parts.push(part.bytes.slice());
    if (this.#parts.length < this.#count) return null;
    const whole = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const bytes of this.#parts) {
      whole.set(bytes, offset);
      offset += bytes.length;
    }
    this.clear();
    return whole;
  }

  clear(): void {
    this.#counter = 0;
    this.#count = 0;
    this.#bytes = 0;
    this.#parts = [];
  }
}
