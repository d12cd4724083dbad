import { existsSync, statSync } from 'node:fs';
import { AshlarError } from '../../../shared/errors.ts';
import { makePrivateFile } from './data-folder.ts';
import type { Db, Sqlite } from './load-sqlite.ts';
import { checkSchema, isEmpty, migrate } from './schema.ts';
import { damaged, storageError } from './storage-error.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** A backup that is being taken holds the WAL while it copies (0.2 GB take 1 s): a start waits for it. */
const START_TIMEOUT_MS = 30_000;
const FULL = 2;

/**
 * The connection that writes; creates and migrates the file.
 * @param maxPages for tests of a full disk
 * @throws AshlarError `storage-damaged` | `storage-unavailable` | `storage-full`; then the file is as it was
 */
export function openForWriting(Sqlite: Sqlite, path: string, maxPages?: number): Db {
  inspect(Sqlite, path);
  makePrivateFile(path);
  const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma('synchronous = FULL');
    db.pragma('journal_mode = WAL');
    // A large snapshot lets the WAL grow; afterwards it shrinks to this.
    db.pragma('journal_size_limit = 67108864');
    harden(db);
    db.pragma(`busy_timeout = ${START_TIMEOUT_MS}`);
    checkpoint(db);
    db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // What positions are sealed with must outlive a write-ahead log that is lost.
    if (migrate(db)) checkpoint(db);
    if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`);
    return db;
  } catch (error) {
    db.close();
    throw storageError(error);
  }
}

/** A connection that reads beside the writer and sees each commit once it is done. @throws AshlarError `storage-unavailable` */
export function openForReading(Sqlite: Sqlite, path: string): Db {
  const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, readonly: true });
  try {
    db.pragma('synchronous = FULL');
    db.pragma('query_only = ON');
    harden(db);
    return db;
  } catch (error) {
    db.close();
    throw storageError(error);
  }
}

/**
 * A connection to any Ashlar database, to look at it and not change it: that of a data folder, also while a server runs, or a backup.
 * What lies in a write-ahead log beside it counts.
 * @throws AshlarError `invalid-options` where there is no such file; `storage-damaged`; `storage-unavailable` where it is another
 *   program's or a newer Ashlar's
 */
export function openForInspection(Sqlite: Sqlite, path: string): Db {
  let db: Db | undefined;
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      throw new AshlarError('invalid-options', { detail: `there is no database at ${path}` });
    }
    db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, readonly: true });
    db.pragma('query_only = ON');
    db.pragma('cell_size_check = ON');
    db.pragma('trusted_schema = OFF');
    checkSchema(db);
    if (isEmpty(db)) throw damaged(`${path} is empty`);
    return db;
  } catch (error) {
    db?.close();
    throw storageError(error);
  }
}

/**
 * Writes and syncs the WAL's pages into the database and empties the WAL. What could be read before may have come from the page
 * cache alone (after a failed sync, and after a crash); what can be read afterwards is on disk.
 * @throws AshlarError `storage-unavailable` | `storage-full`
 */
export function checkpoint(db: Db): void {
  const [outcome] = db.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: number }];
  if (outcome.busy !== 0) {
    throw new AshlarError('storage-unavailable', { detail: 'the log could not be written through: it is being read' });
  }
}

/**
 * Writes the database anew, so that neither free pages nor the gaps within pages hold what was deleted, and empties the write-ahead log,
 * which holds older pages. Takes as much room again, in the write-ahead log and in the system's folder of temporary files, while it runs.
 * @throws AshlarError `storage-unavailable` | `storage-full`
 */
export function rewrite(db: Db): void {
  // Memory would have to hold the whole database.
  db.pragma('temp_store = FILE');
  try {
    db.exec('VACUUM');
  } finally {
    db.pragma('temp_store = MEMORY');
  }
  checkpoint(db);
}

function harden(db: Db): void {
  db.pragma('cache_size = -32000');
  db.pragma('temp_store = MEMORY');
  db.pragma('cell_size_check = ON');
  db.pragma('trusted_schema = OFF');
  // better-sqlite3 is built with DEFAULT_WAL_SYNCHRONOUS=1: a WAL database that is opened again syncs no commit unless told to,
  // on every connection. So nothing is believed that was not read back.
  const synchronous = db.pragma('synchronous', { simple: true });
  const journal = db.pragma('journal_mode', { simple: true });
  if (synchronous !== FULL || journal !== 'wal') {
    throw new AshlarError('storage-unavailable', {
      detail: `commits would not be durable here (synchronous=${synchronous}, journal_mode=${journal})`,
    });
  }
}

/** Looks at a file that is there through a connection that cannot change it. */
function inspect(Sqlite: Sqlite, path: string): void {
  const hasContent = existsSync(path) && statSync(path).size > 0;
  const hasLog = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
  // SQLite would throw that WAL away and start empty.
  if (!hasContent && hasLog) throw damaged(`${path} is missing or empty, but its write-ahead log is there`);
  if (!hasContent) return;
  const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, readonly: true });
  try {
    checkSchema(db);
  } catch (error) {
    throw storageError(error);
  } finally {
    db.close();
  }
}
