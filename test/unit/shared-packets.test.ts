import { expect, test } from 'vitest';
import { SharedPackets } from '../../server/documents/shared-packets.ts';
import type { EncodedPacket } from '../../server/sockets/encode-packet.ts';
import type { LogRecord } from '../../server/storage/store.ts';

const records = Array.from({ length: 40 }, (_, index) => ({ seq: index + 1 }) as LogRecord);

/** A document's packets, of which each call tells whether it had to be made. */
function watched() {
  const packets = new SharedPackets();
  const held: EncodedPacket[] = [];
  return {
    packets,
    made(from: number, to: number): boolean {
      let made = false;
      const packet = packets.of(records.slice(from, to), () => {
        made = true;
        return {} as EncodedPacket;
      });
      held.push(packet);
      return made;
    },
  };
}

test('who return together, each at its place of what was missed, get packets that were made once', () => {
  const { made } = watched();
  for (let portion = 0; portion < 8; portion++) expect(made(portion * 5, portion * 5 + 5)).toBe(true);
  for (let member = 0; member < 3; member++) {
    for (let portion = 0; portion < 8; portion++) expect(made(portion * 5, portion * 5 + 5)).toBe(false);
  }
});

test('a portion that ends elsewhere is made anew', () => {
  const { made } = watched();
  expect(made(0, 5)).toBe(true);
  expect(made(0, 6)).toBe(true);
  expect(made(0, 6)).toBe(false);
});

test('what is forgotten is made anew: the same records may not be what they were', () => {
  const { made, packets } = watched();
  made(0, 5);
  packets.forget();
  expect(made(0, 5)).toBe(true);
});
