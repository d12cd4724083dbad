import { open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Brings a file's content, or the names in a folder, to the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Puts a file in the place of another, or none, in one step that a crash does not tear. Both are in one folder. */
export async function replaceFile(from: string, to: string): Promise<void> {
  await syncFile(from);
  await rename(from, to);
  await syncFile(dirname(to));
}

/** Replaces a small file's text: after a crash it is the old one or the new one. */
export async function writeFileDurably(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  await writeFile(next, text, { mode: 0o600 });
  await replaceFile(next, path);
}
