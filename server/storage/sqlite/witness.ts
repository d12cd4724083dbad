import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import type { Store } from '../store.ts';
import { checksumOf } from './checksum.ts';
import { writeFileDurably } from './sync-file.ts';
import type { StoreLog } from './worker-link.ts';

/** The file is at most so much behind the database: what it costs is one sync in this time. */
const WITNESS_EVERY_MS = 1_000;

export interface WitnessOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: StoreLog | undefined;
  /** How many commits the database holds, all of them on disk. */
  commits(): Promise<number>;
}

/**
 * A small file beside the database that knows how many commits it held. SQLite takes a cut or deleted write-ahead log, and an old
 * copy of the file, for sound: only something outside it can tell. It raises the alarm, and decides nothing.
 */
export interface Witness {
  readonly wentBack: Store['wentBack'];
  /** Something was committed, or may have been. Costs nothing: the file follows within a second. */
  soon(): void;
  /** Writes the last number down. */
  close(commits: Promise<number>): Promise<void>;
}

/**
 * Compares the database with its witness, and keeps that from here on. Where the database is behind, it says `storage:went-back`
 * with both numbers. Never a reason not to start: what cannot be read or written is told.
 * @throws AshlarError what `commits` throws at the start
 */
export async function openWitness({ path, clock, log, commits }: WitnessOptions): Promise<Witness> {
  let cancel: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failing = false;
  let closed = false;

  const alarm = (found: number, known: number) =>
    log?.error({ commits: found, witnessed: known, file: path }, 'storage:went-back');

  const write = async (count: number | Promise<number>): Promise<void> => {
    try {
      const next = await count;
      // The files were exchanged under a writer that had died.
      if (next < witnessed) alarm(next, witnessed);
      if (next === witnessed && written) return;
      await writeWitness(path, next);
      witnessed = next;
      written = true;
      failing = false;
    } catch (err) {
      if (!failing) log?.warn({ err, file: path }, 'storage:witness-failed');
      failing = true;
    }
  };

  const known = await readWitness(path);
  const found = await commits();
  const wentBack = 'commits' in known && found < known.commits ? { commits: found, witnessed: known.commits } : undefined;
  if (wentBack) alarm(found, wentBack.witnessed);
  // A folder from before there were witnesses has none either; a new database needs none.
  if ('reason' in known && found > 0) log?.warn({ commits: found, file: path, reason: known.reason }, 'storage:no-witness');
  let witnessed = found;
  let written = 'commits' in known && known.commits === found;
  await write(found);

  return {
    wentBack,
    soon() {
      if (cancel || closed) return;
      cancel = clock.after(WITNESS_EVERY_MS, () => {
        cancel = undefined;
        writing = writing.then(() => write(commits()));
      });
    },
    async close(last) {
      closed = true;
      cancel?.();
      await writing;
      await write(last);
    },
  };
}

/** The witness as it is on disk, or why there is none. */
export async function readWitness(path: string): Promise<{ commits: number } | { reason: 'missing' | 'unreadable' }> {
  try {
    // A named pipe would be waited for.
    if (!(await stat(path)).isFile()) return { reason: 'unreadable' };
    const { commits, checksum } = JSON.parse(await readFile(path, 'utf8')) as { commits: unknown; checksum: unknown };
    if (Number.isSafeInteger(commits) && checksum === checksumOf([commits as number])) return { commits: commits as number };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return { reason: 'missing' };
  }
  return { reason: 'unreadable' };
}

export function writeWitness(path: string, commits: number): Promise<void> {
  return writeFileDurably(path, `${JSON.stringify({ commits, checksum: checksumOf([commits]) })}\n`);
}
