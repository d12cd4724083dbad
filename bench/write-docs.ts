import { readFileSync, writeFileSync } from 'node:fs';
import { renderReport } from './render-report.ts';
import { readResults } from './results.ts';

// Puts the tables of bench/results.json into docs/performance.md, between its two markers.
const [page, results] = ['../../docs/performance.md', '../results.json'].map((path) => new URL(path, import.meta.url)) as [
  URL,
  URL,
];
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split('<!-- results -->\n') as [string, string];
const after = rest.slice(rest.indexOf('<!-- end of results -->'));
writeFileSync(page, `${before}<!-- results -->\n${renderReport(readResults(results.pathname))}\n${after}`);
