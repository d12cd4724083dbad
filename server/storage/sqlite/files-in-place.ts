import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AshlarError } from '../../../shared/errors.ts';
import { dataFiles } from './data-folder.ts';
import type { Db } from './load-sqlite.ts';
import { storageError } from './storage-error.ts';

/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says in which byte order the checksums are. */
const LOG_MAGIC = 0x377f0682;

/** The files of an open database. All calls are for outside of a transaction. */
export interface WatchedFiles {
  /**
   * Looks at all of them, before anything is written.
   * @returns bytes of the write-ahead log
   * @throws AshlarError `storage-unavailable` once they are not the files that they were, or something else wrote into them
   */
  check(): number;
  /** Looks at them right after a commit, which may have written into both. @returns and throws as `check` */
  checkCommitted(): number;
  /** Something of ours other than a commit wrote into them: a checkpoint, or what failed half way. */
  wrote(): void;
  close(): void;
}

/** What SQLite says that it has written: it knows from its index of the write-ahead log, in a third file. */
interface Progress {
  readonly frames: number;
  readonly writtenThrough: number;
  /** Changes when the log begins anew. */
  readonly header: string;
}

/**
 * Remembers the database's files, to notice when one is removed, replaced, cut or written over under the open connection: SQLite would go on
 * writing into a file that has no name any more, behind a hole, or beside another database's pages, and the next start would not find what it
 * wrote. Whoever writes by SQLite is known by its index; who changes a file and not that does not.
 */
export function watchFiles(db: Db): WatchedFiles {
  const database = db.name;
  const log = `${database}-wal`;
  const { lock } = dataFiles(dirname(database));
  const look = (file: string) => statSync(file, { throwIfNoEntry: false });
  const opened = { database: look(database)?.ino, log: look(log)?.ino, lock: look(lock)?.ino };
  // SQLite holds no lock on this one, which closing another handle to it would drop: those are on the other two.
  const logFile = opened.log === undefined ? undefined : openSync(log, 'r');
  const index = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  const refuse = (file: string, what: string): never => {
    throw new AshlarError('storage-unavailable', { detail: `${file} was ${what} while in use: restart the server` });
  };
  const frameBytes = FRAME_HEADER_BYTES + (db.pragma('page_size', { simple: true }) as number);
  const checkpointAt = db.pragma('wal_autocheckpoint', { simple: true }) as number;
  const ask = () => index.get() as { log: number; checkpointed: number };
  /** How long the write-ahead log must be for what its index says is in it. */
  const bytesNeeded = (frames: number) => (frames > 0 ? LOG_HEADER_BYTES + frames * frameBytes : 0);
  const progressOf = (logBytes: number): Progress => {
    const { log: frames, checkpointed } = ask();
    return { frames, writtenThrough: checkpointed, header: logFile === undefined || logBytes === 0 ? '' : readHeader(logFile) };
  };

  /** The files, unless one of them is another by now, or was cut. */
  const find = (): { database: Stats | undefined; log: Stats | undefined } => {
    const found = { database: look(database), log: look(log) };
    if (found.database?.ino !== opened.database) refuse(database, 'removed or replaced');
    if (found.log?.ino !== opened.log) refuse(log, 'removed or replaced');
    const size = found.log?.size ?? 0;
    // SQLite cuts it too, once nothing in it is needed any more.
    if (size < (known?.log?.size ?? 0) && size < bytesNeeded(ask().log)) refuse(log, 'cut');
    return found;
  };
  let known: (ReturnType<typeof find> & { progress: Progress }) | undefined;
  const remember = (found: ReturnType<typeof find>, progress = progressOf(found.log?.size ?? 0)): number => {
    known = { ...found, progress };
    return found.log?.size ?? 0;
  };

  return {
    check() {
      const found = find();
      if (known === undefined) return remember(found);
      const databaseChanged = isChanged(found.database, known.database);
      if (!databaseChanged && !isChanged(found.log, known.log)) return found.log?.size ?? 0;
      // Another process that has the folder too; that the lock was removed hurts nobody before one makes it anew.
      const other = opened.lock === undefined ? undefined : look(lock)?.ino;
      if (other !== undefined && other !== opened.lock) refuse(lock, 'replaced');
      // Another connection's commit is in the file before it is in the index: nobody is about one while this one has the right to write.
      waitForOthers(db);
      const settled = find();
      const progress = progressOf(settled.log?.size ?? 0);
      const { frames, writtenThrough } = known.progress;
      if (progress.frames === frames && progress.writtenThrough === writtenThrough) {
        refuse(databaseChanged ? database : log, 'written over');
      }
      return remember(settled, progress);
    },
    checkCommitted() {
      const found = find();
      const progress = progressOf(found.log?.size ?? 0);
      if (progress.header !== '' && !isLogHeader(progress.header)) refuse(log, 'written over');
      // A checkpoint that SQLite begins by itself, with the commit, may fail half way: then only its pages tell of it.
      const writtenThrough =
        known === undefined ||
        progress.frames >= checkpointAt ||
        progress.writtenThrough !== known.progress.writtenThrough ||
        progress.header !== known.progress.header;
      if (!writtenThrough && isChanged(found.database, known?.database)) refuse(database, 'written over');
      return remember(found, progress);
    },
    wrote: () => void remember({ database: look(database), log: look(log) }),
    close() {
      if (logFile !== undefined) closeSync(logFile);
    },
  };
}

/** @throws what SQLite says where another connection goes on writing, or the disk fails */
function waitForOthers(db: Db): void {
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
  } catch (error) {
    // What cannot even be begun any more is no commit of another.
    if (storageError(error).code !== 'storage-damaged') throw error;
  }
}

/** Windows may tell of a write only once the file is closed, and then its own writes would pass for another's: there the size alone counts. */
const TIMES_ARE_PROMPT = process.platform !== 'win32';

function isChanged(found: Stats | undefined, known: Stats | undefined): boolean {
  return (TIMES_ARE_PROMPT && found?.mtimeMs !== known?.mtimeMs) || found?.size !== known?.size;
}

function readHeader(file: number): string {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  readSync(file, header, 0, LOG_HEADER_BYTES, 0);
  return header.toString('latin1');
}

function isLogHeader(header: string): boolean {
  return (Buffer.from(header, 'latin1').readUInt32BE(0) & ~1) === LOG_MAGIC;
}
