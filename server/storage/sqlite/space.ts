import type { StoreSpace } from '../store.ts';
import { checkpoint } from './connection.ts';
import type { Db } from './load-sqlite.ts';

/** Once full, so much of the quota must be free before writing goes on: otherwise each record that leaves would let one in. */
const FREE_AGAIN = 0.02;
/** Smaller changes are not told. */
const TELL_EVERY = 1_048_576;

/** Limits of what is stored. */
export interface Quota {
  /** Bytes of database and write-ahead log from which on the store is full. */
  readonly bytes: number;
  /** Part of it at which operators are told. */
  readonly warnAt: number;
}

/** What the writer knows of the room it has. */
export interface SpaceMeter {
  readonly full: boolean;
  /** Bytes that the database holds, without its write-ahead log. Within a transaction it costs least: no other is begun for it. */
  stored(): number;
  /**
   * To be called after each commit.
   * @param walBytes size of the write-ahead log
   * @param stored what `stored` gave. Default: asked now
   * @returns whether it has begun to write the log through, to empty it
   */
  measure(walBytes: number, stored?: number): boolean;
}

/**
 * Measures a database by its own counts of pages: no file is looked at. Pages that a deletion has freed count as free, though the file
 * keeps its size: the next records go there.
 * @param tell told at the start, when the store becomes full or is so no more, and after each MiB between
 */
export function createSpaceMeter(db: Db, quota: Quota | undefined, tell: (space: StoreSpace) => void): SpaceMeter {
  const pageSize = db.pragma('page_size', { simple: true }) as number;
  const pages = db.prepare('PRAGMA page_count').pluck();
  const freePages = db.prepare('PRAGMA freelist_count').pluck();
  let told: StoreSpace | undefined;
  let full = false;

  const storedBytes = () => ((pages.get() as number) - (freePages.get() as number)) * pageSize;
  const limit = () => (quota === undefined ? Number.POSITIVE_INFINITY : full ? quota.bytes * (1 - FREE_AGAIN) : quota.bytes);
  const warning = quota === undefined ? Number.POSITIVE_INFINITY : quota.bytes * quota.warnAt;

  return {
    get full() {
      return full;
    },
    stored: storedBytes,
    measure(walBytes, stored = storedBytes()) {
      let bytes = stored + walBytes;
      // Only the write-ahead log is in the way: it is written through and emptied, unless somebody is reading it.
      const inTheWay = [warning, limit()].some((mark) => bytes >= mark && stored < mark);
      if (inTheWay && emptyLog(db)) bytes = stored;
      const wasFull = full;
      full = bytes >= limit();
      const step = Math.min(TELL_EVERY, (quota?.bytes ?? Number.POSITIVE_INFINITY) / 100);
      if (told !== undefined && full === wasFull && Math.abs(bytes - told.bytes) < step) return inTheWay;
      told = { bytes, quota: quota?.bytes ?? null, full };
      tell(told);
      return inTheWay;
    },
  };
}

/** Waits for nobody. @returns whether the write-ahead log is empty */
function emptyLog(db: Db): boolean {
  const timeout = db.pragma('busy_timeout', { simple: true }) as number;
  db.pragma('busy_timeout = 0');
  try {
    checkpoint(db);
    return true;
  } catch {
    // It stays as it is, every commit in it on disk; the next commit tries again.
    return false;
  } finally {
    db.pragma(`busy_timeout = ${timeout}`);
  }
}
