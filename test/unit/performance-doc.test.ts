import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderReport } from '../../bench/render-report.ts';
import { readResults } from '../../bench/results.ts';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

test('the tables of docs/performance.md are those of bench/results.json', () => {
  const page = readFileSync(at('docs/performance.md'), 'utf8');
  const [, tables] = page.split(/<!-- (?:end of )?results -->\n/);
  expect(tables).toBe(`${renderReport(readResults(at('bench/results.json').pathname))}\n`);
});

test('the benchmark names no machine path and no registry', () => {
  for (const file of ['bench/results.json', 'bench/check.json', 'bench/package-lock.json']) {
    expect(existsSync(at(file))).toBe(true);
    expect(readFileSync(at(file), 'utf8')).not.toMatch(/"resolved": "http|\/(home|root|tmp|work)\//);
  }
});
