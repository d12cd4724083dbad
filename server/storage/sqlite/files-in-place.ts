import { statSync } from 'node:fs';
import { AshlarError } from '../../../shared/errors.ts';

/**
 * Remembers the database's files, to notice when one is removed or replaced under the open connection: SQLite would go on writing
 * into a file that has no name any more, and the next start would not find what it wrote.
 * @returns throws AshlarError `storage-unavailable` once they are not the same files
 */
export function watchFiles(path: string): () => void {
  const files = [path, `${path}-wal`];
  const inodeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.ino;
  const opened = files.map(inodeOf);
  return () => {
    const index = files.findIndex((file, each) => inodeOf(file) !== opened[each]);
    if (index === -1) return;
    throw new AshlarError('storage-unavailable', {
      detail: `${files[index]} was removed or replaced while in use: restart the server`,
    });
  };
}
