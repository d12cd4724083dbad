import { expect, test } from 'vitest';
import { type DocumentFrame, decodeClientFrame, decodeServerFrame, encodeFrame } from '../../shared/document-frame.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

const CLIENT_FRAMES: readonly DocumentFrame[] = [
  { type: 'sync', stateVector: bytes(0) },
  { type: 'update', counter: 1, full: false, update: bytes(1, 2, 3) },
  { type: 'update', counter: 2 ** 40, full: true, update: bytes() },
  { type: 'part', counter: 3, full: false, index: 2, count: 3, bytes: bytes(9) },
  { type: 'pull', transfer: 7, index: 300 },
  { type: 'awareness', update: bytes(1, 7, 1, 2, 0x7b, 0x7d) },
];

const SERVER_FRAMES: readonly DocumentFrame[] = [
  { type: 'state', transfer: 7, index: 0, count: 2, epoch: 'e', seq: 5, stateVector: bytes(0), bytes: bytes(4) },
  {
    type: 'committed',
    epoch: 'e',
    entries: [
      { seq: 6, counter: 1 },
      { seq: 7, update: bytes(5, 6) },
    ],
  },
  { type: 'saved', counter: 8, epoch: 'e', seq: 7 },
  { type: 'refused', counter: 9, code: 'read-only', retryAfterMs: 20, detail: 'why' },
  { type: 'gap', counter: 9, stateVector: bytes(0) },
  { type: 'reset', reason: 'gone' },
  { type: 'awareness', update: bytes(1, 7, 1, 2, 0x7b, 0x7d) },
];

const CASES = [
  ...CLIENT_FRAMES.map((frame) => ['client', frame, decodeClientFrame] as const),
  ...SERVER_FRAMES.map((frame) => ['server', frame, decodeServerFrame] as const),
].map(([side, frame, decode]) => ({ side, frame, decode, name: frame.type }));
const malformed = expect.objectContaining({ code: 'malformed-frame' });

test.each(CASES)('$name of a $side is read as it was written', ({ frame, decode }) => {
  expect(decode(encodeFrame(frame))).toEqual(frame);
});

test.each(CASES)('[5] $name of a $side is malformed where it ends early or goes on', ({ frame, decode }) => {
  const whole = encodeFrame(frame);
  for (let length = 0; length < whole.length; length++) expect(() => decode(whole.slice(0, length))).toThrow(malformed);
  expect(() => decode(Uint8Array.of(...whole, 0))).toThrow(malformed);
});

test('[5] a field never reaches beyond its frame into the buffer around it', () => {
  const pooled = new Uint8Array(100).fill(7);
  pooled.set([0, 50], 10);
  expect(() => decodeClientFrame(pooled.subarray(10, 20))).toThrow(malformed);
});

test.each([
  ['an unknown type', bytes(99, 0)],
  ['a frame that only servers send', encodeFrame({ type: 'reset', reason: 'gone' })],
  ['counter 0', bytes(1, 0, 0, 0)],
  ['unknown flags', bytes(1, 1, 2, 0)],
  ['part 3 of 3', encodeFrame({ type: 'part', counter: 1, full: false, index: 3, count: 3, bytes: bytes(1) })],
  ['no parts', encodeFrame({ type: 'part', counter: 1, full: false, index: 0, count: 0, bytes: bytes(1) })],
  [
    'more parts than a transfer has',
    encodeFrame({ type: 'part', counter: 1, full: false, index: 0, count: 4_097, bytes: bytes(1) }),
  ],
])('[5] %s is malformed', (_, frame) => {
  expect(() => decodeClientFrame(frame)).toThrow(malformed);
});
