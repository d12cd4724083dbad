import { expect, test, vi } from 'vitest';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const notification = (id: string) => ({
  id,
  level: 'info' as const,
  title: id,
  message: '',
  timestamp: new Date(0).toISOString(),
});
const ids = (answer: { notifications: { data: { id: string } }[] }) => answer.notifications.map(({ data }) => data.id);

/** Two rooms have no order but that of the clock. */
const nextMillisecond = (now = Date.now()) => expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(now);

test('a device that was away asks which notifications are unread, of both rooms, oldest first', async () => {
  await using server = await startServer();
  const phone = await server.connect(tokenFor('ada'));
  await server.realtime.toUser('ada', 'system:notification', notification('n1'));
  await nextMillisecond();
  await server.realtime.broadcast('system:notification', notification('n2'));
  await nextMillisecond();
  await server.realtime.toUser('ada', 'system:notification', notification('n3'));
  await server.realtime.toUser('bob', 'system:notification', notification('of-bob'));
  const answer = await ask(phone, 'notification:list', {});
  expect(ids(answer)).toEqual(['n1', 'n2', 'n3']);
  expect(answer).toMatchObject({ success: true, unread: 3, notifications: [{ meta: { room: 'user:ada', seq: 1 } }, {}, {}] });
  const newest = await ask(phone, 'notification:list', { limit: 1 });
  expect([ids(newest), newest.unread]).toEqual([['n3'], 3]);
  await ask(phone, 'notification:read', { ids: ['n1', 'n3'] });
  expect(ids(await ask(phone, 'notification:list'))).toEqual(['n2']);
  await ask(phone, 'notification:read', { all: true });
  expect(await ask(phone, 'notification:list', {})).toMatchObject({ notifications: [], unread: 0 });
  expect(await ask(phone, 'notification:list', { limit: 0 })).toMatchObject({ error: { code: 'invalid-payload' } });
});

test('[3] who may read the notifications for all, and no more, is listed them and marks them read', async () => {
  await using server = await startServer();
  await server.realtime.broadcast('system:notification', notification('for-all'));
  const reader = await server.connect(tokenFor('ada', { access: { notifications: 'read' } }));
  expect(ids(await ask(reader, 'notification:list', {}))).toEqual(['for-all']);
  expect(await ask(reader, 'notification:read', { all: true })).toMatchObject({ read: ['for-all'] });
  expect(ids(await ask(reader, 'notification:list', {}))).toEqual([]);
});

test('[3] who may not read the notifications for all is listed none of them', async () => {
  await using server = await startServer();
  await server.realtime.broadcast('system:notification', notification('for-all'));
  const outsider = await server.connect(tokenFor('eve', { access: { dashboard: 'read' } }));
  await server.realtime.toUser('eve', 'system:notification', notification('own'));
  const answer = await ask(outsider, 'notification:list', {});
  expect([ids(answer), answer.unread]).toEqual([['own'], 1]);
  expect(await ask(outsider, 'notification:read', { all: true }), 'nor by marking them read').toMatchObject({ read: ['own'] });
});

test('[2] what comes while all is being marked read stays unread', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  await server.realtime.toUser('ada', 'system:notification', notification('before'));
  const phone = await server.connect(tokenFor('ada'));
  expect(ids(await ask(phone, 'notification:list', {}))).toEqual(['before']);
  const release = store.hold('read', 'answer');
  const marked = ask(phone, 'notification:read', { all: true });
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  await server.realtime.toUser('ada', 'system:notification', notification('meanwhile'));
  release();
  expect(await marked).toMatchObject({ read: ['before'] });
  expect(ids(await ask(phone, 'notification:list', {}))).toEqual(['meanwhile']);
});

test('[4] a list that was asked for before a revoke of the notifications for all shows none of them', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  await server.realtime.broadcast('system:notification', notification('for-all'));
  const phone = await server.connect(tokenFor('ada'));
  expect(ids(await ask(phone, 'notification:list', {}))).toEqual(['for-all']);
  const release = store.hold('read', 'answer');
  const listed = ask(phone, 'notification:list', {});
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  await server.realtime.revoke('ada', 'notifications');
  release();
  expect(await listed).toMatchObject({ error: { code: 'access-denied' } });
  expect(ids(await ask(phone, 'notification:list', {})), 'asked again').toEqual([]);
});
