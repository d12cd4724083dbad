import { expect, test } from 'vitest';
import { Later } from '../../client/later.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

/** A part that comes, or does not, when the test says so. */
function createLater() {
  const time = new SimulatedTime();
  const asked: { come(part: string): void; stayAway(): void }[] = [];
  const load = () =>
    new Promise<string>((come, fail) => asked.push({ come, stayAway: () => fail(new Error('the network is gone')) }));
  const later = new Later(load, { random: () => 0.5, after: time.after.bind(time) }, () => {});
  return { later, time, asked, failure: () => later.failure.get()?.code ?? null };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a part that is slow is told after 10 s, and no more once it is here; one that is quick is never told', async () => {
  const slow = createLater();
  const part = slow.later.get();
  slow.time.advance(9_999);
  expect(slow.failure()).toBeNull();
  slow.time.advance(1);
  expect(slow.failure()).toBe('not-loaded');
  slow.asked[0]?.come('the part');
  await expect(part).resolves.toBe('the part');
  expect([slow.failure(), slow.time.armed]).toEqual([null, 0]);

  const quick = createLater();
  void quick.later.get();
  quick.asked[0]?.come('the part');
  await settle();
  quick.time.advance(60_000);
  expect([quick.failure(), quick.asked.length]).toEqual([null, 1]);
});

test('a part that does not come is asked for again, ever more seldom, or as soon as the network may be back', async () => {
  const { later, time, asked, failure } = createLater();
  const part = later.get();
  for (const wait of [500, 1_000, 2_000]) {
    asked.at(-1)?.stayAway();
    await settle();
    const before = asked.length;
    time.advance(wait - 1);
    expect([asked.length, failure()]).toEqual([before, 'not-loaded']);
    time.advance(1);
    expect(asked).toHaveLength(before + 1);
  }
  asked.at(-1)?.stayAway();
  await settle();
  later.hurry();
  later.hurry();
  expect(asked).toHaveLength(5);
  asked.at(-1)?.come('the part');
  await expect(part).resolves.toBe('the part');
  expect(time.armed).toBe(0);
});

test.each(['waits for its next attempt', 'is being loaded'])(
  'a part that %s is asked for no more once nobody wants it',
  async (when) => {
    const { later, time, asked, failure } = createLater();
    void later.get();
    if (when === 'is being loaded') later.stop();
    asked[0]?.stayAway();
    await settle();
    later.stop();
    time.advance(600_000);
    expect([asked.length, time.armed]).toEqual([1, 0]);
    expect(failure()).toBe(when === 'is being loaded' ? null : 'not-loaded');
  },
);
