import { Refusal } from './refusal.ts';

const PROTO = [...'__proto__'].map((letter) => letter.charCodeAt(0));

/**
 * Reads lib0's encoding (V1) from bytes that nobody has checked. Stricter than lib0: a number has one spelling and is at most
 * 2^53 - 1 (lib0 reads NaN from 0x80 repeated), a length is compared with the bytes left before anything is done with it,
 * and text is only looked at, never turned into strings.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  pos: number;
  /** Values passed so far: each element and each member of arrays, objects and JSON. */
  values = 0;
  readonly #maxValues: number;

  constructor(bytes: Uint8Array, pos = 0, maxValues = Number.POSITIVE_INFINITY) {
    this.bytes = bytes;
    this.pos = pos;
    this.#maxValues = maxValues;
  }

  /** Counts a value: two bytes of an update may be an object, which takes fifty times as much. */
  countValue(): void {
    this.values++;
    if (this.values > this.#maxValues) throw new Refusal(2, `more than ${this.#maxValues} values`, 'too-large');
  }

  /** How many bytes have not been read. */
  get left(): number {
    return this.bytes.length - this.pos;
  }

  byte(): number {
    const byte = this.bytes[this.pos++];
    if (byte === undefined) throw endsEarly();
    return byte;
  }

  /** An unsigned number: 7 bits per byte, least significant first. */
  uint(): number {
    const first = this.byte();
    return first < 0x80 ? first : this.#rest(first & 0x7f, 0x80);
  }

  /** Passes a signed number: 6 bits and the sign in its first byte, then as `uint`. */
  skipInt(): void {
    const first = this.byte();
    if (first >= 0x80) this.#rest(first & 0x3f, 0x40);
  }

  skip(length: number): void {
    if (length > this.left) throw endsEarly();
    this.pos += length;
  }

  /** Passes bytes behind their length. */
  skipBytes(): void {
    this.skip(this.uint());
  }

  /**
   * Passes a string behind its length.
   * @returns its length in UTF-16 units, which is what Yjs counts clocks in
   */
  text(): number {
    const length = this.uint();
    if (length > this.left) throw endsEarly();
    const end = this.pos + length;
    const units = utf16Length(this.bytes, this.pos, end);
    this.pos = end;
    return units;
  }

  /** Passes a string that becomes a key of an object somewhere. */
  key(): void {
    const length = this.uint();
    if (length > this.left) throw endsEarly();
    const end = this.pos + length;
    utf16Length(this.bytes, this.pos, end);
    if (isProto(this.bytes, this.pos, end)) throw new Refusal(8, 'the key __proto__');
    this.pos = end;
  }

  #rest(start: number, scale: number): number {
    let value = start;
    for (let unit = scale; unit < 2 ** 53; unit *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (byte === 0) throw new Refusal(1, 'a number with needless bytes');
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new Refusal(3, 'a number above 2^53 - 1');
  }
}

/** Whether the bytes spell `__proto__`. */
export function isProto(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== PROTO.length) return false;
  for (let index = 0; index < PROTO.length; index++) {
    if (bytes[start + index] !== PROTO[index]) return false;
  }
  return true;
}

function endsEarly(): Refusal {
  return new Refusal(1, 'the update ends early');
}

/**
 * The length in UTF-16 units of well-formed UTF-8.
 * @throws Refusal where a strict TextDecoder would: lib0 decodes with `fatal`, so that one wrong byte stops every reader
 */
function utf16Length(bytes: Uint8Array, start: number, end: number): number {
  let units = 0;
  let pos = start;
  while (pos < end) {
    const lead = bytes[pos] as number;
    if (lead < 0x80) {
      pos++;
      units++;
      continue;
    }
    // Least and greatest second byte: no overlong forms, no surrogates, nothing above U+10FFFF.
    let least = 0x80;
    let greatest = 0xbf;
    let size: number;
    if (lead >= 0xc2 && lead <= 0xdf) {
      size = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      size = 3;
      if (lead === 0xe0) least = 0xa0;
      if (lead === 0xed) greatest = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      size = 4;
      if (lead === 0xf0) least = 0x90;
      if (lead === 0xf4) greatest = 0x8f;
    } else {
      throw notUtf8();
    }
    if (pos + size > end) throw notUtf8();
    const second = bytes[pos + 1] as number;
    if (second < least || second > greatest) throw notUtf8();
    for (let index = pos + 2; index < pos + size; index++) {
      if (((bytes[index] as number) & 0xc0) !== 0x80) throw notUtf8();
    }
    pos += size;
    units += size === 4 ? 2 : 1;
  }
  return units;
}

function notUtf8(): Refusal {
  return new Refusal(8, 'text that is not UTF-8');
}
