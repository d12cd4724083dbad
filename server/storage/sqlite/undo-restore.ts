import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { dataFiles } from './data-folder.ts';
import { syncFile } from './sync-file.ts';

/**
 * Takes back a restore that ended between its steps, by a kill or a failure: the write-ahead log had left for the folder of what is kept, and
 * the database that it belongs to was still in its place, without its newest commits. It is known by its second name there, which
 * is the same file until another takes its place; a file system without links leaves nothing to know it by. The copy that was to come goes too.
 * @returns whether there was one. The caller has the folder's lock
 */
export async function undoRestore(dataDir: string): Promise<boolean> {
  const { database, arriving } = dataFiles(dataDir);
  for (const ending of ['', '-journal']) await rm(arriving + ending, { force: true });
  const present = await look(database);
  if (present === undefined) return false;
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith('replaced-')) continue;
    const folder = join(dataDir, name);
    const kept = await look(join(folder, basename(database)));
    if (kept?.ino !== present.ino || kept.dev !== present.dev) continue;
    const log = `${database}-wal`;
    const keptLog = join(folder, basename(log));
    if (((await look(keptLog))?.size ?? 0) > 0) {
      // Somebody has gone on without it: it fits no more, and is kept.
      if (((await look(log))?.size ?? 0) > 0) return false;
      await rename(keptLog, log);
      await syncFile(dataDir);
    }
    await rm(folder, { recursive: true });
    return true;
  }
  return false;
}

function look(path: string) {
  return stat(path).catch(() => undefined);
}
