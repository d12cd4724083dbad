/** Writes the fields of a frame: docs/protocol.md, Documents, Frames. */
export class FieldWriter {
  readonly #bytes: number[] = [];
  readonly #chunks: Uint8Array[] = [];

  /** Seven bits per byte, least significant first; the eighth says that more follow. Up to 2^53 - 1, so no bit operators. */
  uint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.#bytes.push(128 + (rest % 128));
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint(value.length);
    this.#chunks.push(Uint8Array.from(this.#bytes.splice(0)), value);
    return this;
  }

  string(value: string): this {
    return this.bytes(new TextEncoder().encode(value));
  }

  end(): Uint8Array {
    return Buffer.concat([...this.#chunks, Uint8Array.from(this.#bytes)]);
  }
}

/** Reads the fields of a frame. Throws where a field reaches beyond the end. */
export class FieldReader {
  readonly #source: Uint8Array;
  #at = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  uint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#source[this.#at];
      if (byte === undefined) throw new Error('the frame ends early');
      this.#at += 1;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  bytes(): Uint8Array {
    const length = this.uint();
    const start = this.#at;
    if (start + length > this.#source.length) throw new Error('the frame ends early');
    this.#at = start + length;
    return this.#source.slice(start, this.#at);
  }

  string(): string {
    return new TextDecoder().decode(this.bytes());
  }

  /** Throws where something follows the last field. */
  end(): void {
    if (this.#at !== this.#source.length) throw new Error('something follows the last field');
  }
}
