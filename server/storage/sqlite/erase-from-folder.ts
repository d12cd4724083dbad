import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Erasure } from '../store.ts';
import { openForInspection } from './connection.ts';
import { dataFiles } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { openSqliteStore } from './sqlite-store.ts';

/**
 * Erases a user from a data folder that no server is using.
 * @returns with what went: the copies in the folder that a restore or an upgrade kept, which still hold the user
 * @throws AshlarError `storage-locked` where a server uses the folder; `invalid-options` where there is no database; as `Store.eraseUser`
 */
export async function eraseFromFolder(
  dataDir: string,
  userId: string,
  clock: Clock,
): Promise<{ erasure: Erasure; olderCopies: readonly string[] }> {
  // Looked for first: opening the store would make one.
  openForInspection(await loadSqlite(), dataFiles(dataDir).database).close();
  const store = await openSqliteStore({ dataDir, clock });
  try {
    const erasure = await store.eraseUser(userId);
    const names = await readdir(dataDir);
    return { erasure, olderCopies: names.filter(isOlderCopy).map((name) => join(dataDir, name)) };
  } finally {
    await store.close();
  }
}

/** What `restore` and `backUpBeforeMigration` leave beside the database, and what a backup into the folder left that was killed. */
function isOlderCopy(name: string): boolean {
  return name.startsWith('replaced-') || /^schema-\d+-backup\.db(\.damaged)?$/.test(name) || /\.\d+\.partial$/.test(name);
}
