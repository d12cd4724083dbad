import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('fault-shim.c', import.meta.url));

/** Errors of a disk, as the system tells them. */
export const EIO = 5;
export const ENOSPC = 28;

/** A disk that fails on demand, for processes that are started with its environment. */
export interface FaultyDisk extends Disposable {
  readonly environment: Readonly<Record<string, string>>;
  /** From now on this operation on the database and its log fails with an errno: the next time alone, or until it is mended. */
  fail(operation: 'fsync' | 'write', errno: number, times?: 'once' | 'always'): void;
  /** From now on its syncs stand still, until it is mended. */
  hang(): void;
  mend(): void;
  /** The syncs so far, in order. */
  syncs(): { readonly file: string; readonly errno: number }[];
}

/** Compiles the shim (test/support/fault-shim.c) and makes a disk of it. */
export function makeFaultyDisk(): FaultyDisk {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-faults-'));
  const [shim, control, trace] = ['fault-shim.so', 'control', 'trace'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', shim, SOURCE, '-ldl'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(trace, '');
  return {
    environment: { LD_PRELOAD: shim, FAULT_PATH: '/ashlar.db', FAULT_CONTROL: control, FAULT_TRACE: trace },
    fail: (operation, errno, times = 'always') => writeFileSync(control, `${operation} ${errno} ${times}\n`),
    hang: () => writeFileSync(control, 'hang 1 always\n'),
    mend: () => rmSync(control, { force: true }),
    syncs: () =>
      readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [errno, file = ''] = line.split(' ');
          return { file, errno: Number(errno) };
        }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
