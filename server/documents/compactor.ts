import { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import type { LogRecord, Snapshot } from '../storage/store.ts';
import type { DocumentRoom } from './document-room.ts';
import { jobOf, readTail } from './load-document.ts';
import { setAside } from './set-aside.ts';
import { limitReached } from './worker/document-workers.ts';

export interface CompactorOptions {
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxRecords?: number | undefined;
  readonly keepBytes: number;
  readonly log: Record<'warn' | 'error' | 'debug', (fields: object, message: string) => void>;
  /** What came of a compaction. */
  counted(result: 'compacted' | 'failed' | 'quarantined'): void;
  /** Records were taken out of a document. */
  quarantined(document: DocumentRoom, records: readonly LogRecord[]): void;
}

// A machine that is busy for a minute must not cost anybody's work: what took too long is tried again later with far more time, twice,
// before time counts as a verdict.
const RETRY_MS = 60_000;
const PATIENCE = 6;
const LATE_ATTEMPTS = 3;

/**
 * Gives documents new snapshots, one at a time, off the event loop and without stopping writers; then cuts the log under the snapshot,
 * as far as retention allows. Where the log does not apply, the records to blame are set aside (`setAside`); where that cannot be told,
 * the document keeps its last good snapshot and its whole log.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #waiting = new Set<DocumentRoom>();
  /** Documents whose last compaction failed, and the head it failed at: not tried again until they have grown by half. */
  readonly #failed = new WeakMap<DocumentRoom, number>();
  /** How often in a row a document took too long. */
  readonly #late = new WeakMap<DocumentRoom, number>();
  readonly #retries = new Map<DocumentRoom, () => void>();
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Puts a document in line. */
  request(document: DocumentRoom): void {
    if (this.#closed || document.blocked || this.#retries.has(document)) return;
    const failedAt = this.#failed.get(document);
    if (failedAt !== undefined && document.room.head.seq < failedAt * 1.5) return;
    this.#enqueue(document);
  }

  /** Resolves when nothing is in line. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Takes no more, and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const document of this.#waiting) document.working -= 1;
    this.#waiting.clear();
    for (const [document, cancel] of this.#retries) {
      cancel();
      document.working -= 1;
    }
    this.#retries.clear();
    await this.#running;
  }

  #enqueue(document: DocumentRoom): void {
    // It stays in memory until its turn: what is known of it by then counts for the document that people write to.
    if (!this.#waiting.has(document)) document.working += 1;
    this.#waiting.add(document);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    for (const document of this.#waiting) {
      this.#waiting.delete(document);
      try {
        await this.#compact(document);
        this.#failed.delete(document);
        this.#late.delete(document);
      } catch (error) {
        await this.#judge(document, AshlarError.from(error));
      } finally {
        document.working -= 1;
      }
    }
  }

  async #judge(document: DocumentRoom, error: AshlarError): Promise<void> {
    const { log } = this.#options;
    const room = document.room.name;
    log.warn({ room, err: error }, 'document:compaction-failed');
    this.#options.counted('failed');
    const limit = error.code === 'document-damaged' ? limitReached(error) : null;
    const late = (this.#late.get(document) ?? 0) + (limit === 'time' ? 1 : 0);
    if (limit === 'time' && late < LATE_ATTEMPTS) {
      this.#late.set(document, late);
      this.#retryLater(document);
      return;
    }
    this.#late.delete(document);
    this.#failed.set(document, document.room.head.seq);
    // A document may need more memory than a thread has without anything being wrong with it.
    if (error.code !== 'document-damaged' || limit === 'memory') return;
    try {
      await this.#setAside(document, error.detail ?? 'it does not apply', limit === 'time');
    } catch (thrown) {
      log.error({ room, err: thrown }, 'document:quarantine-failed');
    }
  }

  async #setAside(document: DocumentRoom, reason: string, limitsCount: boolean): Promise<void> {
    const { clock, log } = this.#options;
    const records = await setAside(document, reason, { timeFactor: PATIENCE, limitsCount }, clock);
    if (records.length === 0) return;
    this.#failed.delete(document);
    const seqs = records.map(({ seq }) => seq);
    const userIds = [...new Set(records.map(({ userId }) => userId))];
    log.error({ room: document.room.name, seqs, userIds, reason }, 'document:quarantined');
    this.#options.counted('quarantined');
    this.#options.quarantined(document, records);
  }

  #retryLater(document: DocumentRoom): void {
    if (this.#closed) return;
    // It must stay in memory until then.
    document.working += 1;
    const cancel = this.#options.clock.after(RETRY_MS, () => {
      this.#retries.delete(document);
      document.working -= 1;
      this.#enqueue(document);
    });
    this.#retries.set(document, cancel);
  }

  async #compact(document: DocumentRoom): Promise<void> {
    const { room, ports } = document;
    const { clock, maxAgeMs, maxRecords, keepBytes, log } = this.#options;
    const { unvouched, nesting } = document;
    const { added } = nesting;
    // What is counted there and queued yet must be in what the worker sees.
    await room.settled();
    const tail = await readTail(document);
    const last = tail.records[tail.records.length - 1];
    if (last === undefined || room.deleted) return;
    const timeFactor = this.#late.has(document) ? PATIENCE : 1;
    const compacted = await ports.workers.compact(jobOf(tail), { timeFactor });
    const { state, stateVector } = compacted;
    const snapshot: Snapshot = { seq: last.seq, epoch: last.epoch, state, stateVector };
    if (room.deleted) return;
    await room.store.writeSnapshot(room.name, snapshot);
    document.compacted(snapshot, 0);
    nesting.measure(compacted.nesting, added);
    // What took more than its time has shown no good place.
    if (timeFactor === 1) document.vouchedFor(unvouched);
    this.#options.counted('compacted');
    const cut = await room.trim({
      before: clock.now() - maxAgeMs,
      keepBytes,
      upTo: snapshot.seq,
      ...(maxRecords === undefined ? {} : { maxRecords }),
    });
    log.debug(
      { room: room.name, seq: snapshot.seq, records: tail.records.length, bytes: state.length, cut },
      'document:compacted',
    );
  }
}
