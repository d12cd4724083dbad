import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { compact } from '../../server/documents/worker/compact.ts';
import { findCulprits } from '../../server/documents/worker/find-culprits.ts';
import { findDependents } from '../../server/documents/worker/find-dependents.ts';
import { BRICK } from '../support/hostile-updates.ts';
import { playSession, sessionSteps } from '../support/yjs-session.ts';

describe('the search for what breaks a log', () => {
  /** Fails with any of `bad`, and without what a kept update needs. */
  const search = async (count: number, bad: ReadonlySet<number>, needs: ReadonlyMap<number, number> = new Map()) => {
    let trials = 0;
    const found = await findCulprits(count, {
      async passes(indexes) {
        trials += 1;
        return indexes.every((index) => !bad.has(index) && (!needs.has(index) || indexes.includes(needs.get(index)!)));
      },
      dependents: async (culprit, among) => among.filter((index) => needs.get(index) === culprit),
    });
    return { found, trials };
  };

  test('finds each culprit and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.uniqueArray(fc.nat(59), { maxLength: 6 }), async (count, indexes) => {
        const bad = new Set(indexes.filter((index) => index < count));
        expect((await search(count, bad)).found).toEqual([...bad].sort((a, b) => a - b));
      }),
    );
  });

  test('takes about log2 of the log per culprit, and no trial for what depends on it', async () => {
    const needs = new Map(Array.from({ length: 300 }, (_, index) => [600 + index, 512]));
    const { found, trials } = await search(1_000, new Set([512]), needs);
    expect(found).toEqual([512, ...needs.keys()]);
    expect(trials).toBeLessThanOrEqual(14);
  });

  test('blames no update where the snapshot fails by itself', async () => {
    const search = findCulprits(3, { passes: async () => false, dependents: async () => [] });
    await expect(search).rejects.toEqual(expect.objectContaining({ code: 'document-damaged' }));
  });
});

describe('what depends on an update', () => {
  /** Updates by client 1 (a text and a map) and, on top of `before`, by client 2. */
  const updatesBy = (clientId: number, before: readonly Uint8Array[], change: (doc: Y.Doc) => void): Uint8Array[] => {
    const doc = new Y.Doc();
    doc.clientID = clientId;
    for (const update of before) Y.applyUpdate(doc, update);
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    change(doc);
    return updates;
  };

  test('is what inserts beside it, into it, after it by the same client, or deletes it, and what depends on that', () => {
    const base = updatesBy(1, [], (doc) => {
      doc.getText('text').insert(0, 'base');
      doc.getMap('map').set('inner', new Y.Text('nested'));
    });
    const beside = updatesBy(2, base.slice(0, 1), (doc) => doc.getText('text').insert(4, '!'));
    const into = updatesBy(3, base, (doc) => (doc.getMap('map').get('inner') as Y.Text).insert(0, 'in '));
    const wipe = updatesBy(4, base, (doc) => doc.getMap('map').delete('inner'));
    const apart = updatesBy(5, base, (doc) => doc.getArray('list').push(['alone']));
    const onIt = updatesBy(6, [...base, ...into], (doc) => (doc.getMap('map').get('inner') as Y.Text).insert(1, 'x'));
    const log = [...base, ...beside, ...into, ...wipe, ...apart, ...onIt];
    expect(findDependents(log, 0)).toEqual([1, 2, 3, 4, 6]); // 1 follows 0 in the clocks of its client
    expect(findDependents(log, 1)).toEqual([3, 4, 6]);
    expect(findDependents(log, 3)).toEqual([6]);
    expect(findDependents(log, 5)).toEqual([]);
    expect(findDependents([BRICK.subarray(0, 5), ...log], 0)).toEqual([]);
  });

  test('of random sessions: without an update and its dependents the rest compacts', () => {
    fc.assert(
      fc.property(sessionSteps(60), fc.nat(1_000), (steps, at) => {
        const { log } = playSession(steps);
        fc.pre(log.length > 0);
        const culprit = at % log.length;
        const aside = new Set([culprit, ...findDependents(log, culprit)]);
        compact({ state: null, updates: log.filter((_, index) => !aside.has(index)) });
      }),
      { numRuns: 150 },
    );
  });
});
