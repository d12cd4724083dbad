import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const progress = (batchId: string, percent: number) =>
  ({ batchId, progress: percent, current: percent, total: 100, status: 'processing' }) as const;

/** What a first join of a room receives, up to an event that is sent behind it. */
async function received(socket: Socket, room: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const take = (name: string, data: unknown) => seen.push([name, data]);
  socket.onAny(take);
  await ask(socket, 'join-room', room);
  // Answered behind what the join sends.
  await ask(socket, 'room:members', room);
  await ask(socket, 'leave-room', room);
  socket.offAny(take);
  return seen;
}

test('log events and state values that are too old go, also from rooms that nobody touches any more', async () => {
  const maxAgeMs = 1_000;
  await using server = await startServer({ retention: { log: { maxAgeMs }, state: { maxAgeMs } } });
  const { realtime } = server;
  await realtime.toRoom('chat:old', 'chat:message', {
    id: 'm1',
    sessionId: 'old',
    content: 'hello',
    sender: 'assistant',
    timestamp: new Date().toISOString(),
  } as never);
  expect(await realtime.toRoom('batch:old', 'batch:progress', progress('old', 40))).toMatchObject({ rev: 1 });
  await realtime.toUser('ada', 'system:notification', {
    id: 'n1',
    level: 'info',
    title: 'a',
    message: 'b',
    timestamp: new Date().toISOString(),
  });
  const ada = await server.connect(tokenFor('ada'));
  await ask(ada, 'notification:read', { ids: ['n1'] });
  await vi.waitFor(
    async () => {
      expect(await received(ada, 'chat:old')).toEqual([]);
      expect(await received(ada, 'batch:old')).toEqual([]);
    },
    { timeout: 15_000, interval: 200 },
  );
  // What comes later is numbered on, and a value published again is not taken for an old one.
  const value = next(ada, 'batch:progress');
  await ask(ada, 'join-room', 'batch:old');
  await realtime.toRoom('batch:old', 'batch:progress', progress('old', 50));
  expect(await value).toMatchObject([{ progress: 50 }, { rev: 2 }]);
});

test('[2] whoever has the last record that was cut goes on from there, and nobody from before it', async () => {
  await using server = await startServer({ retention: { log: { maxRecords: 100 } }, limits: { joinsPerMinute: 10_000 } });
  for (let number = 1; number <= 200; number++)
    await server.realtime.toRoom('catalog', 'catalog:updated', {
      updatedAt: '2026-01-01T00:00:00Z',
      changes: { added: number, modified: 0, deleted: 0 },
    });
  const ada = await server.connect(tokenFor('ada'));
  const { epoch } = await ask(ada, 'join-room', 'catalog');
  const from = (seq: number) => ask(ada, 'join-room', 'catalog', { epoch, seq });
  await vi.waitFor(async () => expect(await from(99)).toMatchObject({ recovered: false, reason: 'expired' }));
  expect(await from(100)).toMatchObject({ recovered: true, seq: 100, head: 200 });
});

test('of state values the newest are kept', async () => {
  await using server = await startServer({ retention: { state: { maxRecords: 3 } } });
  for (const widgetId of ['a', 'b', 'c', 'a', 'd', 'e'])
    await server.realtime.broadcast('dashboard:update', { widgetId, value: 1, timestamp: '2026-01-01T00:00:00Z' });
  const ada = await server.connect(tokenFor('ada'));
  const widgets = async () =>
    ((await received(ada, 'dashboard')) as [string, { widgetId: string }][]).map(([, data]) => data.widgetId);
  await vi.waitFor(async () => expect((await widgets()).sort()).toEqual(['a', 'd', 'e']));
});

test('what a user has read stays read, however few state values are kept', async () => {
  await using server = await startServer({ retention: { state: { maxRecords: 1 } } });
  const notify = (id: string) =>
    server.realtime.toUser('ada', 'system:notification', {
      id,
      level: 'info',
      title: 'a',
      message: 'b',
      timestamp: '2026-01-01T00:00:00Z',
    });
  for (const id of ['n1', 'n2', 'n3', 'n4']) await notify(id);
  const ada = await server.connect(tokenFor('ada'));
  expect(await ask(ada, 'notification:read', { ids: ['n2', 'n3'] })).toMatchObject({ read: ['n2', 'n3'] });
  // The second is on disk behind whatever the first had dropped.
  for (const id of ['n5', 'n6']) await notify(id);
  const { notifications } = (await ask(ada, 'notification:list', {})) as { notifications: { data: { id: string } }[] };
  expect(notifications.map(({ data }) => data.id)).toEqual(['n1', 'n4', 'n5', 'n6']);
});

test('a document’s tail goes with its age under a snapshot, and its content stays', async () => {
  await using server = await startServer({ compactAfterRecords: 20, retention: { documents: { maxAgeMs: 1_500 } } });
  const { documents } = server.realtime;
  for (let i = 0; i < 25; i++) await documents.transact('plan', (doc) => doc.getText('t').insert(i, 'x'));
  const ada = await server.connect(tokenFor('ada'));
  const { epoch } = await ask(ada, 'join-room', 'doc:plan', { clientId: 7, secret: 's'.repeat(32) });
  await vi.waitFor(
    async () => {
      const socket = await server.connect(tokenFor('bob'));
      const answer = await ask(socket, 'join-room', 'doc:plan', { clientId: 8, secret: 't'.repeat(32), epoch, seq: 1 });
      socket.disconnect();
      expect(answer).toMatchObject({ success: true, recovered: false, reason: 'expired' });
    },
    { timeout: 15_000, interval: 200 },
  );
  expect((await documents.read('plan')).getText('t').toString()).toBe('x'.repeat(25));
});
