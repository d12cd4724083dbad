import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { copyDatabase } from './copy-database.ts';
import { dataFiles, lockDataFolder, makeDataFolder } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { storageError } from './storage-error.ts';
import { replaceFile, syncFile } from './sync-file.ts';
import { undoRestore, wholeDatabase } from './undo-restore.ts';
import { isSound, type Verification } from './verify.ts';
import { readWitness, writeWitness } from './witness.ts';

export interface RestoreOptions {
  /** The backup, or any other database of ours. */
  readonly file: string;
  /** No server may be using it; made if it is missing. */
  readonly dataDir: string;
  /** Whether a damaged backup is better than none. */
  readonly evenDamaged: boolean;
  /** Unix ms: names the folder that the present files go to. */
  readonly now: number;
}

export type RestoreOutcome =
  /** `keptIn`: where the files are that were there; null: there were none. */
  | { readonly restored: true; readonly keptIn: string | null; readonly verification: Verification }
  /** It is damaged; nothing was changed. */
  | { readonly restored: false; readonly verification: Verification };

/**
 * Puts a backup in the place of a data folder's database. The backup is copied into the folder and read whole before anything is
 * touched; what was there is kept. The next start sees a store that went back: the witness stays ahead of it. Where this ends before the
 * backup is in place, by a failure or by a kill, the next start takes it back.
 * @throws AshlarError `storage-locked` where a server uses the folder; `invalid-options` where there is no such file;
 *   `storage-full`, `storage-damaged`, `storage-unavailable`
 */
export async function restore({ file, dataDir, evenDamaged, now }: RestoreOptions): Promise<RestoreOutcome> {
  const Sqlite = await loadSqlite();
  await makeDataFolder(dataDir);
  const unlock = lockDataFolder(Sqlite, dataDir);
  const { database, witness, arriving } = dataFiles(dataDir);
  try {
    // One that was killed: else its folder would keep the newest commits, and ours what is left without them.
    await undoRestore(dataDir);
    const { verification, commits } = await copyDatabase(Sqlite, await wholeDatabase(file), arriving);
    if (!evenDamaged && !isSound(verification)) return { restored: false, verification };
    await syncFile(arriving);
    // Ahead of what is restored, also where the backup comes from elsewhere: a start must not take this for the log that clients know.
    const known = await readWitness(witness);
    await writeWitness(witness, Math.max(commits + 1, 'commits' in known ? known.commits : 0));
    const keptIn = await setAside(dataDir, join(dataDir, `replaced-${new Date(now).toISOString().replaceAll(':', '-')}`));
    await replaceFile(arriving, database);
    return { restored: true, keptIn, verification };
  } catch (thrown) {
    // Where that fails too, the next start does it.
    await undoRestore(dataDir).catch(() => {});
    throw storageError(thrown);
  } finally {
    await rm(arriving, { force: true });
    unlock();
  }
}

/** Keeps the database and what belongs to it under their names, for SQLite finds a write-ahead log by its name. */
async function setAside(dataDir: string, folder: string): Promise<string | null> {
  const { database } = dataFiles(dataDir);
  await mkdir(folder, { mode: 0o700 });
  const kept: string[] = [];
  const keep = async (path: string, how: typeof linkOrCopy): Promise<void> => {
    if (!existsSync(path)) return;
    await how(path, join(folder, basename(path)));
    kept.push(path);
  };
  // The old database stays in its place until the new one takes it: there is no moment at which a start would find none and make an
  // empty one. Its log has to go before: SQLite would play it into the new one.
  await keep(database, linkOrCopy);
  await keep(`${database}-wal`, rename);
  await keep(`${database}-shm`, rename);
  await syncFile(folder);
  await syncFile(dataDir);
  if (kept.length > 0) return folder;
  await rm(folder, { recursive: true });
  return null;
}

/** The same file under a second name; a copy where the file system knows no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}
