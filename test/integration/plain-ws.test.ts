import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { createClient } from '../../client/create-client.ts';
import { awarenessFrame, syncFrame, updateFrames } from '../support/plain-ws/frames.ts';
import { PlainClient } from '../support/plain-ws/plain-client.ts';
import { next, startServer, tokenFor } from '../support/start-server.ts';

const now = () => new Date().toISOString();
const isUser = (userId: string, status: string) => (user: { userId: string; status: string }) =>
  user.userId === userId && user.status === status;
const PLAIN = new URL('../support/plain-ws/', import.meta.url);

test('the plain client knows nothing of Ashlar but the page', () => {
  const allowed = /^(ws|yjs|node:[a-z/]+|\.\/[a-z-]+\.ts)$/;
  for (const file of readdirSync(PLAIN)) {
    const imports = [...readFileSync(new URL(file, PLAIN), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1]);
    for (const source of imports) expect(source, file).toMatch(allowed);
  }
});

test('a refused connection says why, by message and code', async () => {
  await using server = await startServer();
  const refusal = (token: string) => PlainClient.connect(server.url, token).catch((error: unknown) => error);
  expect(await refusal('')).toMatchObject({ message: 'Authentication required', data: { code: 'auth-required' } });
  expect(await refusal('nonsense')).toMatchObject({ message: 'Invalid token', data: { code: 'invalid-token' } });
  const expired = tokenFor('ada', { expiresInSeconds: -10 });
  expect(await refusal(expired)).toMatchObject({ message: 'Invalid token', data: { code: 'token-expired' } });
});

test('two plain clients chat: answers, history, typing, presence, and no message twice', async () => {
  await using server = await startServer({ presenceGraceMs: 0 });
  using ada = await PlainClient.connect(server.url, tokenFor('ada', { name: 'Ada', color: '#aa3355' }));
  expect(ada.session).toMatchObject({
    user: { id: 'ada', name: 'Ada', color: '#aa3355', roles: [], permissions: [] },
    protocol: 1,
    limits: { frameBytes: 256_000, updateBytes: 16_000_000, rooms: 100 },
  });
  const said = await ada.say('1', 'hello', 'm1');
  expect(said).toMatchObject({ success: true, data: { content: 'hello', sender: 'user', userId: 'ada', name: 'Ada' } });
  expect(said.meta).toMatchObject({ room: 'chat:1', seq: 1 });
  expect(await ada.say('1', 'hello', 'm1')).toEqual(said);

  using bob = await PlainClient.connect(server.url, tokenFor('bob'));
  expect(await bob.join('chat:1')).toMatchObject({ success: true, recovered: false, reason: 'new', access: 'write', head: 1 });
  expect(await bob.event('chat:message')).toMatchObject({ data: said.data, meta: { seq: 1 } });
  expect(
    await ada.event('presence:update', ({ room, users }) => room === 'chat:1' && users.some(isUser('bob', 'online'))),
  ).toMatchObject({ meta: { room: 'chat:1' } });
  const { members } = await bob.ask('room:members', 'chat:1');
  expect(members).toMatchObject([
    { userId: 'ada', name: 'Ada', color: '#aa3355', status: 'online' },
    { userId: 'bob', status: 'online' },
  ]);

  bob.emit('chat:typing', { sessionId: '1', isTyping: true });
  expect(await ada.event('chat:typing')).toMatchObject({ data: { isTyping: true, userId: 'bob' }, meta: { room: 'chat:1' } });
  await bob.say('1', 'hi');
  await ada.event('chat:message', (data) => data.content === 'hi');
  expect(await ada.ask('chat:history', { sessionId: '1', before: 2, limit: 1 })).toEqual({
    success: true,
    messages: [{ data: said.data, meta: said.meta }],
    hasMore: false,
  });
  await bob.leave('chat:1');
  await ada.event('presence:update', ({ room, users }) => room === 'chat:1' && users.some(isUser('bob', 'offline')));
  expect(bob.received.filter((event) => event.name === 'chat:message').map((event) => event.data.content)).toEqual([
    'hello',
    'hi',
  ]);
});

test('a plain client follows dashboard, status, batch, catalog and notifications', async () => {
  await using server = await startServer();
  const { realtime } = server;
  await realtime.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: 7, timestamp: now() });
  await realtime.broadcast('system:status', { status: 'degraded', message: 'slow' });
  const token = tokenFor('ada', { access: undefined });
  using ada = await PlainClient.connect(server.url, token);
  expect(await ada.event('system:status')).toMatchObject({ data: { status: 'degraded' }, meta: { room: 'system', rev: 1 } });
  expect(await ada.join('dashboard')).toMatchObject({ success: true, access: 'read', recovered: false });
  expect(await ada.event('dashboard:update')).toMatchObject({ data: { value: 7 }, meta: { room: 'dashboard', rev: 1 } });
  expect(await ada.ask('dashboard:refresh', { widgets: ['orders', 'nothing'] })).toEqual({ success: true, found: 1 });
  await ada.join('batch:b1');
  const progress = { batchId: 'b1', progress: 50, current: 1, total: 2, status: 'processing' as const };
  await realtime.toRoom('batch:b1', 'batch:progress', progress);
  await realtime.toRoom('batch:b1', 'batch:completed', { batchId: 'b1', results: [1, 2], duration: 5 });
  await ada.event('batch:progress', (data) => data.status === 'completed' && data.progress === 100);
  expect(await ada.event('batch:completed')).toMatchObject({ meta: { room: 'batch:b1', seq: 1 } });
  await realtime.broadcast('catalog:updated', { updatedAt: now(), changes: { added: 1, modified: 0, deleted: 0 } });
  expect(await ada.event('catalog:updated')).toMatchObject({ meta: { room: 'catalog', seq: 1 } });

  const notification = { level: 'info' as const, title: 't', message: 'm', timestamp: now() };
  await realtime.toUser('ada', 'system:notification', { id: 'n1', ...notification });
  await realtime.toUser('ada', 'system:notification', { id: 'n2', ...notification });
  await ada.event('system:notification', (data) => data.id === 'n2');
  using phone = await PlainClient.connect(server.url, token);
  await phone.event('system:notification', (data) => data.id === 'n2');
  expect(await phone.ask('notification:read', { ids: ['n1', 'unknown'] })).toEqual({ success: true, read: ['n1'] });
  const told = await ada.event('notification:read');
  expect(told.data).toEqual({ ids: ['n1'], at: expect.any(Number) });
  expect(told.meta).toMatchObject({ room: 'user:ada' });
  expect(await ada.ask('notification:read', { all: true })).toEqual({ success: true, read: ['n2'] });
  expect((await phone.event('notification:read', (data) => data.all === true)).data.ids).toEqual(['n2']);
});

test('refusals come in the ack, or as the event error; access may be granted, taken away and renewed', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada', { access: { 'plan:*': 'admin' } }));
  using eve = await PlainClient.connect(server.url, tokenFor('eve', { access: {} }));
  expect(await eve.join('plan:1')).toEqual({
    success: false,
    error: { code: 'access-denied', message: 'Access denied', room: 'plan:1' },
  });
  eve.emit('join-room', 'plan:1');
  expect((await eve.event('error')).data).toEqual({ code: 'access-denied', message: 'Access denied', room: 'plan:1' });
  expect(await ada.ask('room:grant', { room: 'plan:1', userId: 'eve', access: 'read' })).toEqual({ success: true });
  // Told before it is in the room, too: it may come in now.
  await eve.event('room:access', (data) => data.access === 'read');
  expect(await eve.join('plan:1')).toMatchObject({ success: true, access: 'read' });
  await ada.ask('room:grant', { room: 'plan:1', userId: 'eve', access: 'write' });
  const raised = await eve.event('room:access', (data) => data.access === 'write');
  expect(raised.data).toEqual({ room: 'plan:1', access: 'write' });
  await ada.ask('room:revoke', { room: 'plan:1', userId: 'eve' });
  await eve.event('room:access', (data) => data.access === 'none');
  expect(await eve.ask('room:members', 'plan:1')).toMatchObject({ error: { code: 'access-denied' } });
  expect(await eve.ask('auth:renew', tokenFor('eve', { access: { 'plan:*': 'read' } }))).toEqual({
    success: true,
    expiresAt: expect.any(Number),
  });
  expect(await eve.ask('auth:renew', tokenFor('ada'))).toMatchObject({ error: { code: 'invalid-token' } });
  expect(await eve.ask('no-such-thing')).toMatchObject({ error: { code: 'unknown-message' } });
});

test('plain clients and the SDK edit one document, and see each other', async () => {
  await using server = await startServer();
  using adaClient = await PlainClient.connect(server.url, tokenFor('ada', { name: 'Ada', color: '#aa3355' }));
  using bobClient = await PlainClient.connect(server.url, tokenFor('bob'));
  const sdk = createClient({ url: server.url, token: tokenFor('cyd', { name: 'Cyd' }), transports: ['websocket'] });
  void sdk.connect();
  const handle = sdk.document('plan');
  await handle.whenSynced;
  const ada = adaClient.document('plan');
  const bob = bobClient.document('plan');
  await adaClient.until(() => ada.live);
  await bobClient.until(() => bob.live);
  for (let round = 0; round < 20; round++) {
    ada.text.insert(0, 'a');
    bob.text.insert(bob.text.length, 'b');
    handle.doc.getText('t').insert(0, 'c');
  }
  await Promise.all([adaClient.until(() => ada.saved), bobClient.until(() => bob.saved), handle.whenSaved()]);
  const whole = () => [...ada.text.toString()].sort().join('');
  await adaClient.until(() => ada.text.length === 60);
  await bobClient.until(() => bob.text.toString() === ada.text.toString());
  expect(whole()).toBe('a'.repeat(20) + 'b'.repeat(20) + 'c'.repeat(20));
  const copy = await server.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe(ada.text.toString());

  const seenBySdk = new Promise<object>((resolve) => {
    handle.awareness.on('change', () => {
      const state = handle.awareness.getStates().get(ada.doc.clientID);
      if (state !== undefined) resolve(state);
    });
  });
  ada.show({ pointer: 3, user: { id: 'eve', name: 'Eve', color: '#000000' } });
  expect(await seenBySdk).toEqual({ pointer: 3, user: { id: 'ada', name: 'Ada', color: '#aa3355' } });
  handle.awareness.setLocalStateField('pointer', 5);
  await adaClient.until(() => ada.others.get(handle.doc.clientID)?.state.pointer === 5);
  expect(ada.others.get(handle.doc.clientID)?.state.user).toMatchObject({ id: 'cyd', name: 'Cyd' });
  bobClient.cut({ stayAway: true });
  adaClient.cut();
  sdk.disconnect();
  await adaClient.until(() => ada.live && !ada.others.has(handle.doc.clientID));
});

test('[2] a plain client that was cut off gets each event and edit once, in order, and says so', async () => {
  await using server = await startServer();
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  using bob = await PlainClient.connect(server.url, tokenFor('bob'));
  await ada.join('chat:1');
  await ada.say('1', 'before');
  await bob.join('chat:1');
  const adaDoc = ada.document('plan');
  const bobDoc = bob.document('plan');
  adaDoc.text.insert(0, 'a');
  await ada.until(() => adaDoc.saved);
  await bob.until(() => bobDoc.text.toString() === 'a');

  bob.cut({ stayAway: true });
  await bob.until(() => !bob.online);
  bobDoc.text.insert(1, 'offline');
  for (let index = 0; index < 30; index++) {
    await ada.say('1', `message ${index}`);
    adaDoc.text.insert(0, 'a');
  }
  await ada.until(() => adaDoc.saved);
  bobDoc.seen.length = 0;
  await bob.comeBack();
  await bob.event('chat:message', (data) => data.content === 'message 29');
  expect(bob.rooms.get('chat:1')).toMatchObject({ recovered: true });
  expect(bob.received.filter((event) => event.name === 'chat:message').map((event) => event.data.content)).toEqual([
    'before',
    ...Array.from({ length: 30 }, (_, index) => `message ${index}`),
  ]);
  await bob.until(() => bobDoc.saved && bobDoc.text.length === 38);
  expect(bobDoc.answer).toMatchObject({ recovered: true, saved: 0 });
  expect(bobDoc.seen).not.toContain('state');
  await ada.until(() => adaDoc.text.toString() === bobDoc.text.toString());
  expect(adaDoc.text.toString()).toBe(`${'a'.repeat(31)}offline`);
});

test('a reader, a deleted document and a closing server are told as the page says', async () => {
  await using server = await startServer();
  using eve = await PlainClient.connect(server.url, tokenFor('eve', { access: { 'doc:*': 'read' } }));
  using ada = await PlainClient.connect(server.url, tokenFor('ada'));
  const read = eve.document('plan');
  const gone = ada.document('gone');
  await eve.until(() => read.live);
  await ada.until(() => gone.live);
  read.text.insert(0, 'graffiti');
  await eve.until(() => read.ended !== null);
  expect(read.ended).toBe('read-only');
  await server.realtime.documents.delete('gone');
  await ada.until(() => gone.ended !== null);
  expect(gone.ended).toBe('gone');
  expect(await ada.ask('join-room', 'doc:gone')).toMatchObject({ error: { code: 'gone' } });
  const closing = ada.event('server:closing');
  ada.stayAway();
  await server.realtime.close();
  expect((await closing).data).toEqual({ reconnectAfterMs: expect.any(Number) });
});

test('a server that closes gives each client a slot of its own to come back in', async () => {
  await using server = await startServer();
  const sockets = await Promise.all(Array.from({ length: 20 }, (_, n) => server.connect(tokenFor(`user-${n}`))));
  const told = sockets.map((socket) => next(socket, 'server:closing') as Promise<[{ reconnectAfterMs: number }]>);
  for (const socket of sockets) socket.io.reconnection(false);
  await server.realtime.close();
  const slots = (await Promise.all(told)).map(([{ reconnectAfterMs }]) => reconnectAfterMs).sort((a, b) => a - b);
  expect(new Set(slots).size).toBe(20);
  expect(slots.at(-1)).toBeLessThan(600);
});

test('a stock client sees the same frames', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('ada'));
  await socket.timeout(5_000).emitWithAck('join-room', 'doc:plan', { clientId: 7, session: 'stock-client-'.padEnd(32, 'x') });
  socket.emit('document', 'doc:plan', syncFrame(new Uint8Array([0])));
  const [room, frame] = await next(socket, 'document');
  expect(room).toBe('doc:plan');
  expect(new Uint8Array(frame as Buffer)[0]).toBe(5);
  const doc = new Y.Doc();
  doc.clientID = 7;
  doc.getText('t').insert(0, 'stock');
  const [update] = updateFrames(1, false, Y.encodeStateAsUpdate(doc), 256_000);
  socket.emit('document', 'doc:plan', update);
  await next(socket, 'document', (_room, bytes: never) => new Uint8Array(bytes)[0] === 6);
  // An ack says that the frame was read, no more.
  expect(await socket.timeout(5_000).emitWithAck('document', 'doc:plan', awarenessFrame(7, { pointer: 1 }))).toEqual({
    success: true,
  });
});

test('a restart is announced behind all that was sent, and a stock client comes back by itself', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('ada'));
  await socket.timeout(5_000).emitWithAck('join-room', 'batch:b1');
  const order: string[] = [];
  socket.onAny((name) => order.push(name));
  const gone = next(socket, 'disconnect');
  const results = ['x'.repeat(1_000_000)];
  for (const duration of [1, 2, 3]) {
    await server.realtime.toRoom('batch:b1', 'batch:completed', { batchId: 'b1', results, duration });
  }
  await server.realtime.close();
  // `io server disconnect` would end a stock client's reconnection.
  expect((await gone)[0]).toBe('transport close');
  expect(order.filter((name) => name === 'batch:completed')).toHaveLength(3);
  expect(order.at(-1)).toBe('server:closing');
});

test('a token that ends is an error and a goodbye that a stock client does not come back from', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('ada', { expiresInSeconds: 2 }));
  const error = next(socket, 'error');
  const gone = next(socket, 'disconnect');
  expect((await error)[0]).toMatchObject({ code: 'token-expired' });
  expect((await gone)[0]).toBe('io server disconnect');
});
