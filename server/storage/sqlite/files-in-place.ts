import { statSync } from 'node:fs';
import { AshlarError } from '../../../shared/errors.ts';
import type { Db } from './load-sqlite.ts';

/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Remembers the database's files, to notice when one is removed, replaced or cut under the open connection: SQLite would go on writing
 * into a file that has no name any more, or behind a hole, and the next start would not find what it wrote.
 * @returns gives the size of the write-ahead log, since it looks at it anyway. To be called outside of a transaction. It throws AshlarError
 *   `storage-unavailable` once they are not the files that they were
 */
export function watchFiles(db: Db): () => number {
  const files = [db.name, `${db.name}-wal`];
  const look = (file: string) => statSync(file, { throwIfNoEntry: false });
  const opened = files.map((file) => look(file)?.ino);
  let logBytes = 0;
  const refuse = (file: string | undefined, what: string): never => {
    throw new AshlarError('storage-unavailable', { detail: `${file} was ${what} while in use: restart the server` });
  };
  return () => {
    const found = files.map(look);
    const index = found.findIndex((file, each) => file?.ino !== opened[each]);
    if (index !== -1) refuse(files[index], 'removed or replaced');
    const size = found[1]?.size ?? 0;
    // SQLite cuts it too, once nothing in it is needed any more.
    if (size < logBytes && size < bytesNeeded(db)) refuse(files[1], 'cut');
    logBytes = size;
    return size;
  };
}

/** How long the write-ahead log must be for what its index says is in it. */
function bytesNeeded(db: Db): number {
  const [{ log }] = db.pragma('wal_checkpoint(NOOP)') as [{ log: number }];
  const frameBytes = FRAME_HEADER_BYTES + (db.pragma('page_size', { simple: true }) as number);
  return log > 0 ? LOG_HEADER_BYTES + log * frameBytes : 0;
}
