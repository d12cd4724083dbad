import type { Clock } from '../clock.ts';
import { readAfter } from '../rooms/catch-up.ts';
import type { Snapshot } from '../storage/store.ts';
import type { DocumentRoom } from './document-room.ts';

export interface CompactorOptions {
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxRecords?: number | undefined;
  readonly keepBytes: number;
  readonly log: { warn(fields: object, message: string): void; debug(fields: object, message: string): void };
}

/**
 * Gives documents new snapshots, one at a time, off the event loop and without stopping writers; then cuts the log under the snapshot,
 * as far as retention allows. A document that cannot be compacted keeps its last good snapshot and its whole log.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #waiting = new Set<DocumentRoom>();
  /** Documents whose last compaction failed, and the head it failed at: not tried again until they have grown by half. */
  readonly #failed = new WeakMap<DocumentRoom, number>();
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Puts a document in line. */
  request(document: DocumentRoom): void {
    if (this.#closed) return;
    const failedAt = this.#failed.get(document);
    if (failedAt !== undefined && document.room.head.seq < failedAt * 1.5) return;
    this.#waiting.add(document);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when nothing is in line. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Takes no more, and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (const document of this.#waiting) {
      this.#waiting.delete(document);
      document.working += 1;
      try {
        await this.#compact(document);
        this.#failed.delete(document);
      } catch (error) {
        this.#failed.set(document, document.room.head.seq);
        this.#options.log.warn({ room: document.room.name, err: error }, 'document:compaction-failed');
      } finally {
        document.working -= 1;
      }
    }
  }

  async #compact(document: DocumentRoom): Promise<void> {
    const { room, ports } = document;
    const { clock, maxAgeMs, maxRecords, keepBytes, log } = this.#options;
    const { unvouched } = document;
    const before = await document.snapshot();
    const updates: Uint8Array[] = [];
    let position = { seq: before?.seq ?? 0, epoch: before?.epoch ?? room.store.epoch };
    const head = room.head.seq;
    while (position.seq < head) {
      const records = await readAfter(room, position.seq);
      const last = records[records.length - 1];
      if (last === undefined) break;
      for (const record of records) updates.push(record.payload);
      position = { seq: last.seq, epoch: last.epoch };
    }
    if (updates.length === 0 || room.deleted) return;
    const { state, stateVector } = await ports.workers.compact({ state: before?.state ?? null, updates });
    const snapshot: Snapshot = { ...position, state, stateVector };
    if (room.deleted) return;
    await room.store.writeSnapshot(room.name, snapshot);
    document.compacted(snapshot, 0);
    document.vouchedFor(unvouched);
    const cut = await room.store.trim(room.name, {
      before: clock.now() - maxAgeMs,
      keepBytes,
      upTo: snapshot.seq,
      ...(maxRecords === undefined ? {} : { maxRecords }),
    });
    if (cut > 0) await noteTrim(document);
    log.debug({ room: room.name, seq: snapshot.seq, records: updates.length, bytes: state.length, cut }, 'document:compacted');
  }
}

async function noteTrim(document: DocumentRoom): Promise<void> {
  const [first] = await document.room.store.read(document.room.name, { limit: 1 });
  document.room.trimmedTo = first === undefined ? document.room.head.seq : first.seq - 1;
}
