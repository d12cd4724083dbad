import { closeSync, lstatSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AshlarError } from '../../../shared/errors.ts';
import { makeFolder } from '../make-folder.ts';
import type { Db, Sqlite } from './load-sqlite.ts';
import { syncFile } from './sync-file.ts';

/** The files of a data folder. */
export function dataFiles(dataDir: string) {
  return {
    database: join(dataDir, 'ashlar.db'),
    lock: join(dataDir, 'ashlar.lock'),
    witness: join(dataDir, 'ashlar.witness'),
    /** Where a backup is while it is read, before it takes the database's place. */
    arriving: join(dataDir, 'ashlar.db.restoring'),
  };
}

/** Makes the folder, readable by its owner alone, if it is missing. @throws AshlarError `storage-unavailable` */
export async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    const made = makeFolder(dataDir);
    if (made === undefined) return;
    // The new folder's name is durable only once the folder above it is synced.
    await syncFile(dirname(resolve(made)));
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new AshlarError('storage-unavailable', { detail: `the data folder cannot be made: ${said}`, cause });
  }
}

/**
 * Makes a file that its owner alone may read, unless it is there: SQLite would make it readable to all, and a write-ahead log is as its
 * database. A folder that was there before need not be closed to others.
 */
export function makePrivateFile(path: string): void {
  try {
    // Never opens what is there: to close that would drop locks that this process has on it.
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there; or it cannot be made, which SQLite will say better.
  }
}

/**
 * Takes the folder for this store alone. The lock is the operating system's, on an empty SQLite file of its own, so that it is
 * gone with the process however that ends. Nothing else may open that file: on POSIX closing any handle to it drops the lock.
 * A named pipe, a device or a folder in the place of one of SQLite's files is refused: to open it may wait for ever. So is a symbolic link:
 * SQLite keeps the write-ahead log beside the file that it leads to, where nothing watches it, and two folders could lead to one database.
 * @returns lets the folder go
 * @throws AshlarError `storage-locked` | `storage-unavailable`
 */
export function lockDataFolder(Sqlite: Sqlite, dataDir: string): () => void {
  let lock: Db | undefined;
  try {
    refuseSpecialFiles(dataDir);
    makePrivateFile(dataFiles(dataDir).lock);
    lock = new Sqlite(dataFiles(dataDir).lock, { timeout: 0 });
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock?.close();
    if (cause instanceof AshlarError) throw cause;
    if ((cause as { code?: unknown }).code === 'SQLITE_BUSY') {
      throw new AshlarError('storage-locked', {
        detail: `${resolve(dataDir)} is in use; stop the other server or choose another folder`,
        cause,
      });
    }
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new AshlarError('storage-unavailable', { detail: `the data folder cannot be locked: ${said}`, cause });
  }
  const held = lock;
  return () => held.close();
}

function refuseSpecialFiles(dataDir: string): void {
  const { database, lock } = dataFiles(dataDir);
  for (const file of [lock, database, `${database}-wal`, `${database}-shm`]) {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined || found.isFile()) continue;
    const wrong = found.isSymbolicLink()
      ? 'is a symbolic link: put the file itself there, and link or mount the whole folder instead'
      : 'is not a file: move it away';
    throw new AshlarError('storage-unavailable', { detail: `${file} ${wrong}` });
  }
}
