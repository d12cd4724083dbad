import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { expect, test } from 'vitest';
import { type EncodedPacket, encodeAck, encodeEvent } from '../../server/sockets/encode-packet.ts';

interface FrameOptions {
  fin: boolean;
  opcode: number;
  mask: boolean;
  readOnly: boolean;
  rsv1: boolean;
}
const { Sender } = createRequire(import.meta.url)('ws') as {
  Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] };
};

/** What engine.io's WebSocket transport sends for the stock parser's packets. */
function stockBytes(parts: readonly (string | Uint8Array)[]): Buffer {
  const frames = parts.flatMap((part) =>
    Sender.frame(Buffer.from(typeof part === 'string' ? `4${part}` : part), {
      fin: true,
      opcode: typeof part === 'string' ? 1 : 2,
      mask: false,
      readOnly: false,
      rsv1: false,
    }),
  );
  return Buffer.concat(frames);
}

function expectStock(packet: EncodedPacket, type: PacketType, data: readonly unknown[], id?: number): void {
  const stock = new Encoder().encode({ type, nsp: '/', data: [...data], ...(id === undefined ? {} : { id }) });
  expect(packet.webSocketFrames.equals(stockBytes(stock))).toBe(true);
  expect(packet.packets.map((part) => (typeof part === 'string' ? part : Buffer.from(part)))).toEqual(
    stock.map((part: string | Uint8Array) => (typeof part === 'string' ? part : Buffer.from(part))),
  );
  expect(packet.bytes).toBe(packet.webSocketFrames.length);
}

const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }));

test('events and acks have, byte for byte, the frames that the stock parser and ws make', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(value, { maxLength: 4 }), fc.nat(), (name, args, id) => {
      expectStock(encodeEvent([name, ...args]), PacketType.EVENT, [name, ...args]);
      expectStock(encodeAck(id, args), PacketType.ACK, args, id);
    }),
    { numRuns: 500 },
  );
});

test.each([0, 1, 124, 125, 126, 127, 65_535, 65_536, 300_000])(
  'an attachment of %i bytes has the right length field',
  (length) => {
    const data = ['document', 'doc:a', new Uint8Array(length).fill(7)];
    expectStock(encodeEvent(data), PacketType.EVENT, data);
  },
);

test.each([115, 116, 117, 118, 119, 65_525, 65_526, 65_527, 65_528, 65_529, 100_000])(
  'a text of %i characters, some of them longer than a byte, has the right length field',
  (length) => {
    const data = ['e', `é${'x'.repeat(length - 1)}`];
    expectStock(encodeEvent(data), PacketType.EVENT, data);
  },
);

test('an attachment that is a view of a larger buffer travels alone, and later writes to it do not reach the packet', () => {
  const buffer = new Uint8Array(64).fill(1);
  const view = buffer.subarray(10, 20);
  const packet = encodeEvent(['document', 'doc:a', view]);
  const before = Buffer.from(packet.webSocketFrames);
  buffer.fill(9);
  expect(packet.webSocketFrames.equals(before)).toBe(true);
  expect(packet.packets[1]).toEqual(Buffer.alloc(10, 1));
});

test('the stock decoder reads what was encoded', () => {
  const decoder = new Decoder();
  const decoded: unknown[] = [];
  decoder.on('decoded', (packet) => decoded.push(packet.data));
  const data = ['document', 'doc:a', Buffer.of(1, 2, 3), { room: 'doc:a' }];
  for (const part of encodeEvent(data).packets) decoder.add(part);
  expect(decoded).toEqual([data]);
});

test('arguments that JSON cannot hold are refused by code', () => {
  const circle: unknown[] = [];
  circle.push(circle);
  expect(() => encodeEvent(['e', 1n])).toThrow(expect.objectContaining({ code: 'invalid-payload' }));
  expect(() => encodeEvent(['e', circle])).toThrow(expect.objectContaining({ code: 'invalid-payload' }));
});
