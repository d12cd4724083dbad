import type { LogRecord } from '../storage/store.ts';

/** The newest committed records of a room, bounded in bytes: most catch-ups need no disk. */
export class RecentRecords {
  readonly #capBytes: number;
  #records: LogRecord[] = [];
  #bytes = 0;
  #cleared = 0;

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  /** @param record the room's newest; its `seq` follows the last one added */
  add(record: LogRecord): void {
    // An array that grows by itself takes seventeen places for its first element, and most documents in memory have few records.
    if (this.#records.length === 0) this.#records = [record];
    else this.#records.push(record);
    this.#bytes += record.payload.length + 100;
    if (this.#bytes <= this.#capBytes) return;
    // Half goes at once, so that shifting costs a constant per record.
    let cut = 0;
    while (cut < this.#records.length - 1 && this.#bytes > this.#capBytes / 2) {
      this.#bytes -= (this.#records[cut] as LogRecord).payload.length + 100;
      cut++;
    }
    this.#records = this.#records.slice(cut);
  }

  /**
   * Keeps records that were read from disk, so that those who come next need no disk: where they reach up to the ones that are held, and fit.
   * @param head the `seq` of the room's newest record
   */
  prepend(records: readonly LogRecord[], head: number): void {
    const next = this.#records[0]?.seq ?? head + 1;
    if (records[records.length - 1]?.seq !== next - 1) return;
    let bytes = this.#bytes;
    for (const { payload } of records) bytes += payload.length + 100;
    if (bytes > this.#capBytes) return;
    this.#records = [...records, ...this.#records];
    this.#bytes = bytes;
  }

  /** Up to `limit` records after `seq`; null where they do not reach back that far. */
  after(seq: number, limit: number): readonly LogRecord[] | null {
    const first = this.#records[0];
    if (first === undefined || seq + 1 < first.seq) return null;
    const start = seq + 1 - first.seq;
    return this.#records.slice(start, start + limit);
  }

  /** The record at `seq`, where it is held. */
  at(seq: number): LogRecord | undefined {
    const first = this.#records[0];
    return first === undefined ? undefined : this.#records[seq - first.seq];
  }

  /** How often it was cleared: what was asked for before that is not kept any more. */
  get cleared(): number {
    return this.#cleared;
  }

  clear(): void {
    this.#cleared += 1;
    this.#records = [];
    this.#bytes = 0;
  }
}
