import { open, rm } from 'node:fs/promises';
import { AshlarError } from '../../../shared/errors.ts';
import { openForInspection } from './connection.ts';
import type { Sqlite } from './load-sqlite.ts';
import { storageError } from './storage-error.ts';
import { type Verification, verifyDatabase } from './verify.ts';

/** 40 MB at a time. */
const PAGES_AT_ONCE = 10_000;

export interface DatabaseCopy {
  readonly verification: Verification;
  /** How many commits it holds. */
  readonly commits: number;
}

/**
 * Copies a database, as it is at one moment, into a file of its own, and reads the copy whole. Works beside a server that writes.
 * The copy is one file, complete without a write-ahead log. It is not yet synced to disk.
 * @param to is overwritten; gone where this throws
 * @throws AshlarError as `openForInspection`; `storage-full`; `storage-damaged` where the copy cannot even be opened
 */
export async function copyDatabase(Sqlite: Sqlite, from: string, to: string): Promise<DatabaseCopy> {
  const source = openForInspection(Sqlite, from);
  try {
    await removeDatabase(to);
    // Made here, as its owner's alone: SQLite would make it readable to all.
    await open(to, 'w', 0o600).then(
      (file) => file.close(),
      (cause: Error) => {
        throw new AshlarError('invalid-options', { detail: `cannot write ${to}: ${cause.message}`, cause });
      },
    );
    // One transaction around all steps: otherwise each commit of the server makes the copy start over, and it never ends.
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await source.backup(to, { progress: () => PAGES_AT_ONCE });
    source.close();
    return inspectCopy(Sqlite, to);
  } catch (thrown) {
    await removeDatabase(to).catch(() => {});
    throw storageError(thrown);
  } finally {
    source.close();
  }
}

function inspectCopy(Sqlite: Sqlite, path: string): DatabaseCopy {
  const made = new Sqlite(path);
  try {
    made.pragma('journal_mode = DELETE');
  } finally {
    made.close();
  }
  const copy = openForInspection(Sqlite, path);
  try {
    const counters = copy.prepare('SELECT * FROM counters').get() as { commits?: number } | undefined;
    return { verification: verifyDatabase(Sqlite, copy), commits: counters?.commits ?? 0 };
  } finally {
    copy.close();
  }
}

async function removeDatabase(path: string): Promise<void> {
  for (const ending of ['', '-journal', '-wal', '-shm']) await rm(`${path}${ending}`, { force: true });
}
