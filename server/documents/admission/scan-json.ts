import { Refusal } from './refusal.ts';
import { isProto, type WireReader } from './wire-reader.ts';

/** Levels of arrays and objects in one value. Readers walk values recursively: a few thousand levels end their stack. */
export const MAX_NESTING = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const ascii = (word: string) => [...word].map((letter) => letter.charCodeAt(0));
const LITERALS = ['true', 'false', 'null'].map(ascii);
/** As it stands in an update: behind its length. */
const UNDEFINED = [9, ...ascii('undefined')];
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
// JSON.parse takes any length, but a number longer than this is no number that JSON.stringify wrote.
const MAX_NUMBER = 400;

/** Passes a string behind its length whose text must be what JSON.parse takes. @throws Refusal of rule 8 */
export function scanJson(reader: WireReader): void {
  const lengthAt = reader.pos;
  reader.text();
  const end = reader.pos;
  reader.pos = lengthAt;
  reader.uint();
  scanJsonText(reader, end);
  reader.pos = end;
}

/** As `scanJson`, where Yjs also takes the bare word `undefined`. */
export function scanJsonOrUndefined(reader: WireReader): void {
  const { bytes, pos } = reader;
  if (UNDEFINED.every((byte, index) => bytes[pos + index] === byte)) reader.skip(UNDEFINED.length);
  else scanJson(reader);
}

/** Checks grammar, nesting and keys without building the value: `[[],[],…]` would cost 20 times its bytes. */
function scanJsonText(reader: WireReader, end: number): void {
  const { bytes } = reader;
  const open: number[] = [];
  let pos = skipSpace(bytes, reader.pos, end);
  for (;;) {
    reader.countValue();
    // A value begins at pos.
    const byte = pos < end ? bytes[pos] : undefined;
    if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (open.length === MAX_NESTING) throw new Refusal(8, `JSON nested deeper than ${MAX_NESTING}`);
      const close = byte === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT;
      pos = skipSpace(bytes, pos + 1, end);
      if (pos < end && bytes[pos] === close) {
        pos++;
      } else {
        open.push(close);
        if (close === CLOSE_OBJECT) pos = passKey(bytes, pos, end);
        continue;
      }
    } else if (byte === QUOTE) {
      pos = passString(bytes, pos, end);
    } else {
      pos = passWord(bytes, pos, end);
    }
    // A value ends at pos: leave what ends with it.
    for (;;) {
      pos = skipSpace(bytes, pos, end);
      const close = open.at(-1);
      if (close === undefined) {
        if (pos !== end) throw notJson();
        return;
      }
      const next = pos < end ? bytes[pos] : undefined;
      pos++;
      if (next === COMMA) {
        pos = skipSpace(bytes, pos, end);
        if (close === CLOSE_OBJECT) pos = passKey(bytes, pos, end);
        break;
      }
      if (next !== close) throw notJson();
      open.pop();
    }
  }
}

function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && (bytes[pos] === 0x20 || bytes[pos] === 0x0a || bytes[pos] === 0x0d || bytes[pos] === 0x09)) pos++;
  return pos;
}

/** Passes a key and its colon. @returns where the value begins */
function passKey(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || bytes[start] !== QUOTE) throw notJson();
  const after = passString(bytes, start, end);
  if (isProto(bytes, start + 1, after - 1) || spellsProto(bytes, start, after)) throw new Refusal(8, 'the key __proto__');
  const colon = skipSpace(bytes, after, end);
  if (colon >= end || bytes[colon] !== COLON) throw notJson();
  return skipSpace(bytes, colon + 1, end);
}

/** Whether a string, quotes included, means `__proto__` by way of escapes. */
function spellsProto(bytes: Uint8Array, start: number, end: number): boolean {
  // Nine letters, each at most `\u005f`; longer ones cannot mean it.
  if (end - start > 9 * 6 + 2 || !bytes.subarray(start, end).includes(BACKSLASH)) return false;
  // Its escapes were checked; a letter beyond ASCII comes out wrong, and is no letter of the word.
  return JSON.parse(latin1(bytes, start, end)) === '__proto__';
}

function passString(bytes: Uint8Array, start: number, end: number): number {
  let pos = start + 1;
  while (pos < end) {
    const byte = bytes[pos++] as number;
    if (byte === QUOTE) return pos;
    if (byte < 0x20) break;
    if (byte !== BACKSLASH) continue;
    const escaped = pos < end ? bytes[pos++] : undefined;
    if (escaped === 0x75) {
      if (pos + 4 > end || !/^[0-9a-fA-F]{4}$/.test(latin1(bytes, pos, pos + 4))) break;
      pos += 4;
    } else if (escaped === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(escaped))) {
      break;
    }
  }
  throw notJson();
}

/** Passes `true`, `false`, `null` or a number. */
function passWord(bytes: Uint8Array, start: number, end: number): number {
  for (const literal of LITERALS) {
    if (start + literal.length <= end && literal.every((byte, index) => bytes[start + index] === byte))
      return start + literal.length;
  }
  let pos = start;
  while (pos < end && '+-.0123456789eE'.includes(String.fromCharCode(bytes[pos] as number))) pos++;
  if (pos === start || pos - start > MAX_NUMBER || !NUMBER.test(latin1(bytes, start, pos))) throw notJson();
  return pos;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function notJson(): Refusal {
  return new Refusal(8, 'text that is not JSON');
}
