import { expect, test } from 'vitest';
import * as Y from 'yjs';
import type { KeptDocument } from '../../client/documents/keeper.ts';
import { OfflineDocuments } from '../../client/offline/offline-documents.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const constant = <Value>(value: Value) => ({ get: () => value, subscribe: () => () => {} });

/** A client without a network. @param users whom it knew last, and whom the server verified */
function coreOf(time: SimulatedTime, { known = null, verified = null }: { known?: string | null; verified?: string | null }) {
  return {
    connector: {
      session: constant(null),
      status: constant({ state: 'offline', cause: 'browser' }),
      token: null,
      verifiedUser: verified,
    },
    user: constant(known === null ? null : { id: known }),
    env: { after: time.after.bind(time) },
    report: () => {},
  };
}

/** Whose documents are opened, without a network, by a page of ada's whose client knew somebody last. */
async function openedFor(known: string | null, last: string | null): Promise<string> {
  const core = coreOf(new SimulatedTime(), { known });
  const opened = new Promise<string>((resolve) => {
    const storage = {
      lastUser: async () => last,
      open: async (userId: string) => {
        resolve(userId);
        throw new Error('seen');
      },
    };
    const offline = new OfflineDocuments(core as never, { storage: storage as never, userId: 'ada' });
    const document = { room: 'doc:x', keptOrigins: new Set(), keepingFailed: () => {} } as unknown as KeptDocument;
    offline.keep(document, () => {}).load();
  });
  return opened;
}

test('[4] a page that knows its user opens that user’s documents, and those of whom the client knew since where it signed another in', async () => {
  expect(await openedFor(null, 'bob')).toBe('ada');
  expect(await openedFor('ada', 'bob')).toBe('ada');
  expect(await openedFor('bob', 'bob')).toBe('bob');
});

test('a storage that never answers keeps no document waiting, and is closed if it comes after all', async () => {
  const time = new SimulatedTime();
  const core = coreOf(time, { verified: 'ada' });
  const told: string[] = [];
  let answer: (stored: { close(): void }) => void = () => {};
  const storage = { lastUser: async () => null, open: () => new Promise((resolve) => (answer = resolve)) };
  const offline = new OfflineDocuments(core as never, { storage: storage as never, userId: 'ada' });
  const document = { room: 'doc:x', keptOrigins: new Set(), keepingFailed: () => told.push('failed') } as unknown as KeptDocument;
  const keeping = offline.keep(document, () => told.push('goes on'));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  keeping.load();
  await settle();
  time.advance(9_999);
  await settle();
  expect([told, keeping.isLoading]).toEqual([[], true]);
  time.advance(1);
  await keeping.whenLoaded;
  expect([told, keeping.isLoading]).toEqual([['failed', 'goes on'], false]);
  answer({ close: () => told.push('closed') });
  await settle();
  expect(told.at(-1)).toBe('closed');
});

test('a storage that opens and then never hands out what it holds keeps no document waiting, and is closed', async () => {
  const time = new SimulatedTime();
  const core = coreOf(time, { verified: 'ada' });
  const told: string[] = [];
  const stored = { generation: 1, origin: {}, load: () => new Promise(() => {}), close: () => told.push('closed') };
  const storage = { lastUser: async () => null, open: async () => stored, tabs: () => null };
  const offline = new OfflineDocuments(core as never, { storage: storage as never, userId: 'ada' });
  const document = {
    room: 'doc:x',
    doc: new Y.Doc(),
    session: { outbox: { merged: () => null }, place: null },
    keptOrigins: new Set(),
    keepingFailed: () => told.push('failed'),
  } as unknown as KeptDocument;
  const keeping = offline.keep(document, () => told.push('goes on'));
  keeping.load();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  time.advance(10_000);
  await keeping.whenLoaded;
  expect([told, keeping.isLoading]).toEqual([['closed', 'failed', 'goes on'], false]);
});
