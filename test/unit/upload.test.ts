import { expect, test } from 'vitest';
import { framesOf, Upload } from '../../client/documents/upload.ts';
import { decodeClientFrame } from '../../shared/document-frame.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const update = (bytes: number, counter = 1) =>
  ({ type: 'update', counter, full: false, update: new Uint8Array(bytes).fill(7) }) as const;

test('an update that just fits is one frame, and one byte more makes two parts, which together are all of it', () => {
  expect(framesOf(update(936), 1_000)).toEqual([update(936)]);
  const parts = framesOf(update(937, 4), 1_000);
  expect(parts).toMatchObject([
    { type: 'part', counter: 4, index: 0, count: 2 },
    { type: 'part', counter: 4, index: 1, count: 2 },
  ]);
  expect(parts.map((part) => (part.type === 'part' ? part.bytes.length : 0))).toEqual([936, 1]);
});

test('a line that is busy takes nothing more until it has room, in order, and nothing of before once all was forgotten', () => {
  const time = new SimulatedTime();
  const sent: number[] = [];
  let backlog = 0;
  const upload = new Upload({
    send: (frame) => {
      const decoded = decodeClientFrame(frame);
      if ('counter' in decoded) sent.push(decoded.counter);
      backlog += 200_000;
    },
    backlogBytes: () => backlog,
    frameBytes: () => 256_000,
    env: { after: time.after.bind(time) },
  });
  for (let counter = 1; counter <= 4; counter++) upload.push(update(10, counter));
  expect(sent, 'up to 256 kB wait in the transport').toEqual([1, 2]);
  time.advance(1_000);
  expect(sent).toEqual([1, 2]);
  backlog = 100_000;
  time.advance(25);
  expect(sent).toEqual([1, 2, 3]);
  upload.clear();
  backlog = 0;
  time.advance(1_000);
  expect([sent, time.armed]).toEqual([[1, 2, 3], 0]);
  upload.push(update(10, 9));
  expect(sent).toEqual([1, 2, 3, 9]);
});
