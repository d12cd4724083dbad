import * as fc from 'fast-check';
import { Decoder, type Packet } from 'socket.io-parser';
import { expect, test } from 'vitest';
import { createBoundedParser } from '../../server/sockets/bounded-parser.ts';
import { nestsDeeperThan } from '../../server/sockets/json-depth.ts';
import { createManualClock } from '../support/manual-clock.ts';

const LIMITS = { maxAttachments: 2, attachmentTimeoutMs: 5_000, maxJsonDepth: 64 };

function startDecoder() {
  const clock = createManualClock();
  const { Decoder: BoundedDecoder } = createBoundedParser(LIMITS, clock);
  const decoder = new BoundedDecoder();
  const decoded: Packet[] = [];
  decoder.on('decoded', (packet) => decoded.push(packet));
  return { clock, decoder, decoded };
}

/** What Socket.IO closes the connection for: a packet for a namespace that nobody is in. */
const CLOSES = { type: 1, nsp: '' };

const nested = (depth: number): string => `2["e",${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}]`;

test('packets within the bounds are decoded as the stock parser does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.option(fc.nat(), { nil: undefined }), (data, id) => {
      const text = `2${id ?? ''}["e",${JSON.stringify(data)}]`;
      const { decoder, decoded } = startDecoder();
      const stock = new Decoder();
      const expected: Packet[] = [];
      stock.on('decoded', (packet) => expected.push(packet));
      stock.add(text);
      decoder.add(text);
      expect(decoded).toEqual(expected);
    }),
  );
});

test('three attachments are refused before the first comes, two are taken', () => {
  const { decoder, decoded } = startDecoder();
  expect(() => decoder.add('53-["e",{"_placeholder":true,"num":0}]')).toThrow();
  decoder.add('52-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  decoder.add(Buffer.of(1));
  decoder.add(Buffer.of(2));
  expect(decoded.map(({ data }) => data)).toEqual([['e', Buffer.of(1), Buffer.of(2)]]);
});

test('a connection whose attachments stay away is closed after 5 s', () => {
  const { clock, decoder, decoded } = startDecoder();
  decoder.add('52-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  decoder.add(Buffer.of(1));
  clock.advance(4_999);
  expect(decoded).toEqual([]);
  clock.advance(1);
  expect(decoded).toEqual([CLOSES]);
});

test('a connection whose answer lacks its attachments is closed as well', () => {
  const { clock, decoder, decoded } = startDecoder();
  decoder.add('61-7[{"_placeholder":true,"num":0}]');
  clock.advance(5_000);
  expect(decoded).toEqual([CLOSES]);
});

test('the deadline runs from each packet of its own: a busy and honest sender never meets it', () => {
  const { clock, decoder, decoded } = startDecoder();
  for (let second = 0; second < 60; second++) {
    decoder.add('51-["e",{"_placeholder":true,"num":0}]');
    clock.advance(999);
    decoder.add(Buffer.of(1));
    clock.advance(1);
  }
  expect(decoded).toHaveLength(60);
  expect(decoded).not.toContainEqual(CLOSES);
  decoder.add('51-["e",{"_placeholder":true,"num":0}]');
  clock.advance(5_000);
  expect(decoded.at(-1)).toEqual(CLOSES);
});

test('the deadline of a packet that was announced while another’s ran is its own: it is met neither sooner nor never', () => {
  const { clock, decoder, decoded } = startDecoder();
  decoder.add('51-["first",{"_placeholder":true,"num":0}]');
  decoder.add(Buffer.of(1));
  clock.advance(3_000);
  decoder.add('51-["second",{"_placeholder":true,"num":0}]');
  clock.advance(4_999);
  expect(decoded).toHaveLength(1);
  clock.advance(1);
  expect(decoded.slice(1)).toEqual([CLOSES]);
});

test('a decoder that is done leaves no timer', () => {
  const { clock, decoder } = startDecoder();
  decoder.add('51-["e",{"_placeholder":true,"num":0}]');
  decoder.destroy();
  expect(clock.armed).toBe(0);
});

test('64 levels of JSON are taken, 65 are malformed', () => {
  const { decoder, decoded } = startDecoder();
  decoder.add(nested(64));
  expect(decoded).toHaveLength(1);
  expect(() => decoder.add(nested(65))).toThrow(expect.objectContaining({ code: 'malformed-frame' }));
});

test('an event without a name is malformed', () => {
  const { decoder } = startDecoder();
  for (const text of ['2', '2/custom,', '27']) expect(() => decoder.add(text)).toThrow();
});

test('depth is that of the parsed value, whatever strings hold', () => {
  const depthOf = (value: unknown): number =>
    typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));
  const text = fc.stringMatching(/^[[\]{}"\\a]{0,20}$/);
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'large' },
      text,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(text, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.integer({ min: 0, max: 8 }), (value, limit) => {
      expect(nestsDeeperThan(JSON.stringify(value), limit)).toBe(depthOf(value) > limit);
    }),
    { numRuns: 2_000 },
  );
});
