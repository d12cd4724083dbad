import { createServer } from 'node:http';
import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import * as z from 'zod/mini';
import { signToken } from '../../server/guard/sign-token.ts';
import { RealtimeServer } from '../../server/server.ts';
import { createSocketServer } from '../../server/sockets/create-socket-server.ts';
import { defineEvent } from '../../shared/define-event.ts';
import { auditEvents } from '../support/audit-events.ts';
import { FrameClient } from '../support/frame-client.ts';
import { ask, SECRET, startServer, tokenFor } from '../support/start-server.ts';

const chat = (sessionId: string) => ({
  id: 'm1',
  sessionId,
  content: 'hello',
  sender: 'assistant' as const,
  timestamp: '2026-01-01T00:00:00Z',
});
const widget = { widgetId: 'orders', value: 1, timestamp: '2026-01-01T00:00:00Z' };

test('an event whose payload names another room of the same kind is an error, in-process and over HTTP', async () => {
  await using server = await startServer();
  await expect(server.realtime.toRoom('chat:1', 'chat:message', chat('2'))).rejects.toMatchObject({ code: 'wrong-room' });
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokenFor('backend', { permissions: ['publish'] })}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ event: 'chat:message', room: 'chat:1', data: chat('2') }),
  });
  expect(await response.json()).toMatchObject({ success: false, error: { code: 'wrong-room' } });
});

test('[2] a broadcast to a client that is about to join, and whose access is still being decided, arrives once', async () => {
  let decide: (access: 'read') => void = () => {};
  const decided = new Promise<'read'>((resolve) => {
    decide = resolve;
  });
  let asked = 0;
  await using server = await startServer({
    authorize: (_user, room) => {
      if (room !== 'notifications') return 'read';
      asked += 1;
      return decided;
    },
  });
  const socket = await server.connect(tokenFor('anna'), { auth: { autoJoin: false } });
  const heard: string[] = [];
  socket.on('system:notification', ({ id }) => heard.push(id));
  const notification = (id: string) => ({ id, level: 'info' as const, title: 't', message: 'm', timestamp: widget.timestamp });
  await server.realtime.broadcast('system:notification', notification('n1'));
  await vi.waitFor(() => expect(asked).toBe(1));
  const joined = ask(socket, 'join-room', 'notifications');
  // What is answered behind it was read behind it.
  await ask(socket, 'room:members', 'system').catch(() => {});
  decide('read');
  expect(await joined).toMatchObject({ success: true });
  await server.realtime.broadcast('system:notification', notification('n2'));
  await vi.waitFor(() => expect(heard).toContain('n2'));
  expect(heard).toEqual(['n1', 'n2']);
});

test('[3] the permission to publish is narrowed by a revocation, the product’s callback and the token’s own claim', async () => {
  await using server = await startServer({ authorize: (user) => (user.id === 'barred' ? 'read' : undefined) });
  const publish = async (id: string, access?: { [room: string]: string }) => {
    const response = await fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenFor(id, { permissions: ['publish'], access } as object)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify([
        { event: 'dashboard:update', data: widget },
        {
          event: 'system:notification',
          userId: 'anna',
          data: { id: 'n', level: 'info', title: 't', message: 'm', timestamp: widget.timestamp },
        },
      ]),
    });
    return response.status;
  };
  expect(await publish('backend')).toBe(200);
  expect(await publish('backend', { 'chat:*': 'write' })).toBe(403);
  expect(await publish('backend', { dashboard: 'write' })).toBe(200);
  expect(await publish('barred')).toBe(403);
  await server.realtime.revoke('backend', 'dashboard');
  expect(await publish('backend')).toBe(403);
});

test('what was published right before the server closes is on disk, also in a room that was not open yet; closing twice waits for one close', async () => {
  const server = await startServer();
  const published = Promise.all(
    Array.from({ length: 50 }, () => server.realtime.toRoom('chat:new', 'chat:message', chat('new'))),
  );
  let first = false;
  const closing = server.realtime.close().then(() => {
    first = true;
  });
  await server.realtime.close();
  expect(first).toBe(true);
  await closing;
  expect((await published).map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  await server[Symbol.asyncDispose]();
});

test('a product hears what clients send of its own events, and answers its own requests', async () => {
  const stockAsked = defineEvent({
    name: 'stock:asked',
    room: 'stock',
    sentBy: ['client'],
    payload: z.object({ article: z.string() }),
    delivery: { class: 'request' },
  });
  await using server = await startServer({ events: [stockAsked] });
  const heard = new Promise((resolve) =>
    server.realtime.on('client:event', ({ user, ...event }) => resolve({ ...event, by: user.id })),
  );
  const anna = await server.connect(tokenFor('anna'));
  expect(await anna.emitWithAck('stock:asked', { article: 'a1' })).toEqual({ success: true });
  expect(await heard).toEqual({ room: 'stock', event: 'stock:asked', data: { article: 'a1' }, by: 'anna' });
});

test('a product hears who comes and goes, which widgets are asked for, and who changed which document', async () => {
  await using server = await startServer();
  const { realtime } = server;
  const heard: unknown[] = [];
  realtime.on('connection', ({ user, socketId }) => heard.push(['came', user.id, socketId]));
  realtime.on('disconnection', ({ user, socketId, reason }) => heard.push(['went', user.id, socketId, reason]));
  realtime.on('dashboard:refresh', ({ user, widgets }) => heard.push(['asked', user.id, widgets]));
  const off = realtime.on('document:changed', ({ name, seq, userIds }) => heard.push(['changed', name, seq, userIds]));
  const anna = await server.connect(tokenFor('anna'));
  const { id } = anna;
  await ask(anna, 'dashboard:refresh', { widgets: ['orders', 'users'] });
  const client = new FrameClient(anna, 'plan', 7);
  await client.join();
  client.sync();
  await client.frame('state');
  const doc = new Y.Doc();
  doc.clientID = 7;
  doc.getText('t').insert(0, 'by anna');
  client.update(1, Y.encodeStateAsUpdate(doc));
  await client.frame('committed');
  await realtime.documents.transact('plan', (edited) => edited.getText('t').insert(0, 'by the backend '));
  off();
  await realtime.documents.transact('plan', (edited) => edited.getText('t').insert(0, 'unheard '));
  anna.disconnect();
  await vi.waitFor(() => expect(heard).toHaveLength(5));
  expect(heard).toEqual([
    ['came', 'anna', id],
    ['asked', 'anna', ['orders', 'users']],
    ['changed', 'plan', 1, ['anna']],
    ['changed', 'plan', 2, [null]],
    ['went', 'anna', id, 'client namespace disconnect'],
  ]);
});

test('a product hears of a chat message once, however often its client repeats it', async () => {
  await using server = await startServer();
  const heard: unknown[] = [];
  server.realtime.on('chat:message', ({ user, sessionId, message, seq }) =>
    heard.push([user.id, sessionId, message.content, seq]),
  );
  const anna = await server.connect(tokenFor('anna'));
  const send = (content: string, id: string) => ask(anna, 'chat:message', { sessionId: '1', content }, { id });
  await Promise.all([send('hello', 'm1'), send('hello', 'm1')]);
  await send('hello', 'm1');
  await send('and again', 'm2');
  expect(heard).toEqual([
    ['anna', '1', 'hello', 1],
    ['anna', '1', 'and again', 2],
  ]);
});

test('an ephemeral event of a client reaches everyone in its room but the socket that sent it', async () => {
  await using server = await startServer({ events: [...auditEvents] });
  const [sender, tab, ben] = await Promise.all(['anna', 'anna', 'ben'].map((id) => server.connect(tokenFor(id))));
  const heard: unknown[] = [];
  for (const [name, socket] of Object.entries({ sender, tab, ben })) {
    await ask(socket as Socket, 'join-room', 'audit:1');
    socket?.on('audit:pulse', ({ pulse }) => heard.push(`${name} ${pulse}`));
  }
  expect(await ask(sender as Socket, 'audit:pulse', { pulse: 1 }, { room: 'audit:1' })).toEqual({ success: true });
  await server.realtime.toRoom('audit:1', 'audit:pulse', { pulse: 2 });
  for (const socket of [sender, tab, ben]) await ask(socket as Socket, 'room:members', 'audit:1');
  expect(heard.sort()).toEqual(['ben 1', 'ben 2', 'sender 2', 'tab 1', 'tab 2']);
});

test('into a document’s room go ephemeral events alone: its log holds updates, and it hands out no values', async () => {
  const common = { room: 'doc:*', sentBy: ['backend'], payload: z.object({ cell: z.string() }) } as const;
  const logged = defineEvent({ ...common, name: 'cell:logged', delivery: { class: 'log' } });
  const valued = defineEvent({ ...common, name: 'cell:valued', delivery: { class: 'state', key: ({ cell }) => cell } });
  const flashed = defineEvent({ ...common, name: 'cell:flashed', delivery: { class: 'ephemeral' } });
  await using server = await startServer({ events: [logged, valued, flashed] });
  for (const name of ['cell:logged', 'cell:valued'] as const) {
    await expect(server.realtime.toRoom('doc:plan', name, { cell: 'a1' })).rejects.toMatchObject({ code: 'wrong-room' });
  }
  await server.realtime.toRoom('doc:plan', 'cell:flashed', { cell: 'a1' });
});

test.each([
  ['a misspelt limit', { limits: { eventPerMinute: 5 } }, 'eventPerMinute'],
  ['an option that is none', { nonsense: 1 }, 'nonsense'],
  [
    'a limit that is no number',
    { limits: { eventsPerMinute: true } },
    'limits.eventsPerMinute: a whole number from 1 (given: true)',
  ],
  ['an empty audience', { jwtAudience: '' }, 'jwtAudience'],
  ['events that are no list', { events: 5 }, 'events'],
  ['a callback that is none', { authorize: 'x' }, 'authorize'],
  ['a store that is none', { store: 'x' }, 'store'],
  ['a logger that cannot make others', { logger: console }, 'logger'],
])('%s is refused when the server is made, by name', (_, options, named) => {
  const make = () => new RealtimeServer({ jwtSecret: SECRET, ...options } as never);
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-options', message: expect.stringContaining(named) }));
});

test('a server that is made without options, or with something else, says what it needs', () => {
  const make = (options: unknown) => () => new RealtimeServer(options as never);
  expect(make(undefined)).toThrow(
    expect.objectContaining({ code: 'invalid-options', message: expect.stringContaining('jwtSecret') }),
  );
  expect(make(null)).toThrow(expect.objectContaining({ code: 'invalid-options' }));
  expect(make('x')).toThrow('the options: an object');
});

test('wrong arguments from JavaScript are refused by name', async () => {
  const unstarted = new RealtimeServer({ jwtSecret: SECRET, logLevel: 'silent' });
  for (const http of [undefined, {}, 3_000]) {
    await expect(unstarted.initialize(http as never)).rejects.toMatchObject({
      code: 'invalid-options',
      detail: expect.stringContaining('http.Server'),
    });
  }
  for (const [http, options] of [[undefined], [{}], [createServer(), { path: 5 }], [createServer(), { allowedOrigins: 'x' }]]) {
    expect(() => createSocketServer(http as never, options as never)).toThrow(/createSocketServer\(httpServer, options\): /);
  }
  for (const expiresInSeconds of [Number.POSITIVE_INFINITY, 0, Number.NaN]) {
    expect(() => signToken({ id: 'ada' }, SECRET, { expiresInSeconds })).toThrow(/expiresInSeconds/);
  }
  await using server = await startServer();
  const { realtime } = server;
  expect(() => realtime.documents.transact('plan', 'text' as never)).toThrow(/transact.*function/);
  expect(() => realtime.documents.create('plan', 'seed' as never)).toThrow(/create.*function/);
  expect(() => realtime.on('nope' as never, () => {})).toThrow(/"nope" is none of connection/);
  expect(() => realtime.on('connection', undefined as never)).toThrow(/a function/);
  const timestamp = new Date().toISOString();
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const results of [[cycle], [5n], [{ toJSON: () => JSON.parse('{') }]]) {
    const told = realtime.toRoom('batch:1', 'batch:completed', { batchId: '1', results, duration: 1 });
    await expect(told).rejects.toMatchObject({ code: 'invalid-payload' });
  }
  await realtime.broadcast('dashboard:update', { widgetId: 'w', value: 1, timestamp });
});

test.each([null, undefined, {}, '', 'a..b', 'a\0', 'x'.repeat(1_000)])(
  'access is stored for ids that a token can have, and %j is none: nobody else is disturbed',
  async (userId) => {
    await using server = await startServer();
    await expect(async () => server.realtime.grant(userId as string, 'doc:plan', 'read')).rejects.toMatchObject({
      code: 'invalid-payload',
    });
    await expect(async () => server.realtime.grant('ada', 'doc:plan', 'owner' as never)).rejects.toMatchObject({
      code: 'invalid-payload',
    });
    await server.realtime.documents.transact('plan', (doc) => doc.getText('t').insert(0, 'x'));
  },
);

test('a document without a name is refused in words', async () => {
  await using server = await startServer();
  await expect(async () => server.realtime.documents.transact('', () => {})).rejects.toMatchObject({ code: 'invalid-room' });
});

test('keys and ids that two texts would share on disk are refused: half of a surrogate pair', async () => {
  await using server = await startServer();
  const { realtime } = server;
  const told = realtime.broadcast('dashboard:update', { ...widget, widgetId: 'a\ud83d' });
  await expect(told).rejects.toMatchObject({ code: 'invalid-payload' });
  await realtime.broadcast('dashboard:update', { ...widget, widgetId: 'a\u{1f600}' });
  const token = tokenFor('backend', { permissions: ['publish'] });
  const events = [widget, { ...widget, widgetId: '\udfff' }].map((data) => ({ event: 'dashboard:update', data }));
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  expect(await response.json()).toMatchObject({ success: false, error: { code: 'invalid-payload' } });

  const ada = await server.connect(tokenFor('ada'));
  const values: unknown[] = [];
  ada.on('dashboard:update', ({ widgetId }: { widgetId: string }) => values.push(widgetId));
  await ask(ada, 'join-room', 'dashboard');
  await vi.waitFor(() => expect(values).toEqual(['a\u{1f600}']));
  for (const [id, success] of [
    ['\ud800', false],
    ['\udfff', false],
    ['\u{1f600}', true],
  ] as const) {
    expect(await ask(ada, 'chat:message', { sessionId: '1', content: 'hi' }, { id })).toMatchObject({ success });
  }
});
