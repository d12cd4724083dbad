import { expect, test } from 'vitest';
import { ResetPace } from '../../client/documents/reset-pace.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

function createPace() {
  const time = new SimulatedTime();
  const pace = new ResetPace({ now: () => time.now, random: () => 0.5, after: time.after.bind(time) } as never);
  /** How long the next start has to wait, ms. */
  const waitOf = (): number => {
    const before = time.now;
    let begunAt: number | null = null;
    pace.begin(() => {
      begunAt = time.now;
    });
    expect([begunAt, pace.isWaiting]).toEqual([null, true]);
    while (begunAt === null && time.now - before < 600_000) time.advance(50);
    expect(pace.isWaiting).toBe(false);
    return (begunAt ?? Number.POSITIVE_INFINITY) - before;
  };
  return { time, pace, waitOf };
}

test('resets that follow each other come ever more slowly, for as long as they do', () => {
  const { waitOf } = createPace();
  const waits = Array.from({ length: 8 }, waitOf);
  expect(waits[0]).toBe(0);
  for (const [index, wait] of waits.entries()) if (index > 0) expect(wait).toBeGreaterThan(waits[index - 1] as number);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(60_000);
});

test('a reset a minute after the last is a first one again', () => {
  const { time, waitOf } = createPace();
  expect([waitOf(), waitOf() > 0]).toEqual([0, true]);
  time.advance(60_001);
  expect(waitOf()).toBe(0);
});

test('what is not to begin any more does not, and is not waited for', () => {
  const { time, pace, waitOf } = createPace();
  waitOf();
  let begun = false;
  pace.begin(() => {
    begun = true;
  });
  pace.stop();
  time.advance(600_000);
  expect([begun, pace.isWaiting, time.armed]).toEqual([false, false, 0]);
});
