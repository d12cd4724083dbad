import { expect, test } from 'vitest';
import { runFuzz } from '../support/fuzz/run-fuzz.ts';

// `npm run fuzz` for a million, and with seeds of its own.
const RUNS = 50_000;

test('[5] 50,000 hostile frames, updates, awareness states, tokens and HTTP bodies: each is taken as it should be, or refused by code', async () => {
  const reports = await runFuzz({ runs: RUNS, seed: 20_261_126 });
  const of = (name: string) => reports.find((report) => report.name === name)?.outcomes ?? new Map<string, number>();
  expect(reports.reduce((sum, { runs }) => sum + runs, 0)).toBe(RUNS);
  // Inputs that are all refused, or all taken, would show nothing.
  for (const [name, taken] of [
    ['frames', 'read'],
    ['updates', 'admitted'],
    ['awareness', 'read'],
    ['tokens', 'passed'],
    ['http', 'published'],
  ] as const) {
    const outcomes = of(name);
    const total = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
    expect(outcomes.get(taken) ?? 0, `${name}: ${JSON.stringify([...outcomes])}`).toBeGreaterThan(total * 0.01);
    expect(outcomes.get(taken) ?? 0, name).toBeLessThan(total * 0.95);
  }
}, 120_000);
