import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createEventClient, defineEvent, type EventClientOptions, type EventMeta, type RoomStatus } from '../../client/index.ts';
import type { AshlarError } from '../../shared/errors.ts';
import { until } from '../support/sdk.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const orderShipped = defineEvent({
  name: 'order:shipped',
  room: 'order:*',
  roomOf: (order) => `order:${order.orderId}`,
  sentBy: ['client', 'backend'],
  payload: z.object({ orderId: z.string(), carrier: z.string() }),
  delivery: { class: 'log' },
});
const orderNoted = defineEvent({
  name: 'order:noted',
  room: 'orders',
  sentBy: ['client'],
  payload: z.any(),
  delivery: { class: 'log' },
});
const orderPriced = defineEvent({
  name: 'order:priced',
  room: 'orders',
  sentBy: ['client', 'backend'],
  payload: z.pipe(
    z.number(),
    z.transform((euros) => euros * 100),
  ),
  delivery: { class: 'log' },
});
const orderTagged = defineEvent({
  name: 'order:tagged',
  room: 'orders',
  sentBy: ['client'],
  payload: z.optional(z.string()),
  delivery: { class: 'ephemeral' },
});
const EVENTS = [orderShipped, orderNoted, orderPriced, orderTagged] as const;

function clientOf(url: string, user: string, options: Partial<EventClientOptions<typeof EVENTS>> = {}) {
  const client = createEventClient({ url, token: tokenFor(user), events: EVENTS, onError: () => {}, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}

function gather<Payload>(count: number) {
  const got: { payload: Payload; meta: EventMeta }[] = [];
  let done: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  return {
    got,
    all,
    take: (payload: Payload, meta: EventMeta) => {
      got.push({ payload, meta });
      if (got.length === count) done();
    },
  };
}

const update = (widgetId: string, value: number) => ({ widgetId, value, timestamp: new Date(0).toISOString() });

function start(): Promise<TestServer<typeof EVENTS>> {
  return startServer({ events: EVENTS });
}

test('a client connects, knows its user, and sees the current value of what it joins', async () => {
  await using server = await start();
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 7));
  using client = clientOf(server.url, 'ada');
  const seen = gather<{ value: number }>(1);
  client.on('dashboard:update', seen.take);
  await client.connect();
  expect(client.status.get().state).toBe('connected');
  expect(client.user.get()?.id).toBe('ada');
  const joined = await client.joinRoom('dashboard');
  expect(joined).toMatchObject({ access: 'write', recovered: false, reason: 'new' });
  await seen.all;
  expect(seen.got[0]?.payload.value).toBe(7);
  // A widget that is mounted later starts with the same value.
  const later = gather<{ value: number }>(1);
  client.on('dashboard:update', later.take);
  await later.all;
  expect(later.got[0]?.payload.value).toBe(7);
});

test('the latest value holds a lease while somebody subscribes, and a subscriber that throws is told to onError', async () => {
  await using server = await start();
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 7));
  let tell: (error: unknown) => void = () => {};
  const told = new Promise((resolve) => {
    tell = resolve;
  });
  using client = clientOf(server.url, 'ada', { onError: (error) => tell(error) });
  await client.connect();
  const sales = client.latest('dashboard:update', 'sales');
  const broken = new Error('a subscriber');
  const stop = sales.subscribe(() => {
    throw broken;
  });
  expect(await told).toBe(broken);
  expect(sales.get()?.value).toBe(7);
  // One that goes and comes back at once interrupts nothing.
  stop();
  const again = gather<unknown>(1);
  const end = sales.subscribe((value) => again.take(value, { room: 'dashboard', at: 0 }));
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 8));
  await again.all;
  expect(sales.get()?.value).toBe(8);
  end();
  await until(client.room('dashboard'), ({ state }) => state === 'left');
  expect(sales.get()?.value).toBe(8);
});

test('a refresh brings the values again that the client has already, and a reconnect does not', async () => {
  await using server = await start();
  await using proxy = await startTcpProxy(server.url);
  using client = clientOf(proxy.url, 'ada');
  for (const widget of ['a', 'b']) await server.realtime.toRoom('dashboard', 'dashboard:update', update(widget, 1));
  const values: string[] = [];
  let told: () => void = () => {};
  client.on('dashboard:update', ({ widgetId, value }) => {
    values.push(`${widgetId}${value}`);
    told();
  });
  const next = () =>
    new Promise<void>((resolve) => {
      told = resolve;
    });
  void client.connect();
  await client.joinRoom('dashboard');
  const again = next();
  await client.emit('dashboard:refresh', { widgets: ['b'] });
  await again;
  expect(values).toEqual(['a1', 'b1', 'b1']);
  proxy.cut();
  await until(client.status, ({ state }) => state !== 'connected');
  proxy.mend();
  await until(client.room('dashboard'), ({ state }) => state === 'joined');
  const fresh = next();
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('b', 2));
  await fresh;
  expect(values).toEqual(['a1', 'b1', 'b1', 'b2']);
});

test('a chat message is answered as stored, reaches the other, and stands in the history', async () => {
  await using server = await start();
  using ada = clientOf(server.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  void ada.connect();
  void bob.connect();
  await bob.joinRoom('chat:s1');
  const heard = gather<{ content: string; userId?: string | undefined }>(1);
  bob.on('chat:message', heard.take);
  const answer = await ada.emit('chat:message', { sessionId: 's1', content: 'hello' });
  expect(answer.data).toMatchObject({ sessionId: 's1', content: 'hello', userId: 'ada', sender: 'user' });
  expect(answer.meta?.seq).toBe(1);
  await heard.all;
  expect(heard.got[0]?.payload).toMatchObject({ content: 'hello', userId: 'ada' });
  const page = await bob.chatHistory('s1');
  expect(page.messages.map(({ data }) => data.content)).toEqual(['hello']);
});

test('[8] a wrong payload and an event that only the backend sends are refused before they leave', async () => {
  await using server = await start();
  using ada = clientOf(server.url, 'ada');
  await ada.connect();
  // @ts-expect-error content is missing
  await expect(ada.emit('chat:message', { sessionId: 's1' })).rejects.toMatchObject({ code: 'invalid-payload' });
  // @ts-expect-error sent by the backend alone
  await expect(ada.emit('dashboard:update', update('a', 1))).rejects.toMatchObject({ code: 'access-denied' });
  // @ts-expect-error no such event
  await expect(ada.emit('no:such', {})).rejects.toMatchObject({ code: 'unknown-event' });
  // @ts-expect-error no such event
  expect(() => ada.on('no:such', () => {})).toThrowError(expect.objectContaining({ code: 'unknown-event' }));
  expect(() => ada.on('chat:message', undefined as never)).toThrowError(expect.objectContaining({ code: 'invalid-options' }));
});

test('[8] what JSON cannot hold is refused before it leaves, and the connection goes on', async () => {
  await using server = await start();
  using client = clientOf(server.url, 'ada');
  await client.connect();
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  const nested = (levels: number): unknown => (levels === 0 ? 'x' : [nested(levels - 1)]);
  const deep: unknown = Array.from({ length: 5_000 }).reduce((inner) => ({ inner }), {});
  const throwing = {
    toJSON() {
      throw new Error('no');
    },
  };
  await expect(client.emit('order:tagged', undefined)).rejects.toMatchObject({ code: 'invalid-payload' });
  for (const payload of [cycle, { count: 1n }, deep, nested(33), throwing]) {
    await expect(client.emit('order:noted', payload)).rejects.toMatchObject({
      code: 'invalid-payload',
      detail: 'order:noted is not JSON of at most 32 levels',
    });
  }
  await client.joinRoom('orders');
  // As deep as the server takes it.
  expect((await client.emit('order:noted', nested(32))).data).toEqual(nested(32));
  const dropped = { note: 'x', format: () => 'y', mark: Symbol('z'), none: undefined };
  expect((await client.emit('order:noted', dropped)).data).toEqual({ note: 'x' });
  expect(client.status.get()).toMatchObject({ state: 'connected', recovered: false });
});

test('what a schema makes of a payload, it makes of it once: on the server, whoever sends it', async () => {
  await using server = await start();
  using client = clientOf(server.url, 'ada');
  await client.connect();
  await client.joinRoom('orders');
  const { got, all, take } = gather<number>(2);
  client.on('order:priced', take);
  expect((await client.emit('order:priced', 3)).data).toBe(300);
  await server.realtime.toRoom('orders', 'order:priced', 4);
  await all;
  expect(got.map(({ payload }) => payload)).toEqual([300, 400]);
});

test('a client that is destroyed is over: nothing of it waits, nobody hears from it, and nothing starts it again', async () => {
  await using server = await start();
  using other = clientOf(server.url, 'bob');
  const client = clientOf(server.url, 'ada');
  const states: string[] = [];
  client.onStatus(({ state }) => states.push(state));
  const heard: unknown[] = [];
  client.on('order:shipped', (payload) => heard.push(payload));
  const early = client.joinRoom('order:1');
  const waiting = client.emit('order:shipped', { orderId: '1', carrier: 'early' });
  client.destroy();
  await expect(early).rejects.toMatchObject({ code: 'client-closed' });
  await expect(waiting).rejects.toMatchObject({ code: 'client-closed' });
  expect([client.status.get().state, client.pending.get(), client.room('order:1').get().state]).toEqual(['closed', 0, 'left']);
  const after = states.length;
  client.destroy();
  client.disconnect();
  for (const refused of [
    client.connect(),
    client.joinRoom('order:1'),
    client.emit('order:shipped', { orderId: '1', carrier: 'late' }),
    client.chatHistory('s'),
  ])
    await expect(refused).rejects.toMatchObject({ code: 'client-closed' });
  expect(states.slice(after).filter((state) => state !== 'closed')).toEqual([]);
  await other.connect();
  await other.joinRoom('order:1');
  await other.emit('order:shipped', { orderId: '1', carrier: 'now' });
  expect(heard).toEqual([]);
  expect(server.realtime.getStats().totalConnections).toBe(1);
});

test('[2] a client cut off while 300 events pass gets each once, in order, and is told recovered', async () => {
  await using server = await start();
  await using proxy = await startTcpProxy(server.url);
  using client = clientOf(proxy.url, 'ada');
  const seen = gather<{ carrier: string }>(302);
  client.on('order:shipped', seen.take);
  void client.connect();
  await client.joinRoom('order:1');
  const send = (index: number) =>
    server.realtime.toRoom('order:1', 'order:shipped', { orderId: '1', carrier: `carrier ${index}` });
  await send(0);
  proxy.cut();
  await until(client.status, ({ state }) => state !== 'connected');
  await Promise.all(Array.from({ length: 300 }, (_, index) => send(index + 1)));
  const rejoined = new Promise((resolve) => {
    client.onRoom('order:1', (status) => {
      if (status.state === 'joined') resolve(status);
    });
  });
  const claims: boolean[] = [];
  client.status.subscribe((status) => {
    if (status.state === 'connected') claims.push(status.recovered);
  });
  proxy.mend();
  expect(await rejoined).toMatchObject({ recovered: true });
  await send(301);
  await seen.all;
  expect(seen.got.map(({ payload }) => payload.carrier)).toEqual(Array.from({ length: 302 }, (_, index) => `carrier ${index}`));
  expect(new Set(claims)).toEqual(new Set([true]));
});

test('messages whose answers were cut off are sent again and not doubled; those emitted meanwhile follow, in order', async () => {
  await using server = await start();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  void bob.connect();
  await bob.joinRoom('chat:s1');
  const heard = gather<{ content: string }>(5);
  bob.on('chat:message', heard.take);
  await ada.connect();
  // The server takes them, and its answers do not come through.
  proxy.stall();
  const racing = Array.from({ length: 5 }, (_, index) =>
    ada.emit('chat:message', { sessionId: 's1', content: `racing ${index}` }),
  );
  await heard.all;
  proxy.cut();
  await until(ada.status, ({ state }) => state !== 'connected');
  const waiting = Array.from({ length: 5 }, (_, index) =>
    ada.emit('chat:message', { sessionId: 's1', content: `waiting ${index}` }),
  );
  expect(ada.pending.get()).toBe(10);
  proxy.mend();
  const answers = await Promise.all([...racing, ...waiting]);
  expect(ada.pending.get()).toBe(0);
  expect(answers.map(({ meta }) => meta?.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const { messages } = await ada.chatHistory('s1');
  const expected = ['racing', 'waiting'].flatMap((word) => Array.from({ length: 5 }, (_, index) => `${word} ${index}`));
  expect(messages.map(({ data }) => data.content)).toEqual(expected);
});

test('a refused token is asked for again where it is a function, and ends in refused where it is a string', async () => {
  await using server = await start();
  let asked = 0;
  using renewing = clientOf(server.url, 'ada', {
    token: async () => (++asked === 1 ? tokenFor('ada', { expiresInSeconds: -10 }) : tokenFor('ada')),
  });
  await renewing.connect();
  expect(asked).toBe(2);
  using fixed = clientOf(server.url, 'ada', { token: tokenFor('ada', { expiresInSeconds: -10 }) });
  await expect(fixed.connect()).rejects.toMatchObject({ code: 'token-expired' });
  expect(fixed.status.get()).toEqual({ state: 'refused', code: 'token-expired', message: 'Invalid token' });
  await fixed.connect({ token: tokenFor('ada') });
  expect(fixed.status.get().state).toBe('connected');
});

test('a token is renewed on the open connection ahead of its end, and no room is lost by it', async () => {
  await using server = await start();
  const begun = Date.now();
  let asked = 0;
  using client = clientOf(server.url, 'ada', { token: () => tokenFor('ada', { expiresInSeconds: ++asked === 1 ? 3 : 3_600 }) });
  const states: string[] = [];
  client.onStatus(({ state }) => states.push(state));
  await client.connect();
  await client.joinRoom('order:1');
  // Beyond the first token's end the connection is still the same one.
  await expect.poll(() => Date.now() - begun, { timeout: 6_000, interval: 100 }).toBeGreaterThan(3_600);
  expect(asked).toBe(2);
  await client.emit('order:shipped', { orderId: '1', carrier: 'still here' });
  expect(states).toEqual(['connecting', 'connected']);
});

test('a room that may not be read rejects with its code, and the client goes on', async () => {
  await using server = await start();
  using client = clientOf(server.url, 'ada', { token: tokenFor('ada', { access: { 'order:1': 'read' } }) });
  await client.connect();
  const error = await client.joinRoom('order:2').catch((refusal: AshlarError) => refusal);
  expect(error).toMatchObject({ code: 'access-denied' });
  expect(client.room('order:2').get()).toMatchObject({ state: 'refused' });
  expect(await client.joinRoom('order:1')).toMatchObject({ access: 'read' });
  await expect(client.joinRoom('doc:handbook' as string)).rejects.toMatchObject({ code: 'invalid-room' });
});

test('notifications marked read are marked on every device', async () => {
  await using server = await start();
  using phone = clientOf(server.url, 'ada');
  using laptop = clientOf(server.url, 'ada');
  await phone.connect();
  await laptop.connect();
  const arrived = gather<{ id: string }>(1);
  phone.on('system:notification', arrived.take);
  const told = new Promise<{ ids?: readonly string[] }>((resolve) => laptop.on('notification:read', resolve));
  await until(phone.room('user:ada'), ({ state }) => state === 'joined');
  await until(laptop.room('user:ada'), ({ state }) => state === 'joined');
  await server.realtime.toUser('ada', 'system:notification', {
    id: 'n1',
    level: 'info',
    title: 'Hi',
    message: 'there',
    timestamp: new Date(0).toISOString(),
  });
  await arrived.all;
  await phone.markNotificationsRead(['n1']);
  expect(await told).toMatchObject({ ids: ['n1'] });
});

test('an admin grants and takes back access while the other is connected', async () => {
  await using server = await start();
  using admin = clientOf(server.url, 'root', { token: tokenFor('root', { access: { '*': 'admin' } }) });
  using bob = clientOf(server.url, 'bob', { token: tokenFor('bob', { access: {} }) });
  await admin.connect();
  await bob.connect();
  await expect(bob.joinRoom('order:1')).rejects.toMatchObject({ code: 'access-denied' });
  await admin.grant('bob', 'order:1', 'read');
  expect(await bob.joinRoom('order:1')).toMatchObject({ access: 'read' });
  await admin.revoke('bob', 'order:1');
  await until(bob.room('order:1'), ({ state }) => state === 'refused');
});

test('a room that was one too many is joined once another is left, and says so until then', async () => {
  await using server = await startServer({ events: EVENTS, limits: { roomsPerSocket: 4 } });
  using client = clientOf(server.url, 'ada');
  await client.connect();
  // Besides those that the client is in by itself.
  await Promise.all(['batch:1', 'batch:2'].map((room) => client.joinRoom(room as 'batch:1')));
  await expect(client.joinRoom('batch:3')).rejects.toMatchObject({ code: 'too-many-rooms' });
  expect(client.room('batch:3').get()).toMatchObject({ state: 'refused', error: { code: 'too-many-rooms' } });
  client.leaveRoom('batch:1');
  await until(client.room('batch:3'), ({ state }) => state === 'joined');
});

test('a change of access is told by itself: what the join missed is not told again', async () => {
  await using server = await start();
  using admin = clientOf(server.url, 'root', { token: tokenFor('root', { access: { '*': 'admin' } }) });
  using bob = clientOf(server.url, 'bob', { token: tokenFor('bob', { access: { 'order:*': 'read' } }) });
  const told: RoomStatus[] = [];
  bob.onRoom('order:1', (status) => told.push(status));
  void bob.connect();
  expect(await bob.joinRoom('order:1')).toMatchObject({ access: 'read', recovered: false, reason: 'new' });
  await admin.connect();
  await admin.grant('bob', 'order:1', 'write');
  await until(bob.room('order:1'), (status) => status.state === 'joined' && status.access === 'write');
  // Once more, and nothing has changed.
  await admin.grant('bob', 'order:1', 'write');
  await admin.revoke('bob', 'order:1');
  await until(bob.room('order:1'), ({ state }) => state === 'refused');
  expect(told.slice(0, 3)).toEqual([
    { state: 'joining' },
    { state: 'joined', access: 'read', recovered: false, reason: 'new' },
    { state: 'joined', access: 'write', recovered: true, reason: undefined },
  ]);
  expect(told.filter((status) => status.state === 'joined' && !status.recovered)).toHaveLength(1);
});

test('a server that closes on purpose is come back to, and the rooms with it', async () => {
  await using server = await start();
  await using proxy = await startTcpProxy(server.url);
  using client = clientOf(proxy.url, 'ada');
  void client.connect();
  await client.joinRoom('order:1');
  const stopped = server.stop();
  const lost = await until(client.status, ({ state }) => state === 'reconnecting');
  expect(lost).toMatchObject({ cause: 'closing' });
  await stopped;
  await using again = await startServer({ events: EVENTS, dataDir: server.dataDir });
  proxy.target(again.url);
  await until(client.room('order:1'), ({ state }) => state === 'joined');
});

test('works over long-polling as well', async () => {
  await using server = await start();
  using client = clientOf(server.url, 'ada', { transports: ['polling'] });
  await client.connect();
  await client.joinRoom('order:1');
  const answer = await client.emit('order:shipped', { orderId: '1', carrier: 'pigeon' });
  expect(answer.data).toEqual({ orderId: '1', carrier: 'pigeon' });
});
