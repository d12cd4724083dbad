import { existsSync } from 'node:fs';
import { link, realpath, rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { AshlarError } from '../../../shared/errors.ts';
import { copyDatabase } from './copy-database.ts';
import { dataFiles } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { storageError } from './storage-error.ts';
import { replaceFile, syncFile } from './sync-file.ts';
import { isSound, type Verification } from './verify.ts';

export interface BackupOptions {
  readonly dataDir: string;
  /** Where the backup goes. */
  readonly file: string;
  /** Whether a file that is there gives way. */
  readonly overwrite: boolean;
  /** Tells this backup's unfinished file from another's. */
  readonly processId: number;
}

export interface BackupOutcome {
  /** Where it is: `file`, or `<file>.damaged` where not everything in it is sound. */
  readonly file: string;
  readonly sound: boolean;
  readonly verification: Verification;
}

/**
 * Takes a backup of a data folder, whether a server uses it or not: SQLite lets another process read beside the writer, and the
 * folder's lock is on a file of its own. Nothing appears under `file` that was not read back whole and brought to disk.
 * @throws AshlarError `invalid-options` where there is no database, the file is there already, or is one of the data folder's own;
 *   `storage-full`, `storage-damaged`, `storage-unavailable`
 */
export async function backUp({ dataDir, file, overwrite, processId }: BackupOptions): Promise<BackupOutcome> {
  const Sqlite = await loadSqlite();
  await refuseOwnFiles(dataDir, file);
  if (!overwrite) refuseExisting(file);
  const unfinished = `${file}.${processId}.partial`;
  try {
    const { verification } = await copyDatabase(Sqlite, dataFiles(dataDir).database, unfinished);
    const sound = isSound(verification);
    // What is sound in a damaged database is worth keeping, but not in the place of a backup.
    if (!sound) await replaceFile(unfinished, `${file}.damaged`);
    else if (overwrite) await replaceFile(unfinished, file);
    else await placeNew(unfinished, file);
    return { file: sound ? file : `${file}.damaged`, sound, verification };
  } catch (thrown) {
    throw storageError(thrown);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Gives a file its name, unless something came there meanwhile. */
async function placeNew(from: string, to: string): Promise<void> {
  await syncFile(from);
  try {
    await link(from, to);
  } catch {
    refuseExisting(to);
    // A file system without links.
    return replaceFile(from, to);
  }
  await syncFile(dirname(to));
}

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new AshlarError('invalid-options', { detail: `${file} is there already: --force overwrites it` });
}

async function refuseOwnFiles(dataDir: string, file: string): Promise<void> {
  const realFolder = (path: string) => realpath(path).catch(() => resolve(path));
  const isInside = (await realFolder(dirname(file))) === (await realFolder(dataDir));
  if (isInside && basename(file).startsWith('ashlar.')) {
    throw new AshlarError('invalid-options', { detail: `${file} is one of the data folder's own files: choose another name` });
  }
}
