import { expect, test, vi } from 'vitest';
import { Rechecks } from '../../server/guard/rechecks.ts';
import type { Connection } from '../../server/rooms/connection.ts';

/** Rechecks of one socket. @param follow what is asked for it; told which time it is, from 1 */
function rechecksOf(follow: (time: number) => Promise<void>) {
  const turns: (() => void)[] = [];
  let times = 0;
  const clear = vi.fn();
  const connection = { access: { clear } } as unknown as Connection;
  const rechecks = new Rechecks({
    connectionsOf: (userId) => (userId === 'bob' ? [connection] : []),
    follow: () => {
      times += 1;
      return follow(times);
    },
    soon: (task) => turns.push(task),
  });
  return {
    rechecks,
    turns,
    times: () => times,
    cleared: () => clear.mock.calls.length,
    async turn() {
      turns.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a recheck forgets and asks at once; one that is asked for meanwhile begins anew, behind what its callers changed', async () => {
  const answers: (() => void)[] = [];
  const { rechecks, turns, turn, times, cleared } = rechecksOf(() => new Promise((resolve) => answers.push(resolve)));
  const first = rechecks.ask('bob');
  expect([times(), cleared()]).toEqual([1, 1]);
  const [second, third] = [rechecks.ask('bob'), rechecks.ask('bob')];
  expect([times(), turns.length]).toEqual([1, 1]);
  await turn();
  expect([times(), cleared()]).toEqual([2, 2]);
  // The first one hangs: nobody else waits for it.
  answers[1]?.();
  await Promise.all([second, third]);
  answers[0]?.();
  await first;
  void rechecks.ask('bob');
  expect(times()).toBe(3);
});

test('a callback that has access rechecked each time it is asked leaves turns to everybody else', async () => {
  const { rechecks, turn, turns, times } = rechecksOf(async () => void rechecks.ask('bob'));
  await rechecks.ask('bob');
  for (let turned = 1; turned <= 20; turned++) {
    expect([times(), turns.length]).toEqual([turned, 1]);
    await turn();
  }
});

test('a callback that waits for the recheck that it asks for adds no more of them once some wait, and all end when one does', async () => {
  const failures: ((error: Error) => void)[] = [];
  let over = false;
  const { rechecks, turn, turns, times } = rechecksOf(() =>
    over ? Promise.resolve() : Promise.race([rechecks.ask('bob'), new Promise<void>((_, reject) => failures.push(reject))]),
  );
  const first = rechecks.ask('bob').catch((error: Error) => error.message);
  while (turns.length > 0) await turn();
  expect(times()).toBe(16);
  over = true;
  failures.at(-1)?.(new Error('no answer in time'));
  expect(await first).toBe('no answer in time');
  expect(times()).toBe(17);
  const before = times();
  void rechecks.ask('bob');
  expect(times()).toBe(before + 1);
});

test('whose recheck failed is asked about anew the next time', async () => {
  const { rechecks, times, turns } = rechecksOf(() => Promise.reject(new Error('no directory')));
  for (const time of [1, 2]) {
    await expect(rechecks.ask('bob')).rejects.toThrow('no directory');
    expect([times(), turns.length]).toEqual([time, 0]);
  }
  await rechecks.ask('nobody');
  expect(times()).toBe(2);
});
