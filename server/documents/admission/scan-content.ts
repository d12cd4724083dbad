import { Refusal } from './refusal.ts';
import { MAX_NESTING, scanJson, scanJsonOrUndefined } from './scan-json.ts';
import type { WireReader } from './wire-reader.ts';

/** Yjs's content refs: the lowest five bits of a struct's info byte. */
export const CONTENT = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  doc: 9,
  skip: 10,
} as const;

const XML_ELEMENT = 3;
const XML_HOOK = 5;
const LAST_TYPE = 6;

/**
 * Passes an item's content.
 * @returns its length in clocks; 0 is for the caller to refuse
 */
export function scanContent(reader: WireReader, ref: number, subdocuments: boolean): number {
  switch (ref) {
    case CONTENT.deleted:
      return reader.uint();
    case CONTENT.json: {
      const count = reader.uint();
      for (let index = 0; index < count; index++) scanJsonOrUndefined(reader);
      return count;
    }
    case CONTENT.binary:
      reader.skipBytes();
      return 1;
    case CONTENT.string:
      return reader.text();
    case CONTENT.embed:
      scanJson(reader);
      return 1;
    case CONTENT.format:
      reader.key();
      scanJson(reader);
      return 1;
    case CONTENT.type: {
      const type = reader.uint();
      if (type > LAST_TYPE) throw new Refusal(4, `unknown type ${type}`);
      if (type === XML_ELEMENT || type === XML_HOOK) reader.key();
      return 1;
    }
    case CONTENT.any: {
      const count = reader.uint();
      for (let index = 0; index < count; index++) scanAny(reader, 0);
      return count;
    }
    case CONTENT.doc:
      if (!subdocuments) throw new Refusal(4, 'a subdocument');
      scanDocument(reader);
      return 1;
    default:
      throw new Refusal(4, `unknown content ${ref}`);
  }
}

/** Passes one value of lib0's `any` encoding. */
export function scanAny(reader: WireReader, depth: number): void {
  reader.countValue();
  const kind = reader.byte();
  switch (kind) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return;
    case 125:
      reader.skipInt();
      return;
    case 124: // float32
      reader.skip(4);
      return;
    case 123: // float64
    case 122: // bigint
      reader.skip(8);
      return;
    case 119:
      reader.text();
      return;
    case 118:
    case 117: {
      if (depth === MAX_NESTING) throw new Refusal(8, `values nested deeper than ${MAX_NESTING}`);
      const count = reader.uint();
      for (let index = 0; index < count; index++) {
        if (kind === 118) reader.key();
        scanAny(reader, depth + 1);
      }
      return;
    }
    case 116:
      reader.skipBytes();
      return;
    default:
      throw new Refusal(4, `unknown kind of value ${kind}`);
  }
}

/** Passes a subdocument: its guid and the options that Yjs writes, which it would hand to `new Doc` as they are. */
function scanDocument(reader: WireReader): void {
  reader.text();
  if (reader.byte() !== 118) throw new Refusal(4, 'subdocument options that are no object');
  const count = reader.uint();
  for (let index = 0; index < count; index++) {
    const keyAt = reader.pos;
    reader.key();
    const key = String.fromCharCode(...reader.bytes.subarray(keyAt + 1, Math.min(reader.pos, keyAt + 16)));
    if (key === 'meta') {
      scanAny(reader, 1);
    } else if (key === 'gc' || key === 'autoLoad') {
      const value = reader.byte();
      if (value !== 120 && value !== 121) throw new Refusal(4, `subdocument option ${key} that is no boolean`);
    } else {
      throw new Refusal(4, 'an unknown subdocument option');
    }
  }
}
