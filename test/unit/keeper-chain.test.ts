import { expect, test } from 'vitest';
import type { Keeper, KeptDocument } from '../../client/documents/keeper.ts';
import { KeeperChain } from '../../client/offline/keeper-chain.ts';

/** A chain whose keepers come when the test says so. */
function chain() {
  const coming: (() => void)[] = [];
  const told: string[] = [];
  let startedOver: () => void = () => {};
  const document = {
    keptOrigins: new Set(),
    forgetUnsaved: () => told.push('forget'),
    keepingFailed: (cause: unknown) => told.push(`failed: ${cause}`),
  } as unknown as KeptDocument;
  const keeper = (name: string): Keeper => ({
    userId: 'ada',
    beforeJoin: async () => {},
    changed: () => told.push(`${name} changed`),
    startOver: () =>
      new Promise((resolve) => {
        startedOver = () => resolve();
      }),
    forgetUnsaved: () => told.push(`${name} forgets`),
    close: () => told.push(`${name} closed`),
  });
  let made = 0;
  const keepers = new KeeperChain(
    document,
    () => new Promise((resolve) => coming.push(() => resolve(keeper(`keeper ${++made}`)))),
    () => told.push('loaded'),
  );
  return { keepers, coming, told, startedOver: () => startedOver() };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a keeper that comes when another load has begun is closed, and keeps nothing', async () => {
  const { keepers, coming, told } = chain();
  keepers.load();
  await settle();
  keepers.load();
  await settle();
  coming[0]?.();
  await settle();
  expect([told, keepers.isLoading]).toEqual([['keeper 1 closed'], true]);
  coming[1]?.();
  await settle();
  expect([told.slice(1), keepers.isLoading]).toEqual([['loaded'], false]);
  keepers.changed();
  expect(told.at(-1)).toBe('keeper 2 changed');
});

test('what is kept is not loaded again before what was is started over', async () => {
  const { keepers, coming, startedOver } = chain();
  keepers.load();
  await settle();
  coming[0]?.();
  await settle();
  keepers.startOver(null, 'gone');
  keepers.load();
  await settle();
  expect(coming).toHaveLength(1);
  startedOver();
  await settle();
  expect(coming).toHaveLength(2);
});

test('what is forgotten while nothing is loaded is forgotten by whoever comes', async () => {
  const { keepers, coming, told } = chain();
  keepers.load();
  keepers.forgetUnsaved();
  await settle();
  coming[0]?.();
  await settle();
  expect(told).toEqual(['forget', 'loaded']);
  keepers.forgetUnsaved();
  expect(told.at(-1)).toBe('keeper 1 forgets');
});
