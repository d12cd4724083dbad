import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { AshlarError, ERRORS, type ErrorCode } from './errors.ts';

/** The version of the wire protocol, sent at the handshake. docs/protocol.md describes it. */
export const PROTOCOL_VERSION = 1;

/** Most chunks or parts that one transfer may have. */
export const MAX_PARTS = 4_096;

/** What a client sends in a document's room. Sync and awareness payloads are Yjs's and y-protocols' own encodings (V1). */
export type ClientFrame =
  | { type: 'sync'; stateVector: Uint8Array }
  | { type: 'update'; counter: number; full: boolean; update: Uint8Array }
  | { type: 'part'; counter: number; full: boolean; index: number; count: number; bytes: Uint8Array }
  | { type: 'pull'; transfer: number; index: number }
  | { type: 'awareness'; update: Uint8Array };

/** One record of a `committed` frame: another's update, or the receiver's own, told by its counter. */
export type CommittedEntry = { seq: number; update: Uint8Array } | { seq: number; counter: number };

/** What a server sends in a document's room. */
export type ServerFrame =
  | {
      type: 'state';
      transfer: number;
      index: number;
      count: number;
      epoch: string;
      seq: number;
      stateVector: Uint8Array;
      bytes: Uint8Array;
    }
  | { type: 'committed'; epoch: string; entries: readonly CommittedEntry[] }
  | { type: 'saved'; counter: number; epoch: string; seq: number }
  | { type: 'refused'; counter: number; code: ErrorCode; retryAfterMs: number; detail: string }
  | { type: 'gap'; counter: number; stateVector: Uint8Array }
  | { type: 'reset'; reason: string }
  | { type: 'awareness'; update: Uint8Array };

export type DocumentFrame = ClientFrame | ServerFrame;

const TYPES = {
  sync: 0,
  update: 1,
  part: 2,
  pull: 3,
  awareness: 4,
  state: 5,
  committed: 6,
  saved: 7,
  refused: 8,
  gap: 9,
  reset: 10,
} as const satisfies Record<DocumentFrame['type'], number>;

const FULL = 1;

/** Encodes a client's frame. The result is a copy of its own: safe to keep, send and share. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, TYPES[frame.type]);
  switch (frame.type) {
    case 'sync':
      encoding.writeVarUint8Array(encoder, frame.stateVector);
      break;
    case 'update':
      encoding.writeVarUint(encoder, frame.counter);
      encoding.writeVarUint(encoder, frame.full ? FULL : 0);
      encoding.writeVarUint8Array(encoder, frame.update);
      break;
    case 'part':
      encoding.writeVarUint(encoder, frame.counter);
      encoding.writeVarUint(encoder, frame.full ? FULL : 0);
      encoding.writeVarUint(encoder, frame.index);
      encoding.writeVarUint(encoder, frame.count);
      encoding.writeVarUint8Array(encoder, frame.bytes);
      break;
    case 'pull':
      encoding.writeVarUint(encoder, frame.transfer);
      encoding.writeVarUint(encoder, frame.index);
      break;
    case 'awareness':
      encoding.writeVarUint8Array(encoder, frame.update);
      break;
  }
  return encoding.toUint8Array(encoder);
}

/** Encodes a frame of either side. The result is a copy of its own: safe to keep, send and share. */
export function encodeFrame(frame: DocumentFrame): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, TYPES[frame.type]);
  switch (frame.type) {
    case 'state':
      encoding.writeVarUint(encoder, frame.transfer);
      encoding.writeVarUint(encoder, frame.index);
      encoding.writeVarUint(encoder, frame.count);
      encoding.writeVarString(encoder, frame.epoch);
      encoding.writeVarUint(encoder, frame.seq);
      encoding.writeVarUint8Array(encoder, frame.stateVector);
      encoding.writeVarUint8Array(encoder, frame.bytes);
      break;
    case 'committed':
      encoding.writeVarString(encoder, frame.epoch);
      encoding.writeVarUint(encoder, frame.entries.length);
      for (const entry of frame.entries) {
        encoding.writeVarUint(encoder, entry.seq);
        if ('counter' in entry) {
          encoding.writeVarUint(encoder, entry.counter);
        } else {
          encoding.writeVarUint(encoder, 0);
          encoding.writeVarUint8Array(encoder, entry.update);
        }
      }
      break;
    case 'saved':
      encoding.writeVarUint(encoder, frame.counter);
      encoding.writeVarString(encoder, frame.epoch);
      encoding.writeVarUint(encoder, frame.seq);
      break;
    case 'refused':
      encoding.writeVarUint(encoder, frame.counter);
      encoding.writeVarString(encoder, frame.code);
      encoding.writeVarUint(encoder, Math.ceil(frame.retryAfterMs));
      encoding.writeVarString(encoder, frame.detail);
      break;
    case 'gap':
      encoding.writeVarUint(encoder, frame.counter);
      encoding.writeVarUint8Array(encoder, frame.stateVector);
      break;
    case 'reset':
      encoding.writeVarString(encoder, frame.reason);
      break;
    default:
      return encodeClientFrame(frame);
  }
  return encoding.toUint8Array(encoder);
}

/**
 * Decodes what a client sent. The byte fields are views into `bytes`.
 * @throws AshlarError `malformed-frame`: unknown type, a length beyond the frame, anything left over
 */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  return decodeWhole(bytes, (decoder) => {
    switch (readUint(decoder)) {
      case TYPES.sync:
        return { type: 'sync', stateVector: readBytes(decoder) };
      case TYPES.update:
        return { type: 'update', counter: readCounter(decoder), full: readFlags(decoder), update: readBytes(decoder) };
      case TYPES.part: {
        const counter = readCounter(decoder);
        const full = readFlags(decoder);
        const index = readUint(decoder);
        const count = readUint(decoder);
        if (count < 1 || count > MAX_PARTS || index >= count) throw malformed('part index or count');
        return { type: 'part', counter, full, index, count, bytes: readBytes(decoder) };
      }
      case TYPES.pull:
        return { type: 'pull', transfer: readUint(decoder), index: readUint(decoder) };
      case TYPES.awareness:
        return { type: 'awareness', update: readBytes(decoder) };
      default:
        throw malformed('unknown type');
    }
  });
}

/**
 * Decodes what a server sent. The byte fields are views into `bytes`.
 * @throws AshlarError `malformed-frame`
 */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  return decodeWhole(bytes, (decoder) => {
    switch (readUint(decoder)) {
      case TYPES.awareness:
        return { type: 'awareness', update: readBytes(decoder) };
      case TYPES.state:
        return {
          type: 'state',
          transfer: readUint(decoder),
          index: readUint(decoder),
          count: readUint(decoder),
          epoch: decoding.readVarString(decoder),
          seq: readUint(decoder),
          stateVector: readBytes(decoder),
          bytes: readBytes(decoder),
        };
      case TYPES.committed:
        return { type: 'committed', epoch: decoding.readVarString(decoder), entries: readEntries(decoder) };
      case TYPES.saved:
        return {
          type: 'saved',
          counter: readUint(decoder),
          epoch: decoding.readVarString(decoder),
          seq: readUint(decoder),
        };
      case TYPES.refused: {
        const counter = readUint(decoder);
        const code = decoding.readVarString(decoder);
        return {
          type: 'refused',
          counter,
          code: Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal',
          retryAfterMs: readUint(decoder),
          detail: decoding.readVarString(decoder),
        };
      }
      case TYPES.gap:
        return { type: 'gap', counter: readUint(decoder), stateVector: readBytes(decoder) };
      case TYPES.reset:
        return { type: 'reset', reason: decoding.readVarString(decoder) };
      default:
        throw malformed('unknown type');
    }
  });
}

function readEntries(decoder: decoding.Decoder): CommittedEntry[] {
  const count = readUint(decoder);
  const entries: CommittedEntry[] = [];
  for (let index = 0; index < count; index++) {
    const seq = readUint(decoder);
    const counter = readUint(decoder);
    entries.push(counter > 0 ? { seq, counter } : { seq, update: readBytes(decoder) });
  }
  return entries;
}

function decodeWhole<Frame>(bytes: Uint8Array, read: (decoder: decoding.Decoder) => Frame): Frame {
  const decoder = decoding.createDecoder(bytes);
  let frame: Frame;
  try {
    frame = read(decoder);
  } catch (error) {
    throw error instanceof AshlarError ? error : malformed('ends early', error);
  }
  if (decoding.hasContent(decoder)) throw malformed('something follows its last field');
  return frame;
}

// lib0 looks at the size before the last byte, and so lets numbers through that are no longer exact.
function readUint(decoder: decoding.Decoder): number {
  const value = decoding.readVarUint(decoder);
  if (!Number.isSafeInteger(value)) throw malformed('a number above 2^53 - 1');
  return value;
}

// lib0 gives a view by the length from the wire, which must not reach beyond the frame into a pooled buffer.
function readBytes(decoder: decoding.Decoder): Uint8Array {
  const length = readUint(decoder);
  if (length > decoder.arr.length - decoder.pos) throw malformed('a length beyond the frame');
  return decoding.readUint8Array(decoder, length);
}

function readCounter(decoder: decoding.Decoder): number {
  const counter = readUint(decoder);
  if (counter < 1) throw malformed('a counter starts at 1');
  return counter;
}

function readFlags(decoder: decoding.Decoder): boolean {
  const flags = readUint(decoder);
  if (flags > FULL) throw malformed('unknown flags');
  return flags === FULL;
}

function malformed(detail: string, cause?: unknown): AshlarError {
  return new AshlarError('malformed-frame', { detail, cause });
}
