import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dataFiles } from './data-folder.ts';
import { syncFile } from './sync-file.ts';

/**
 * Takes back a restore that ended between its steps, by a kill or a failure: the write-ahead log had left for the folder of what is kept, and
 * the database that it belongs to was still in its place, without its newest commits. The copy that was to come goes too.
 * @returns whether there was one. The caller has the folder's lock
 */
export async function undoRestore(dataDir: string): Promise<boolean> {
  const { database, arriving } = dataFiles(dataDir);
  for (const ending of ['', '-journal', '-wal', '-shm']) await rm(arriving + ending, { force: true });
  const folder = await findKept(database);
  if (folder === null) return false;
  const log = `${database}-wal`;
  const keptLog = join(folder, basename(log));
  if (await holdsSomething(keptLog)) {
    // Somebody has gone on without it: it fits no more, and is kept.
    if (await holdsSomething(log)) return false;
    await rename(keptLog, log);
    await syncFile(dataDir);
  }
  await rm(folder, { recursive: true });
  return true;
}

/**
 * Where a database is to be read, with its newest commits: where it lies, or, as a restore left it that was killed or is under way, in the
 * folder of what is kept, which has its write-ahead log.
 */
export async function wholeDatabase(database: string): Promise<string> {
  const folder = await findKept(database);
  const log = `${basename(database)}-wal`;
  const leftWithoutLog =
    folder !== null && (await holdsSomething(join(folder, log))) && !(await holdsSomething(join(dirname(database), log)));
  return leftWithoutLog ? join(folder, basename(database)) : database;
}

/**
 * The folder in which an unfinished restore keeps a database that is still in its place. It is known by the second name there, which is the same
 * file until another takes its place; a file system without links leaves nothing to know it by.
 */
async function findKept(database: string): Promise<string | null> {
  const present = await look(database);
  if (present === undefined) return null;
  const parent = dirname(database);
  for (const name of await readdir(parent)) {
    if (!name.startsWith('replaced-')) continue;
    const kept = await look(join(parent, name, basename(database)));
    if (kept?.ino === present.ino && kept.dev === present.dev) return join(parent, name);
  }
  return null;
}

async function holdsSomething(path: string): Promise<boolean> {
  return ((await look(path))?.size ?? 0) > 0;
}

function look(path: string) {
  return stat(path).catch(() => undefined);
}
