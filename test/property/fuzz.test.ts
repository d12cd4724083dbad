import { expect, test } from 'vitest';
import { runFuzz } from '../support/fuzz/run-fuzz.ts';

// `.ci/run` asks for 50,000; `npm run fuzz` for a million, and with seeds of its own.
const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000);

test('[5] thousands of hostile frames, updates, awareness states, tokens and HTTP bodies: each is taken as it should be, or refused by code', async () => {
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
