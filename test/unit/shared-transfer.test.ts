import { expect, test } from 'vitest';
import { sharedTransferOf } from '../../server/documents/shared-transfer.ts';
import type { EncodedPacket } from '../../server/sockets/encode-packet.ts';
import type { Snapshot } from '../../server/storage/store.ts';

const snapshot = (): Snapshot => ({ seq: 1, epoch: 'e', state: new Uint8Array(2), stateVector: new Uint8Array(1) });
const packet = (): EncodedPacket => ({ packets: [], webSocketFrames: Buffer.alloc(0), bytes: 0 });

test('all who join with nothing get one packet for a chunk, for as long as it tells the same state vector', () => {
  let number = 0;
  const whole = snapshot();
  const transfer = sharedTransferOf(whole, () => ++number);
  expect([sharedTransferOf(whole, () => ++number), number]).toEqual([transfer, 1]);
  expect(sharedTransferOf(snapshot(), () => ++number).id).toBe(2);

  const made: EncodedPacket[] = [];
  const encode = () => {
    made.push(packet());
    return made.at(-1) as EncodedPacket;
  };
  const first = transfer.packet(0, Uint8Array.of(1, 2), encode);
  expect(transfer.packet(0, Uint8Array.of(1, 2), encode)).toBe(first);
  // Somebody has typed meanwhile: whoever joins now must not be told that it has all of it.
  const second = transfer.packet(0, Uint8Array.of(1, 3), encode);
  expect([second === first, transfer.packet(0, Uint8Array.of(1, 3), encode) === second, made.length]).toEqual([false, true, 2]);
  transfer.packet(1, Uint8Array.of(1, 3), encode);
  expect(made).toHaveLength(3);
});
