import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/source-tree.ts';

const page = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test.each(['docs/guarantees.md', 'docs/security.md', 'docs/architecture.md'])('every file that %s names is there', (name) => {
  const named = [...page(name).matchAll(/`((?:server|client|shared|test|deploy|docs|scripts)\/[\w./-]+\.\w+)`/g)].map(
    ([, path]) => path as string,
  );
  expect(named.length).toBeGreaterThan(2);
  expect([...new Set(named)].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('every requirement that is met by code names its file and its test', () => {
  const rows = page('docs/security.md')
    .split('\n')
    .filter((line) => /^\| \d+\.\d+\.\d+ \|/.test(line));
  expect(rows.length).toBeGreaterThan(30);
  const open = rows.filter((row) => {
    const [, , , where = '', shown = ''] = row.split('|');
    return !shown.includes('`test/') && !/\*Yours\*|standard output|Unix time/.test(where);
  });
  expect(open).toEqual([]);
});

test('the audit log has no record that docs/security.md does not list, and no other', () => {
  const written = [...page('server/audit.ts').matchAll(/'(audit:[\w-]+)'/g)].map(([, name]) => name as string);
  const listed = [...page('docs/security.md').matchAll(/^\| `(audit:[\w-]+)` \|/gm)].map(([, name]) => name as string);
  expect([...new Set(listed)].sort()).toEqual([...new Set(written)].sort());
});

test('README leads to both pages', () => {
  expect(page('README.md')).toContain('(docs/guarantees.md)');
  expect(page('README.md')).toContain('(docs/security.md)');
});
