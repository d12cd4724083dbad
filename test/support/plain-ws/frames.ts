import { FieldReader, FieldWriter } from './varint.ts';

/** What the server sends in a document's room. */
export type IncomingFrame =
  | { type: 'awareness'; update: Uint8Array }
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
  | { type: 'committed'; epoch: string; entries: { seq: number; counter: number; update: Uint8Array | null }[] }
  | { type: 'saved'; counter: number; epoch: string; seq: number }
  | { type: 'refused'; counter: number; code: string; retryAfterMs: number; detail: string }
  | { type: 'gap'; counter: number; stateVector: Uint8Array }
  | { type: 'reset'; reason: string }
  /** A type that this client does not know: to be passed over. */
  | { type: 'unknown' };

export function readFrame(frame: Uint8Array): IncomingFrame {
  const fields = new FieldReader(frame);
  const result = readByType(fields.uint(), fields);
  if (result.type !== 'unknown') fields.end();
  return result;
}

function readByType(type: number, fields: FieldReader): IncomingFrame {
  switch (type) {
    case 4:
      return { type: 'awareness', update: fields.bytes() };
    case 5:
      return {
        type: 'state',
        transfer: fields.uint(),
        index: fields.uint(),
        count: fields.uint(),
        epoch: fields.string(),
        seq: fields.uint(),
        stateVector: fields.bytes(),
        bytes: fields.bytes(),
      };
    case 6: {
      const epoch = fields.string();
      const entries = [];
      for (let left = fields.uint(); left > 0; left--) {
        const seq = fields.uint();
        const counter = fields.uint();
        entries.push({ seq, counter, update: counter === 0 ? fields.bytes() : null });
      }
      return { type: 'committed', epoch, entries };
    }
    case 7:
      return { type: 'saved', counter: fields.uint(), epoch: fields.string(), seq: fields.uint() };
    case 8:
      return {
        type: 'refused',
        counter: fields.uint(),
        code: fields.string(),
        retryAfterMs: fields.uint(),
        detail: fields.string(),
      };
    case 9:
      return { type: 'gap', counter: fields.uint(), stateVector: fields.bytes() };
    case 10:
      return { type: 'reset', reason: fields.string() };
    default:
      return { type: 'unknown' };
  }
}

export function syncFrame(stateVector: Uint8Array): Uint8Array {
  return new FieldWriter().uint(0).bytes(stateVector).end();
}

// Type, counter, flags, index, count and length: six varints of at most eight bytes.
const HEADER_BYTES = 48;

/** An update as one frame, or as parts where it would be larger than `frameBytes`. */
export function updateFrames(counter: number, full: boolean, update: Uint8Array, frameBytes: number): Uint8Array[] {
  const flags = full ? 1 : 0;
  const size = frameBytes - HEADER_BYTES;
  if (update.length <= size) return [new FieldWriter().uint(1).uint(counter).uint(flags).bytes(update).end()];
  const count = Math.ceil(update.length / size);
  return Array.from({ length: count }, (_, index) =>
    new FieldWriter()
      .uint(2)
      .uint(counter)
      .uint(flags)
      .uint(index)
      .uint(count)
      .bytes(update.subarray(index * size, (index + 1) * size))
      .end(),
  );
}

export function pullFrame(transfer: number, index: number): Uint8Array {
  return new FieldWriter().uint(3).uint(transfer).uint(index).end();
}

/** One client's awareness state. The server writes the clock: any will do. */
export function awarenessFrame(clientId: number, state: object | null): Uint8Array {
  const entry = new FieldWriter().uint(1).uint(clientId).uint(0).string(JSON.stringify(state)).end();
  return new FieldWriter().uint(4).bytes(entry).end();
}

/** The entries of an awareness frame. */
export function readAwareness(update: Uint8Array): { clientId: number; clock: number; state: Record<string, unknown> | null }[] {
  const fields = new FieldReader(update);
  return Array.from({ length: fields.uint() }, () => ({
    clientId: fields.uint(),
    clock: fields.uint(),
    state: JSON.parse(fields.string()) as Record<string, unknown> | null,
  }));
}
