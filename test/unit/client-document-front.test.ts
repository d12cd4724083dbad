import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { loadLiveDocument } from '../../client/documents/document-code.ts';
import type { DocumentStart } from '../../client/documents/document-face.ts';
import { DocumentFront } from '../../client/documents/document-front.ts';
import type { Keep } from '../../client/documents/keeper.ts';
import { Later } from '../../client/later.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

// What keeps documents in step with the server comes when the test says so, and is the test's.
const asked: { come(): void; fail(): void }[] = [];
const starts: DocumentStart[] = [];
const told: string[] = [];
vi.mock('../../client/documents/document-code.ts', () => ({
  liveDocumentMaker: () => null,
  loadLiveDocument: () =>
    new Promise((resolve, reject) => {
      const make = (_face: unknown, start: DocumentStart) => {
        starts.push(start);
        return {
          doc: start.doc,
          want: (wanted: boolean) => told.push(wanted ? 'wanted' : 'not wanted'),
          connected: () => told.push('connected'),
          close: () => {},
        };
      };
      asked.push({ come: () => resolve(make), fail: () => reject(new Error('the file is gone')) });
    }),
}));

const settle = () => new Promise((resolve) => setImmediate(resolve));

function openFront() {
  for (const list of [asked, starts, told]) list.length = 0;
  const time = new SimulatedTime();
  const env = { random: () => 0.999, after: time.after.bind(time) };
  const live = new Later(loadLiveDocument, env, () => {});
  const front = new DocumentFront('doc:x', {}, { live, keep: undefined }, { env, report: () => {} } as never);
  return { front, time, live };
}

test('what was edited before the code came is handed over as it was made, and counted by the code from then on', async () => {
  const { front } = openFront();
  const other = new Y.Doc();
  other.getText('text').insert(0, 'kept elsewhere');
  Y.applyUpdate(front.doc, Y.encodeStateAsUpdate(other), 'another provider');
  front.doc.getText('text').insert(0, 'mine ');
  expect(front.unsavedChanges.get()).toBe(2);
  asked[0]?.come();
  await settle();
  expect(starts.map(({ edits }) => edits.map(({ local }) => local))).toEqual([[false, true]]);
  front.doc.getText('text').insert(0, 'not for the front to count ');
  expect([front.unsavedChanges.get(), starts[0]?.edits.length]).toEqual([2, 2]);
  front.close();
});

test('a document that is not wanted any more when the code comes stays out of its room', async () => {
  const { front } = openFront();
  front.connected({ user: { id: 'ada' } } as never);
  front.want(true);
  front.want(false);
  asked[0]?.come();
  await settle();
  expect([told, front.status.get()]).toEqual([['connected', 'not wanted'], { state: 'offline' }]);
  front.close();
});

test('code that does not come is asked for ever more slowly, at once where the network may be back, and no more by a client that is destroyed', async () => {
  const { front, time, live } = openFront();
  const waits: number[] = [];
  for (let failure = 1; failure <= 7; failure++) {
    asked.at(-1)?.fail();
    await settle();
    const from = time.now;
    while (asked.length === failure && time.now - from < 60_000) time.advance(100);
    waits.push(Math.round((time.now - from) / 1_000));
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
  // Under way: there is nothing to hurry.
  live.hurry();
  expect(asked).toHaveLength(8);
  asked.at(-1)?.fail();
  await settle();
  live.hurry();
  expect(asked).toHaveLength(9);
  time.advance(60_000);
  expect(asked).toHaveLength(9);
  asked.at(-1)?.fail();
  await settle();
  front.close();
  live.stop();
  time.advance(60_000);
  expect(asked).toHaveLength(9);
});

test('documents that wait for the same part ask for it once, and all of them go on when it is there', async () => {
  const { front, live } = openFront();
  const second = new DocumentFront('doc:y', {}, { live, keep: undefined }, { report: () => {} } as never);
  expect(asked).toHaveLength(1);
  asked[0]?.fail();
  await settle();
  expect([front, second].map(({ status }) => status.get().state)).toEqual(['refused', 'refused']);
  const third = new DocumentFront('doc:z', {}, { live, keep: undefined }, { report: () => {} } as never);
  expect(third.status.get()).toMatchObject({ state: 'refused', error: { code: 'not-loaded', room: 'doc:z' } });
  live.hurry();
  asked[1]?.come();
  await settle();
  expect([asked.length, starts.length]).toEqual([2, 3]);
  expect([front, second, third].map(({ status }) => status.get().state)).toEqual(['offline', 'offline', 'offline']);
  for (const each of [front, second, third]) each.close();
});

test('code that takes its time is told after ten seconds, and is taken when it comes all the same', async () => {
  const { front, time } = openFront();
  front.connected({ user: { id: 'ada' } } as never);
  front.want(true);
  time.advance(9_900);
  expect(front.status.get()).toEqual({ state: 'joining' });
  time.advance(200);
  expect(front.status.get()).toMatchObject({ state: 'refused', error: { code: 'not-loaded' } });
  asked[0]?.come();
  await settle();
  expect([asked.length, told, front.status.get()]).toEqual([1, ['connected', 'wanted'], { state: 'joining' }]);
  front.close();
});

test('a document that is kept waits for what keeps it, too, and says that it is not loaded where that does not come', async () => {
  const { live, time } = openFront();
  let [came, attempts] = [false, 0];
  const load = async () => {
    attempts++;
    if (!came) throw new Error('gone');
    return (async () => {}) as unknown as Keep;
  };
  const keep = new Later(load, { random: () => 0.999, after: time.after.bind(time) }, () => {});
  const front = new DocumentFront('doc:k', {}, { live, keep }, { report: () => {} } as never);
  const loaded = vi.fn();
  void front.whenLoaded.then(loaded);
  asked[0]?.come();
  await settle();
  // Nobody can wait for that in vain: what is kept follows.
  expect([front.status.get().state, loaded.mock.calls.length, starts.length]).toEqual(['refused', 1, 1]);
  front.doc.getText('text').insert(0, 'not lost');
  came = true;
  time.advance(2_000);
  await settle();
  expect([attempts, starts.length, starts[1]?.edits.length, starts[1]?.keep === undefined]).toEqual([2, 2, 1, false]);
  front.close();
});

test('a caller’s own document that is given up before the code came leaves no timer behind', () => {
  const { live, time } = openFront();
  const doc = new Y.Doc();
  const front = new DocumentFront('doc:own', { doc }, { live, keep: undefined }, { report: () => {} } as never);
  const gone = vi.fn();
  front.awareness.on('destroy', gone);
  front.close();
  expect([gone.mock.calls.length, doc.isDestroyed, time.now]).toEqual([1, false, time.now]);
});
