import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMutant, readMutants } from '../../scripts/mutants/read-mutants.ts';
import { ROOT } from '../support/source-tree.ts';

const FOLDER = join(ROOT, 'test/mutants');
const mutants = readMutants(FOLDER);

describe('mutants (npm run mutants)', () => {
  test('there are some for each invariant, each rule of admission, erasing a user, the quota and what operators use', () => {
    const broken = new Set(mutants.map(({ name }) => name.split('-')[0]));
    const expected = [
      ...Array.from({ length: 8 }, (_, index) => `${index + 1}`),
      ...Array.from({ length: 10 }, (_, index) => `r${index + 1}`),
      'e',
      'q',
      'o',
    ];
    expect([...broken].sort()).toEqual(expected.sort());
  });

  // A process for each of them.
  test('all of them still apply (npm run mutants -- --refresh; test/mutants/README.md)', { timeout: 60_000 }, () => {
    const stale = mutants.filter(({ path }) => {
      // What is around the repository is none of git's business here, nor is whether this is one.
      const { status } = spawnSync('git', ['apply', '--check', '--whitespace=nowarn', path], { cwd: ROOT });
      return status !== 0;
    });
    expect(stale.map(({ name }) => name)).toEqual([]);
  });

  test.each(mutants)('$name names files that are there, and changes code, never a test', ({ tests, types, changes, breaks }) => {
    expect(tests.length + types.length).toBeGreaterThan(0);
    expect([...tests, ...types].filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.filter((file) => !/^(server|client|shared)\//.test(file))).toEqual([]);
    expect(breaks).toMatch(/^[A-ZÀ-Ý].*\.$/);
  });

  test('one of another form is refused by name', () => {
    for (const text of ['', 'diff --git a/x b/x', '# breaks: x\ndiff --git', '# breaks: x\n# tests: y\n']) {
      expect(() => parseMutant('test/mutants/1-x.patch', text)).toThrow(/1-x\.patch/);
    }
  });
});
