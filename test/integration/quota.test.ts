import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { AshlarError } from '../../shared/errors.ts';
import { FrameClient } from '../support/frame-client.ts';
import { LogLines } from '../support/log-lines.ts';
import { ask, next, startServer, type TestServer, tokenFor } from '../support/start-server.ts';

const QUOTA = 1_000_000;
const TEXT = 'x'.repeat(9_000);
const note = () => ({ id: 'n', level: 'info' as const, title: 't', message: TEXT, timestamp: new Date(0).toISOString() });

/** Publishes until nothing more is taken. @returns how many were */
async function fill(server: TestServer, user: string): Promise<number> {
  for (let taken = 0; ; taken++) {
    try {
      await server.realtime.toUser(user, 'system:notification', note());
    } catch (error) {
      expect(AshlarError.from(error).code).toBe('storage-full');
      return taken;
    }
  }
}

function folderBytes({ dataDir }: TestServer): number {
  return ['ashlar.db', 'ashlar.db-wal'].reduce((sum, file) => sum + statSync(join(dataDir, file)).size, 0);
}

const ready = async ({ url }: TestServer) => (await fetch(`${url}/readyz`)).status;

test('a quota rings early, then takes nothing new as on a full disk, while reads, joins and deletions go on; what they free is used', async () => {
  const log = new LogLines();
  const told: string[] = [];
  await using server = await startServer({ quota: { bytes: QUOTA }, logger: log.logger });
  server.realtime.on('storage:quota', ({ state }) => told.push(state));
  await server.realtime.documents.create('plan', (doc) => void doc.getText('t').insert(0, 'y'.repeat(200_000)));
  await server.realtime.toRoom('dashboard', 'dashboard:update', {
    widgetId: 'a',
    value: 1,
    timestamp: new Date(0).toISOString(),
  });
  expect(await ready(server)).toBe(200);

  expect(await fill(server, 'ada')).toBeGreaterThan(30);
  expect(told).toEqual(['warning', 'full']);
  expect(log.all().filter(({ msg }) => msg === 'storage:quota')).toMatchObject([
    { state: 'warning', quota: QUOTA },
    { state: 'full' },
  ]);
  // The commit that reached it was taken whole: a few pages more.
  expect(folderBytes(server)).toBeLessThan(QUOTA + 100_000);
  expect(await ready(server)).toBe(507);
  const metrics = await server.realtime.metrics();
  expect(metrics).toContain(`ashlar_storage_quota_bytes ${QUOTA}\n`);
  expect(metrics).toContain('ashlar_storage_full 1\n');

  // Reading, joining, presence and values in the place of others go on.
  const ada = await server.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  expect(await ask(ada, 'join-room', 'user:ada')).toMatchObject({ success: true });
  expect(await ask(ada, 'join-room', 'chat:never-written')).toMatchObject({ success: true });
  expect((await server.realtime.documents.read('plan')).getText('t').length).toBe(200_000);
  await server.realtime.toRoom('dashboard', 'dashboard:update', {
    widgetId: 'a',
    value: 2,
    timestamp: new Date(0).toISOString(),
  });
  expect(await ask(ada, 'dashboard:refresh', { widgets: ['a'] })).toMatchObject({ success: true });
  // New ones, messages and edits are refused, and their senders told.
  const publish = (widgetId: string) =>
    server.realtime.toRoom('dashboard', 'dashboard:update', { widgetId, value: 2, timestamp: new Date(0).toISOString() });
  await expect(publish('b')).rejects.toMatchObject({ code: 'storage-full' });
  expect(await ask(ada, 'chat:message', { sessionId: 's', content: 'hello' })).toMatchObject({
    success: false,
    error: { code: 'storage-full' },
  });
  await expect(server.realtime.documents.create('other')).rejects.toMatchObject({ code: 'storage-full' });
  // Taking access away is no matter of room.
  await server.realtime.revoke('ada', 'doc:secret');

  // A deletion makes room, and nothing has to be restarted.
  await server.realtime.documents.delete('plan');
  await vi.waitFor(() => expect(told.at(-1)).not.toBe('full'));
  await vi.waitFor(async () => expect(await ready(server)).toBe(200));
  // The session was joined while its room could not be made: that is done with the first message, which comes again.
  await vi.waitFor(async () =>
    expect(await ask(ada, 'chat:message', { sessionId: 's', content: 'hello' })).toMatchObject({ success: true }),
  );
});

test('a document that is edited over its quota tells the editor, keeps its counter, and takes the same update once there is room', async () => {
  await using server = await startServer({ quota: { bytes: QUOTA } });
  const ada = await server.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  const document = new FrameClient(ada, 'plan', 5);
  await document.join();
  document.sync();
  await document.frame('state');
  await server.realtime.documents.create('ballast', (doc) => void doc.getText('t').insert(0, 'y'.repeat(200_000)));
  await fill(server, 'bob');
  const doc = new Y.Doc();
  doc.clientID = 5;
  doc.getText('t').insert(0, 'a');
  const update = Y.encodeStateAsUpdate(doc);
  document.update(1, update);
  expect(await document.frame('refused')).toMatchObject({ counter: 1, code: 'storage-full' });
  await server.realtime.documents.delete('ballast');
  await vi.waitFor(async () => expect(await ready(server)).toBe(200));
  document.update(1, update);
  expect(await document.frame('committed')).toMatchObject({ entries: [{ seq: 1, counter: 1 }] });
});

test('of a list that is published over the quota nothing is taken, not even what would stand in the place of another', async () => {
  await using server = await startServer({ quota: { bytes: QUOTA } });
  const timestamp = new Date(0).toISOString();
  const update = (value: number) => ({ event: 'dashboard:update', data: { widgetId: 'a', value, timestamp } });
  const post = async (events: unknown) => {
    const response = await fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenFor('backend', { permissions: ['publish'] })}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(events),
    });
    return response.status;
  };
  expect(await post(update(1))).toBe(200);
  await fill(server, 'ada');
  const ada = await server.connect(tokenFor('ada'));
  const value = next(ada, 'dashboard:update');
  const message = { id: 'm1', sessionId: 's', content: 'hello', sender: 'assistant', timestamp };
  expect(await post([update(2), { event: 'chat:message', data: message }])).toBe(507);
  await ask(ada, 'join-room', 'dashboard');
  expect((await value)[0]).toMatchObject({ value: 1 });
  // What takes no room goes on.
  const typing = { event: 'chat:typing', data: { sessionId: 's', isTyping: true } };
  expect(await post([typing, typing])).toBe(200);
  expect(await post([typing, update(3)])).toBe(507);
});

test('an edit by the backend that the quota refuses leaves nothing behind: the next ones are whole', async () => {
  await using server = await startServer({ quota: { bytes: QUOTA } });
  const { documents } = server.realtime;
  const write = (text: string) => documents.transact('plan', (doc) => doc.getText('t').insert(0, text));
  await write('first');
  await documents.create('ballast', (doc) => void doc.getText('t').insert(0, 'y'.repeat(200_000)));
  await fill(server, 'bob');
  await expect(write('refused')).rejects.toMatchObject({ code: 'storage-full' });
  await documents.delete('ballast');
  await vi.waitFor(async () => expect(await ready(server)).toBe(200));
  await write('then ');
  expect((await documents.read('plan')).getText('t').toString()).toBe('then first');
});

test('retention makes room by itself; so does a higher quota', async () => {
  await using first = await startServer({ quota: { bytes: QUOTA }, retention: { log: { maxRecords: 10_000 } } });
  const taken = await fill(first, 'ada');
  await first.stop();
  await using second = await startServer({
    dataDir: first.dataDir,
    quota: { bytes: QUOTA },
    retention: { log: { maxRecords: 10_000, maxAgeMs: 1_000 } },
  });
  expect(await ready(second)).toBe(507);
  await vi.waitFor(async () => expect(await ready(second)).toBe(200), { timeout: 10_000 });
  expect(await fill(second, 'ada')).toBeGreaterThan(taken / 2);
  await second.stop();
  await using third = await startServer({ dataDir: first.dataDir, quota: { bytes: 2 * QUOTA } });
  expect(await fill(third, 'ada')).toBeGreaterThan(taken / 2);
});
