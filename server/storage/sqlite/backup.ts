import { existsSync, statSync } from 'node:fs';
import { link, readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AshlarError } from '../../../shared/errors.ts';
import { copyDatabase } from './copy-database.ts';
import { dataFiles, lockDataFolder } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { storageError } from './storage-error.ts';
import { replaceFile, syncFile } from './sync-file.ts';
import { wholeDatabase } from './undo-restore.ts';
import { isSound, type Verification } from './verify.ts';

const UNFINISHED = /^\.(\d+)\.partial(-journal|-wal|-shm)?$/;

export interface BackupOptions {
  readonly dataDir: string;
  /** Where the backup goes. */
  readonly file: string;
  /** Whether a file that is there gives way. */
  readonly overwrite: boolean;
  /** Of this process: tells this backup's unfinished file from another's, and one that was killed from one that is under way. */
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
 * @throws AshlarError `storage-locked` while a restore is under way, or was killed and something else uses the folder;
 *   `invalid-options` where there is no database, the file is there already, or is one of the data folder's own;
 *   `storage-full`, `storage-damaged`, `storage-unavailable`
 */
export async function backUp({ dataDir, file, overwrite, processId }: BackupOptions): Promise<BackupOutcome> {
  const Sqlite = await loadSqlite();
  await refuseOwnFiles(dataDir, file);
  if (!overwrite) refuseExisting(file);
  await removeAbandoned(file);
  const unfinished = `${file}.${processId}.partial`;
  const { database } = dataFiles(dataDir);
  const inPlace = inode(database);
  const source = await wholeDatabase(database).catch((thrown) => {
    throw storageError(thrown);
  });
  // What a restore keeps is whole only while nobody takes that back, or goes on with it.
  const unlock = source === database ? () => undefined : lockDataFolder(Sqlite, dataDir);
  try {
    const { verification } = await copyDatabase(Sqlite, source, unfinished);
    await refuseMovedSource(database, source, inPlace);
    const sound = isSound(verification);
    // What is sound in a damaged database is worth keeping, but not in the place of a backup.
    if (!sound) await replaceFile(unfinished, `${file}.damaged`);
    else if (overwrite) await replaceFile(unfinished, file);
    else await placeNew(unfinished, file);
    return { file: sound ? file : `${file}.damaged`, sound, verification };
  } catch (thrown) {
    throw storageError(thrown);
  } finally {
    unlock();
    await rm(unfinished, { force: true }).catch(() => {});
  }
}

/** What backups to the same file left that were killed: each is as large as the data, and holds all of it. */
async function removeAbandoned(file: string): Promise<void> {
  const names = await readdir(dirname(file)).catch(() => []);
  for (const name of names) {
    const processId = name.startsWith(basename(file)) ? UNFINISHED.exec(name.slice(basename(file).length))?.[1] : undefined;
    if (processId !== undefined && !isRunning(Number(processId))) await rm(join(dirname(file), name), { force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** undefined: it is not there, or not to be seen, which opening it will say. */
function inode(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/** A restore that began meanwhile may have taken the write-ahead log away between the opening of the two files. */
async function refuseMovedSource(database: string, source: string, inPlace: number | undefined): Promise<void> {
  if (inode(database) === inPlace && (await wholeDatabase(database)) === source) return;
  throw new AshlarError('storage-unavailable', { detail: 'the data was restored meanwhile: take the backup again' });
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
