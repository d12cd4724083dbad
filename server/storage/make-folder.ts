import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing, readable by their owner alone. Not by Node's own `recursive`: on Node 20 that never ends
 * where the system says `ENOENT` for a folder that is to be made in one that is there (in `/proc`, under an automounter).
 * @returns the first that was made; undefined: it was there
 * @throws what the system says: `ENOENT`, `EACCES`, `EROFS`, `ENOTDIR`, …
 */
export function makeFolder(path: string): string | undefined {
  const missing: string[] = [];
  for (let folder = resolve(path); statSync(folder, { throwIfNoEntry: false }) === undefined; folder = dirname(folder)) {
    missing.unshift(folder);
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      // Another process was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error;
    }
  }
  if (!isFolder(path)) throw Object.assign(new Error(`EEXIST: ${path} is not a folder`), { code: 'EEXIST' });
  return missing[0];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
