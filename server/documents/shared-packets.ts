import type { EncodedPacket } from '../sockets/encode-packet.ts';
import type { LogRecord } from '../storage/store.ts';

/** The packets that runs of records were last made into, for as long as somebody's queue holds them: who returns with others gets the same. */
export class SharedPackets {
  /** By first record: those who return together are at different portions of what they missed. Made when needed, since most documents have nobody who returns. */
  #runs: WeakMap<LogRecord, { readonly last: LogRecord; readonly packet: WeakRef<EncodedPacket> }> | null = null;

  /** @param records at least one; the same objects where they come from memory, or from one read */
  of(records: readonly LogRecord[], encode: () => EncodedPacket): EncodedPacket {
    const [first, last] = [records[0] as LogRecord, records[records.length - 1] as LogRecord];
    const run = this.#runs?.get(first);
    const known = run?.last === last ? run.packet.deref() : undefined;
    if (known !== undefined) return known;
    const packet = encode();
    this.#runs ??= new WeakMap();
    this.#runs.set(first, { last, packet: new WeakRef(packet) });
    return packet;
  }

  forget(): void {
    this.#runs = null;
  }
}
