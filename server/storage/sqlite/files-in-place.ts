import { statSync } from 'node:fs';
import { AshlarError } from '../../../shared/errors.ts';
import type { Db } from './load-sqlite.ts';

/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** The files of an open database. Both calls are for outside of a transaction, and give the size of the write-ahead log in bytes. */
export interface WatchedFiles {
  /** Looks at all of them. @throws AshlarError `storage-unavailable` once they are not the files that they were */
  check(): number;
  /** Looks at the write-ahead log alone, right after a commit: the database's own file was looked at before it. @throws as `check` */
  checkLog(): number;
}

/**
 * Remembers the database's files, to notice when one is removed, replaced or cut under the open connection: SQLite would go on writing
 * into a file that has no name any more, or behind a hole, and the next start would not find what it wrote.
 */
export function watchFiles(db: Db): WatchedFiles {
  const database = db.name;
  const log = `${database}-wal`;
  const look = (file: string) => statSync(file, { throwIfNoEntry: false });
  const opened = { database: look(database)?.ino, log: look(log)?.ino };
  let logBytes = 0;
  const refuse = (file: string, what: string): never => {
    throw new AshlarError('storage-unavailable', { detail: `${file} was ${what} while in use: restart the server` });
  };
  const checkLog = (): number => {
    const found = look(log);
    if (found?.ino !== opened.log) refuse(log, 'removed or replaced');
    const size = found?.size ?? 0;
    // SQLite cuts it too, once nothing in it is needed any more.
    if (size < logBytes && size < bytesNeeded(db)) refuse(log, 'cut');
    logBytes = size;
    return size;
  };
  return {
    check() {
      if (look(database)?.ino !== opened.database) refuse(database, 'removed or replaced');
      return checkLog();
    },
    checkLog,
  };
}

/** How long the write-ahead log must be for what its index says is in it. */
function bytesNeeded(db: Db): number {
  const [{ log }] = db.pragma('wal_checkpoint(NOOP)') as [{ log: number }];
  const frameBytes = FRAME_HEADER_BYTES + (db.pragma('page_size', { simple: true }) as number);
  return log > 0 ? LOG_HEADER_BYTES + log * frameBytes : 0;
}
