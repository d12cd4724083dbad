import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { backUp } from './backup.ts';
import { dataFiles } from './data-folder.ts';
import { HEADER_BYTES, migratedFrom } from './schema.ts';
import type { StoreLog } from './worker-link.ts';

/**
 * Copies a database that this version is about to migrate, reads the copy whole, and brings it to disk: beside the database, as
 * `schema-<its version>-backup.db` (with `.damaged` behind it where not all of it is sound: then it is as good as the original). Whoever
 * wants to go back to the older Ashlar puts it in place with `ashlar restore`. Does nothing where there is nothing to migrate.
 * @throws AshlarError `storage-full` where there is no room for it: then nothing was migrated
 */
export async function backUpBeforeMigration(dataDir: string, log: StoreLog | undefined): Promise<void> {
  const { database } = dataFiles(dataDir);
  const version = migratedFrom(await readHeader(database));
  if (version === null) return;
  const { file, sound } = await backUp({
    dataDir,
    file: join(dataDir, `schema-${version}-backup.db`),
    overwrite: true,
    // The folder's lock is held: what is there under this name a killed start left, and gives way. Else each would leave one more.
    processId: 0,
  });
  if (sound) log?.info({ file, schema: version }, 'storage:backed-up-before-migration');
  else log?.error({ file, schema: version }, 'storage:damage-before-migration');
}

/** The file's first bytes: no connection is opened, which would take what lies in a write-ahead log beside it. */
async function readHeader(database: string): Promise<Uint8Array> {
  const header = new Uint8Array(HEADER_BYTES);
  try {
    const file = await open(database);
    try {
      const { bytesRead } = await file.read(header, 0, HEADER_BYTES);
      return header.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // There is none, or the writer will say what is wrong with it.
    return header.subarray(0, 0);
  }
}
