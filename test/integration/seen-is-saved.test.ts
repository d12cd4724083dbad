import { beforeEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { type MemoryDisk, memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { FrameClient } from '../support/frame-client.ts';
import { type GatedStore, gateStore } from '../support/gated-store.ts';
import { ask, startServer, type TestServer, tokenFor } from '../support/start-server.ts';

let disk: MemoryDisk;
let store: GatedStore;

beforeEach(() => {
  disk = memoryDisk();
  store = gateStore(openMemoryStore({ disk }));
});

const timestamp = '2026-01-01T00:00:00Z';
const lost = () => new AshlarError('storage-unavailable');

/** Holds commits until it is called; at the latest until the end of the test, whose server waits for them. */
function holdCommits(): (() => void) & Disposable {
  const open = store.hold('append');
  return Object.assign(() => open(), { [Symbol.dispose]: open });
}

const commitsAreHeld = () => vi.waitFor(() => expect(store.held('append')).toBe(1));

/** Updates of one writer, each a letter behind the one before. */
function typed(clientId: number, text: string): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const [index, letter] of [...text].entries()) doc.getText('text').insert(index, letter);
  return updates;
}

async function member(server: TestServer, userId: string, clientId: number): Promise<FrameClient> {
  const client = new FrameClient(await server.connect(tokenFor(userId)), 'minutes', clientId);
  expect(await client.join()).toMatchObject({ success: true });
  client.sync();
  await client.frame('state');
  return client;
}

/** What came before the answer to a question that is asked now. */
async function receivedBy({ socket, received, room }: FrameClient): Promise<string[]> {
  await ask(socket, 'room:members', room);
  return received.map(({ type }) => type).filter((type) => type !== 'state' && type !== 'awareness');
}

/** Text of a document as a fresh member gets it. */
async function textOf(server: TestServer): Promise<string> {
  return (await server.realtime.documents.read('minutes')).getText('text').toString();
}

test('[1] a log event is seen by nobody, and its sender told nothing, until it is on disk', async () => {
  await using server = await startServer({ store });
  const [ada, bob] = await Promise.all([server.connect(tokenFor('ada')), server.connect(tokenFor('bob'))]);
  for (const socket of [ada, bob]) await ask(socket, 'join-room', 'chat:1');
  const seen: string[] = [];
  for (const [name, socket] of Object.entries({ ada, bob })) socket.on('chat:message', () => seen.push(name));

  using commit = holdCommits();
  const sent = ask(ada, 'chat:message', { sessionId: '1', content: 'hello' }, { id: 'm1' });
  const pushed = server.realtime.toRoom('chat:1', 'chat:message', {
    id: 'p1',
    sessionId: '1',
    content: 'from the backend',
    sender: 'assistant',
    timestamp,
  });
  for (const promise of [sent, pushed]) void promise.then(() => seen.push('told'));
  await commitsAreHeld();
  for (const socket of [ada, bob]) await ask(socket, 'room:members', 'chat:1');
  expect(seen).toEqual([]);

  commit();
  expect(await sent).toMatchObject({ success: true, meta: { seq: expect.any(Number) } });
  await pushed;
  for (const socket of [ada, bob]) await ask(socket, 'room:members', 'chat:1');
  expect(seen.sort()).toEqual(['ada', 'ada', 'bob', 'bob', 'told', 'told']);
});

test('[1] a document update is seen by nobody, and its sender told nothing, until it is on disk; nor is a repeat of it', async () => {
  await using server = await startServer({ store });
  const [ada, bob] = [await member(server, 'ada', 1), await member(server, 'bob', 2)];
  const [update] = typed(1, 'x') as [Uint8Array];

  using commit = holdCommits();
  ada.update(1, update);
  ada.update(1, update);
  await commitsAreHeld();
  expect([...(await receivedBy(ada)), ...(await receivedBy(bob))]).toEqual([]);

  commit();
  expect(await ada.frame('committed')).toMatchObject({ entries: [{ seq: 1, counter: 1 }] });
  expect(await bob.frame('committed')).toMatchObject({ entries: [{ seq: 1 }] });
  expect(await receivedBy(bob)).toEqual(['committed']);
});

test.each(['before', 'after'] as const)(
  '[1] a commit that failed (%s the disk had it) is unknown: nobody sees it, its sender is told so, and a resend is stored once',
  async (when) => {
    await using server = await startServer({ store });
    const [ada, bob] = await Promise.all([server.connect(tokenFor('ada')), server.connect(tokenFor('bob'))]);
    for (const socket of [ada, bob]) await ask(socket, 'join-room', 'chat:1');
    const seen: string[] = [];
    bob.on('chat:message', ({ content }) => seen.push(content));

    store.fail('append', when, lost());
    const message = { sessionId: '1', content: 'hello' };
    expect(await ask(ada, 'chat:message', message, { id: 'm1' })).toMatchObject({
      success: false,
      error: { code: 'storage-unavailable' },
    });
    const again = await vi.waitFor(async () => {
      const answer = await ask(ada, 'chat:message', message, { id: 'm1' });
      expect(answer).toMatchObject({ success: true, meta: { seq: 1 } });
      return answer;
    });
    await vi.waitFor(() => expect(seen).toEqual(['hello']));
    const { messages } = await ask(bob, 'chat:history', { sessionId: '1' });
    expect(messages).toEqual([{ data: again.data, meta: again.meta }]);
    expect(seen).toEqual(['hello']);
  },
);

test.each(['before', 'after'] as const)(
  '[1] of a document, too: what a failed commit (%s the disk had it) would have brought is not known, and a resend is stored once',
  async (when) => {
    await using server = await startServer({ store });
    const [ada, bob] = [await member(server, 'ada', 1), await member(server, 'bob', 2)];
    const [first, second] = typed(1, 'xy') as [Uint8Array, Uint8Array];

    store.fail('append', when, lost());
    ada.update(1, first);
    expect(await ada.frame('refused')).toMatchObject({ counter: 1, code: 'storage-unavailable' });
    const saved = () =>
      ada.received.some(
        (frame) =>
          (frame.type === 'saved' && frame.counter === 2) ||
          (frame.type === 'committed' && frame.entries.some((entry) => 'counter' in entry && entry.counter === 2)),
      );
    await vi.waitFor(() => {
      ada.update(1, first);
      ada.update(2, second);
      expect(saved()).toBe(true);
    });
    await vi.waitFor(async () => {
      const seqs = bob.received.flatMap((frame) => (frame.type === 'committed' ? frame.entries.map(({ seq }) => seq) : []));
      expect(seqs).toEqual([1, 2]);
    });
    expect(await textOf(server)).toBe('xy');
    expect(ada.received.filter(({ type }) => type === 'gap')).toEqual([]);
  },
);

test('[1] updates that follow each other within one commit are taken, and all of them are there after a restart', async () => {
  {
    await using server = await startServer({ store });
    const [ada, bob] = [await member(server, 'ada', 1), await member(server, 'bob', 2)];
    using commit = holdCommits();
    for (const [index, update] of typed(1, 'dressed stone').entries()) ada.update(index + 1, update);
    await commitsAreHeld();
    commit();
    await bob.frame('committed', ({ entries }) => entries.some(({ seq }) => seq === 13));
    expect(await receivedBy(ada)).not.toContain('gap');
  }
  await using again = await startServer({ store: openMemoryStore({ disk }) });
  expect(await textOf(again)).toBe('dressed stone');
});

test('[1] a state value survives a restart, though its fan-out waits for no disk', async () => {
  {
    await using server = await startServer({ store });
    const ada = await server.connect(tokenFor('ada'));
    await ask(ada, 'join-room', 'dashboard');
    using commit = holdCommits();
    const seen = new Promise((resolve) => ada.once('dashboard:update', resolve));
    await server.realtime.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: 7, timestamp });
    expect(await seen).toMatchObject({ value: 7 });
    commit();
  }
  await using again = await startServer({ store: openMemoryStore({ disk }) });
  const bob = await again.connect(tokenFor('bob'));
  const value = new Promise((resolve) => bob.once('dashboard:update', resolve));
  await ask(bob, 'join-room', 'dashboard');
  expect(await value).toMatchObject({ widgetId: 'orders', value: 7 });
});

test('[1] a document that cannot be loaded is told so, and is never an empty one', async () => {
  {
    await using server = await startServer({ store, compactAfterRecords: 5 });
    const ada = await member(server, 'ada', 1);
    for (const [index, update] of typed(1, 'stone').entries()) ada.update(index + 1, update);
    await vi.waitFor(() => expect(disk.rooms.get('doc:minutes' as never)?.snapshot).not.toBeNull(), { timeout: 10_000 });
  }
  const damaged = openMemoryStore({ disk });
  const { readSnapshot } = damaged;
  damaged.readSnapshot = () => Promise.reject(new AshlarError('storage-damaged'));
  await using server = await startServer({ store: damaged });
  const bob = new FrameClient(await server.connect(tokenFor('bob')), 'minutes', 2);
  await bob.join();
  bob.sync();
  expect(await bob.frame('refused')).toMatchObject({ counter: 0, code: 'storage-damaged' });
  await expect(server.realtime.documents.read('minutes')).rejects.toMatchObject({ code: 'storage-damaged' });
  await expect(server.realtime.documents.transact('minutes', (doc) => doc.getText('text').insert(0, 'new'))).rejects.toThrow();
  expect(await receivedBy(bob)).toEqual(['refused']);
  damaged.readSnapshot = readSnapshot;
  bob.sync();
  await bob.frame('state');
  expect(await textOf(server)).toBe('stone');
});
