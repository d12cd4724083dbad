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
// A document is written anew as a whole: where people write to it without pause, that may take this share of a thread's time. So a large
// document costs no more than a small one, and its tail is a little longer.
const SHARE_OF_TIME = 1 / 20;

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
  /** By the monotonic clock: when a document may have another snapshot that can wait. */
  readonly #restUntil = new WeakMap<DocumentRoom, number>();
  readonly #resting = new Map<DocumentRoom, () => void>();
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Puts a document in line. @param canWait it may rest first, by what its last snapshot took */
  request(document: DocumentRoom, canWait = false): void {
    if (this.#closed || document.blocked || this.#retries.has(document)) return;
    const failedAt = this.#failed.get(document);
    if (failedAt !== undefined && document.room.head.seq < failedAt * 1.5) return;
    const wait = canWait ? (this.#restUntil.get(document) ?? 0) - this.#options.clock.monotonic() : 0;
    if (wait <= 0) this.#enqueue(document);
    else if (!this.#resting.has(document)) this.#later(this.#resting, document, wait);
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
    for (const later of [this.#retries, this.#resting]) for (const document of later.keys()) this.#cancel(later, document);
    await this.#running;
  }

  #enqueue(document: DocumentRoom): void {
    this.#cancel(this.#resting, document);
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
      document.compacting = true;
      try {
        await this.#compact(document);
        this.#failed.delete(document);
        this.#late.delete(document);
      } catch (error) {
        await this.#judge(document, AshlarError.from(error));
      } finally {
        document.compacting = false;
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
      this.#later(this.#retries, document, RETRY_MS);
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

  #later(waiting: Map<DocumentRoom, () => void>, document: DocumentRoom, ms: number): void {
    if (this.#closed) return;
    // It must stay in memory until then.
    document.working += 1;
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancel(waiting, document);
      this.#enqueue(document);
    });
    waiting.set(document, cancel);
  }

  #cancel(waiting: Map<DocumentRoom, () => void>, document: DocumentRoom): void {
    const cancel = waiting.get(document);
    if (cancel === undefined) return;
    cancel();
    waiting.delete(document);
    document.working -= 1;
  }

  async #compact(document: DocumentRoom): Promise<void> {
    const { room, ports } = document;
    const { clock, maxAgeMs, maxRecords, keepBytes, log } = this.#options;
    const { places, nesting } = document;
    const [items, levels] = [places.added, nesting.added];
    // What is counted there and queued yet must be in what the worker sees.
    await room.settled();
    const tail = await readTail(document);
    const last = tail.records[tail.records.length - 1];
    if (last === undefined || room.deleted) return;
    const timeFactor = this.#late.has(document) ? PATIENCE : 1;
    const compacted = await ports.workers.compact(jobOf(tail), { timeFactor });
    this.#restUntil.set(document, clock.monotonic() + compacted.tookMs / SHARE_OF_TIME);
    const { state, stateVector } = compacted;
    const snapshot: Snapshot = { seq: last.seq, epoch: last.epoch, state, stateVector };
    if (room.deleted) return;
    await room.store.writeSnapshot(room.name, snapshot);
    nesting.measure(compacted.nesting, levels);
    // What took more than its time has shown no good place.
    if (timeFactor === 1) places.provenFor(items);
    document.compacting = false;
    document.compacted(snapshot, 0);
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
