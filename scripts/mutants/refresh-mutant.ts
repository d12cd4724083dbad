import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Mutant } from './read-mutants.ts';
import { runProcess } from './run-process.ts';

/**
 * Writes a patch anew whose surroundings have changed: what it takes out must still be there.
 * @returns `fits`: nothing to do; `refreshed`; `by hand`: its place is gone
 */
export async function refreshMutant(repository: string, mutant: Mutant): Promise<'fits' | 'refreshed' | 'by hand'> {
  const scratch = mkdtempSync(join(tmpdir(), 'ashlar-refresh-'));
  const git = (cwd: string, ...args: string[]) =>
    runProcess('git', args, { cwd, timeoutMs: 60_000, env: { GIT_CEILING_DIRECTORIES: dirname(scratch) } });
  try {
    for (const side of ['a', 'b']) {
      for (const file of mutant.changes) {
        mkdirSync(dirname(join(scratch, side, file)), { recursive: true });
        if (existsSync(join(repository, file))) cpSync(join(repository, file), join(scratch, side, file));
      }
    }
    const apply = (...options: string[]) => git(join(scratch, 'b'), 'apply', '--whitespace=nowarn', ...options, mutant.path);
    if ((await apply('--check')).code === 0) return 'fits';
    // Without any surroundings only where each part takes lines out: they say where it belongs.
    const text = readFileSync(mutant.path, 'utf8');
    const takesOut = text
      .split(/^@@ /m)
      .slice(1)
      .every((part) => /^-(?!-- )/m.test(part));
    if ((await apply('-C1')).code !== 0 && (!takesOut || (await apply('-C0')).code !== 0)) return 'by hand';
    const { output } = await git(scratch, 'diff', '--no-index', '--no-prefix', '--no-color', '-U2', 'a', 'b');
    const [breaks, tests] = text.split('\n');
    writeFileSync(mutant.path, `${breaks}\n${tests}\n${output.replace(/^index .*\n/gm, '')}`);
    return 'refreshed';
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
