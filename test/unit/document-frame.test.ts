import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClientFrame,
  type DocumentFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  MAX_PARTS,
  PROTOCOL_VERSION,
  type ServerFrame,
} from '../../shared/document-frame.ts';
import { AshlarError, ERRORS, type ErrorCode } from '../../shared/errors.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const ab = bytes(0xa, 0xb);

// Changing one of these is changing the protocol: raise its version, and keep reading the old one.
const CLIENT: readonly [ClientFrame, number[]][] = [
  [{ type: 'sync', stateVector: bytes(0) }, [0, 1, 0]],
  [{ type: 'sync', stateVector: bytes() }, [0, 0]],
  [{ type: 'update', counter: 1, full: false, update: ab }, [1, 1, 0, 2, 0xa, 0xb]],
  [{ type: 'update', counter: 300, full: true, update: ab }, [1, 0xac, 0x02, 1, 2, 0xa, 0xb]],
  [{ type: 'update', counter: 2 ** 40, full: false, update: bytes() }, [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0]],
  [{ type: 'part', counter: 2, full: true, index: 1, count: 3, bytes: ab }, [2, 2, 1, 1, 3, 2, 0xa, 0xb]],
  [{ type: 'pull', transfer: 128, index: 127 }, [3, 0x80, 0x01, 0x7f]],
  [{ type: 'awareness', update: ab }, [4, 2, 0xa, 0xb]],
];
const SERVER: readonly [ServerFrame, number[]][] = [
  [{ type: 'awareness', update: ab }, [4, 2, 0xa, 0xb]],
  [
    { type: 'state', transfer: 1, index: 0, count: 1, epoch: 'é', seq: 9, stateVector: bytes(0), bytes: ab },
    [5, 1, 0, 1, 2, 0xc3, 0xa9, 9, 1, 0, 2, 0xa, 0xb],
  ],
  [{ type: 'committed', epoch: 'e', entries: [] }, [6, 1, 0x65, 0]],
  [
    {
      type: 'committed',
      epoch: 'e',
      entries: [
        { seq: 1, update: ab },
        { seq: 2, counter: 7 },
      ],
    },
    [6, 1, 0x65, 2, 1, 0, 2, 0xa, 0xb, 2, 7],
  ],
  [{ type: 'saved', counter: 7, epoch: 'e', seq: 2 }, [7, 7, 1, 0x65, 2]],
  [{ type: 'refused', counter: 8, code: 'gone', retryAfterMs: 20, detail: 'x' }, [8, 8, 4, 0x67, 0x6f, 0x6e, 0x65, 20, 1, 0x78]],
  [{ type: 'gap', counter: 8, stateVector: bytes(0) }, [9, 8, 1, 0]],
  [{ type: 'reset', reason: 'gone' }, [10, 4, 0x67, 0x6f, 0x6e, 0x65]],
];

/** What a decoder says of bytes: the frame, or the code of its refusal. */
function outcome(decode: (frame: Uint8Array) => DocumentFrame, frame: Uint8Array): DocumentFrame | ErrorCode {
  try {
    return decode(frame);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return error.code;
  }
}

test('this is version 1', () => {
  expect(PROTOCOL_VERSION).toBe(1);
  expect(MAX_PARTS).toBe(4_096);
});

describe('bytes on the wire', () => {
  test.each(CLIENT)('to the server: %j', (frame, wire) => {
    expect([...encodeFrame(frame)]).toEqual(wire);
    expect(decodeClientFrame(Uint8Array.from(wire))).toEqual(frame);
  });

  test.each(SERVER)('to the client: %j', (frame, wire) => {
    expect([...encodeFrame(frame)]).toEqual(wire);
    expect(decodeServerFrame(Uint8Array.from(wire))).toEqual(frame);
  });

  test('a wait in fractions of a millisecond is rounded up', () => {
    const frame = encodeFrame({ type: 'refused', counter: 1, code: 'rate-limited', retryAfterMs: 0.2, detail: '' });
    expect(decodeServerFrame(frame)).toMatchObject({ retryAfterMs: 1 });
  });

  test('a code of a newer server is an internal error to an older client', () => {
    const wire = encodeFrame({ type: 'refused', counter: 1, code: 'quite-new' as ErrorCode, retryAfterMs: 5, detail: 'd' });
    expect(decodeServerFrame(wire)).toEqual({ type: 'refused', counter: 1, code: 'internal', retryAfterMs: 5, detail: 'd' });
  });
});

describe('[5] what is malformed', () => {
  test.each(CLIENT)('to the server, cut short anywhere or with a byte too many: %j', (_frame, wire) => {
    for (let length = 0; length < wire.length; length++) {
      expect(outcome(decodeClientFrame, Uint8Array.from(wire.slice(0, length))), `${length} bytes`).toBe('malformed-frame');
    }
    expect(outcome(decodeClientFrame, Uint8Array.from([...wire, 0]))).toBe('malformed-frame');
  });

  test.each(SERVER)('to the client, cut short anywhere or with a byte too many: %j', (_frame, wire) => {
    for (let length = 0; length < wire.length; length++) {
      expect(outcome(decodeServerFrame, Uint8Array.from(wire.slice(0, length))), `${length} bytes`).toBe('malformed-frame');
    }
    expect(outcome(decodeServerFrame, Uint8Array.from([...wire, 0]))).toBe('malformed-frame');
  });

  test('frames of the other direction, and types that there are not', () => {
    for (const [frame, wire] of SERVER) {
      if (frame.type !== 'awareness') expect(outcome(decodeClientFrame, Uint8Array.from(wire))).toBe('malformed-frame');
    }
    for (const [frame, wire] of CLIENT) {
      if (frame.type !== 'awareness') expect(outcome(decodeServerFrame, Uint8Array.from(wire))).toBe('malformed-frame');
    }
    for (const type of [11, 42, 127]) expect(outcome(decodeClientFrame, bytes(type, 0))).toBe('malformed-frame');
  });

  test.each([
    ['counter 0 of an update', [1, 0, 0, 0]],
    ['counter 0 of a part', [2, 0, 0, 0, 1, 0]],
    ['unknown flags', [1, 1, 2, 0]],
    ['a part of none', [2, 1, 0, 0, 0, 0]],
    ['a part beyond the last', [2, 1, 0, 3, 3, 0]],
    ['more parts than one update may have', [2, 1, 0, 0, 0x81, 0x20, 0]],
    ['a length beyond the frame', [1, 1, 0, 3, 1, 2]],
    ['a length of 2^53 - 1', [1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a number beyond 2^53 - 1', [3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]],
    ['a number that never ends', [3, ...Array<number>(1_000).fill(0xff)]],
  ])('%s', (_what, wire) => {
    expect(outcome(decodeClientFrame, Uint8Array.from(wire))).toBe('malformed-frame');
  });

  test.each([
    ['2^40 entries in a few bytes', [6, 1, 0x65, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 5]],
    ['a string longer than the frame', [10, 100, 0x67]],
    ['an update longer than the frame', [6, 0, 1, 1, 0, 100, 1]],
    ['a position beyond 2^53 - 1', [7, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('to the client: %s', (_what, wire) => {
    expect(outcome(decodeServerFrame, Uint8Array.from(wire))).toBe('malformed-frame');
  });

  test('a length that reaches beyond the frame into the buffer that it is a view of', () => {
    // As Node hands frames out: a view of a pooled buffer that holds others' bytes too.
    const pool = new Uint8Array(64).fill(0x73);
    pool.set([1, 1, 0, 20], 8);
    expect(outcome(decodeClientFrame, pool.subarray(8, 14))).toBe('malformed-frame');
    pool.set([10, 20, 0x67], 8);
    expect(outcome(decodeServerFrame, pool.subarray(8, 11))).toBe('malformed-frame');
    pool.set([1, 1, 0, 2, 0xa, 0xb], 8);
    expect(decodeClientFrame(pool.subarray(8, 14))).toEqual({ type: 'update', counter: 1, full: false, update: ab });
  });
});

const uint = fc.maxSafeNat();
const counter = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const blob = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const kind = <Type extends string>(type: Type) => fc.constant(type);
const count = fc.integer({ min: 1, max: MAX_PARTS });

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({ type: kind('sync'), stateVector: blob }),
  fc.record({ type: kind('update'), counter, full: fc.boolean(), update: blob }),
  fc
    .record({ type: kind('part'), counter, full: fc.boolean(), index: fc.nat(), count, bytes: blob })
    .map((part) => ({ ...part, index: part.index % part.count })),
  fc.record({ type: kind('pull'), transfer: uint, index: uint }),
  fc.record({ type: kind('awareness'), update: blob }),
);
const entry = fc.oneof(fc.record({ seq: uint, update: blob }), fc.record({ seq: uint, counter }));
const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({
    type: kind('state'),
    transfer: uint,
    index: uint,
    count: uint,
    epoch: text,
    seq: uint,
    stateVector: blob,
    bytes: blob,
  }),
  fc.record({ type: kind('committed'), epoch: text, entries: fc.array(entry, { maxLength: 20 }) }),
  fc.record({ type: kind('saved'), counter: uint, epoch: text, seq: uint }),
  fc.record({
    type: kind('refused'),
    counter: uint,
    code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
    retryAfterMs: uint,
    detail: text,
  }),
  fc.record({ type: kind('gap'), counter: uint, stateVector: blob }),
  fc.record({ type: kind('reset'), reason: text }),
  fc.record({ type: kind('awareness'), update: blob }),
);

describe('whatever is sent', () => {
  test('is read as it was meant', () => {
    const meant = (decode: (frame: Uint8Array) => DocumentFrame) => (frame: DocumentFrame) => {
      expect(decode(encodeFrame(frame))).toEqual(frame);
    };
    fc.assert(fc.property(clientFrame, meant(decodeClientFrame)), { numRuns: 500 });
    fc.assert(fc.property(serverFrame, meant(decodeServerFrame)), { numRuns: 500 });
  });

  test('is a copy: neither the sender’s bytes nor what was sent since change it', () => {
    const update = bytes(1, 2, 3);
    const first = encodeFrame({ type: 'awareness', update });
    update.fill(9);
    encodeFrame({ type: 'awareness', update });
    expect([...first]).toEqual([4, 3, 1, 2, 3]);
  });

  test('[5] is a frame or malformed, and nothing else, once damaged', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const survives = (decode: (frame: Uint8Array) => DocumentFrame) => (frame: DocumentFrame, changes: [number, number][]) => {
      const wire = encodeFrame(frame);
      for (const [at, value] of changes) wire[at % wire.length] = value;
      const read = outcome(decode, wire);
      if (typeof read === 'string') expect(read).toBe('malformed-frame');
      else expect(decode(encodeFrame(read))).toEqual(read);
    };
    fc.assert(fc.property(clientFrame, damage, survives(decodeClientFrame)), { numRuns: 500 });
    fc.assert(fc.property(serverFrame, damage, survives(decodeServerFrame)), { numRuns: 500 });
    const anything = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(anything, (wire) => void outcome(decodeClientFrame, wire)),
      { numRuns: 1_000 },
    );
  });
});
