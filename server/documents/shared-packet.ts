import type { EncodedPacket } from '../sockets/encode-packet.ts';
import type { LogRecord } from '../storage/store.ts';

/** The packet that a run of records was last made into, for as long as somebody's queue holds it: who joins with others gets the same. */
export class SharedPacket {
  #last: { readonly first: LogRecord; readonly last: LogRecord; readonly packet: WeakRef<EncodedPacket> } | null = null;

  /** @param records at least one; the same objects where they come from memory, or from one read */
  of(records: readonly LogRecord[], encode: () => EncodedPacket): EncodedPacket {
    const [first, last] = [records[0] as LogRecord, records[records.length - 1] as LogRecord];
    const known = this.#last?.first === first && this.#last.last === last ? this.#last.packet.deref() : undefined;
    if (known !== undefined) return known;
    const packet = encode();
    this.#last = { first, last, packet: new WeakRef(packet) };
    return packet;
  }

  forget(): void {
    this.#last = null;
  }
}
