import { expect, test } from 'vitest';
import { judge, regressions } from '../../bench/targets.ts';

/** A run in which one round each found these figures. */
function ran(figures: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>) {
  const scenarios = Object.entries(figures).map(([name, candidates]) => {
    const rounds = Object.entries(candidates).map(([candidate, round]) => [candidate, [round]]);
    return [name, { title: name, metrics: [], candidates: Object.fromEntries(rounds), failures: {} }];
  });
  return { scenarios: Object.fromEntries(scenarios) };
}

const paced = (cpu: number) => ran({ 'fan-out-paced': { ashlar: { cpu }, 'relay+commit': { cpu: 10 } } });
const logEvents = (appends: number) => ran({ 'log-events': { ashlar: { appends, deliveries: 50_000 } } });
const found = (...runs: Parameters<typeof regressions>) =>
  regressions(...runs).map(({ target: { metric }, reached }) => ({ metric, reached }));

test('a figure within a third of its target is no regression, whatever was reached before', () => {
  expect(found(paced(11.5 * 1.32), paced(5))).toEqual([]);
  expect(found(logEvents(3_800), logEvents(9_000))).toEqual([]);
});

test('a figure that misses its target by more than a third is one, unless it was as far off before', () => {
  expect(found(paced(20), paced(11))).toEqual([{ metric: 'cpu', reached: 2 }]);
  expect(found(paced(33), paced(20))).toEqual([]);
  expect(found(paced(34), paced(20))).toEqual([{ metric: 'cpu', reached: 3.4 }]);
  expect(found(logEvents(3_000), logEvents(9_000))).toEqual([{ metric: 'appends', reached: 3_000 }]);
});

test('a figure that was never measured before is held against its target, and one that is none fails', () => {
  expect(found(paced(20), ran({}))).toEqual([{ metric: 'cpu', reached: 2 }]);
  expect(found(paced(Number.NaN), paced(20))).toEqual([{ metric: 'cpu', reached: Number.NaN }]);
  expect(found(ran({}), paced(20))).toEqual([]);
});

test('of several bases the best counts, and what has a metric of its own as base is held against that', () => {
  const replay = {
    ashlar: { perSecond: 90, cpu: 5 },
    'y-websocket': { perSecond: 30, cpu: 20 },
    hocuspocus: { perSecond: 10, cpu: 40 },
  };
  const growth = { ashlar: { x1: 100, x16: 130 } };
  const verdicts = judge(ran({ replay, 'growth-members': growth })).map(({ reached, met }) => ({ reached, met }));
  expect(verdicts).toEqual([
    { reached: 3, met: true },
    { reached: 0.25, met: true },
    { reached: 1.3, met: false },
  ]);
});

test('latency is held against the best peer’s and one commit’s, which cannot be less than nothing', () => {
  const paced = (raw: number) => ({
    ashlar: { p50: 6 },
    'y-websocket': { p50: 3 },
    hocuspocus: { p50: 2 },
    'relay+commit': { p50: 5 },
    raw: { p50: raw },
  });
  const reached = (raw: number) =>
    judge(ran({ 'fan-out-paced': paced(raw) })).flatMap(({ target, reached }) => (target.metric === 'p50' ? reached : []));
  expect(reached(1)).toEqual([1]);
  expect(reached(7)).toEqual([3]);
  const { raw: _, ...unmeasured } = paced(1);
  expect(judge(ran({ 'fan-out-paced': unmeasured })).some(({ target }) => target.metric === 'p50')).toBe(false);
});
