import type { EncodedPacket } from '../sockets/encode-packet.ts';
import type { Snapshot } from '../storage/store.ts';

interface Chunk {
  readonly stateVector: Uint8Array;
  /** Weak: it lives for as long as some receiver's queue holds it, and a document that nobody joins keeps one copy of its bytes. */
  readonly packet: WeakRef<EncodedPacket>;
}

/** The transfer of a whole snapshot: all who join with nothing get the same packets. */
export class SharedTransfer {
  /** The transfer's number on the wire: one for all of its receivers. */
  readonly id: number;
  readonly #chunks = new Map<number, Chunk>();

  constructor(id: number) {
    this.id = id;
  }

  /** A chunk's packet, encoded unless somebody's queue still holds it. @param stateVector the server's, which the chunk brings */
  packet(index: number, stateVector: Uint8Array, encode: () => EncodedPacket): EncodedPacket {
    const chunk = this.#chunks.get(index);
    const known = chunk === undefined || Buffer.compare(chunk.stateVector, stateVector) !== 0 ? undefined : chunk.packet.deref();
    if (known !== undefined) return known;
    const packet = encode();
    this.#chunks.set(index, { stateVector, packet: new WeakRef(packet) });
    return packet;
  }
}

const transfers = new WeakMap<Snapshot, SharedTransfer>();

/** A snapshot's transfer. @param nextId draws the number of a new one */
export function sharedTransferOf(snapshot: Snapshot, nextId: () => number): SharedTransfer {
  const known = transfers.get(snapshot);
  if (known !== undefined) return known;
  const transfer = new SharedTransfer(nextId());
  transfers.set(snapshot, transfer);
  return transfer;
}
