import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { workerEntry } from '../../worker-entry.ts';
import { type Check, Skipped } from './checks.ts';

const run = promisify(execFile);
/** A disk of 6 MB in memory, in a mount namespace of its own: no other process sees it, and it is gone with this one. */
const SMALL_DISK = 'mount -t tmpfs -o size=6m ashlar-verify "$1"';

/** A disk that is really full, where this user may make one without being root. */
export const FULL_DISK: Check = {
  name: 'a full disk',
  async run({ folder }) {
    const inNamespace = (script: string, ...args: string[]) =>
      run('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', folder, ...args], { timeout: 120_000 });
    await inNamespace(SMALL_DISK).catch(() => {
      throw new Skipped('this system lets no user mount a small disk of its own (unshare --user --mount)');
    });
    const entry = fileURLToPath(workerEntry(import.meta.url, './fill-disk.ts'));
    const { stdout } = await inNamespace(`${SMALL_DISK} && exec "$2" "$3" "$1"`, process.execPath, entry);
    return stdout;
  },
};
