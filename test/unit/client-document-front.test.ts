import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import type { DocumentStart } from '../../client/documents/document-face.ts';
import { DocumentFront } from '../../client/documents/document-front.ts';
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
  const front = new DocumentFront('doc:x', {}, { env, report: () => {} } as never);
  return { front, time };
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

test('code that does not come is asked for ever more slowly, and not at all for a document that is closed', async () => {
  const { front, time } = openFront();
  const waits: number[] = [];
  for (let failure = 1; failure <= 7; failure++) {
    asked.at(-1)?.fail();
    await settle();
    const from = time.now;
    while (asked.length === failure && time.now - from < 60_000) time.advance(100);
    waits.push(Math.round((time.now - from) / 1_000));
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
  asked.at(-1)?.fail();
  await settle();
  const before = asked.length;
  front.close();
  time.advance(60_000);
  expect(asked).toHaveLength(before);
});
