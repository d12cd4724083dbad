import { statSync } from 'node:fs';
import { AshlarError } from '../../../shared/errors.ts';

/**
 * Remembers the database's files, to notice when one is removed or replaced under the open connection: SQLite would go on writing
 * into a file that has no name any more, and the next start would not find what it wrote.
 * @returns gives the size of the write-ahead log, since it looks at it anyway; throws AshlarError `storage-unavailable` once they are
 *   not the same files
 */
export function watchFiles(path: string): () => number {
  const files = [path, `${path}-wal`];
  const look = (file: string) => statSync(file, { throwIfNoEntry: false });
  const opened = files.map((file) => look(file)?.ino);
  return () => {
    const found = files.map(look);
    const index = found.findIndex((file, each) => file?.ino !== opened[each]);
    if (index === -1) return found[1]?.size ?? 0;
    throw new AshlarError('storage-unavailable', {
      detail: `${files[index]} was removed or replaced while in use: restart the server`,
    });
  };
}
