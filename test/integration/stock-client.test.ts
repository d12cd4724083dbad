import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const now = () => new Date().toISOString();

for (const transport of ['websocket', 'polling']) {
  const transports = [transport];

  test(`${transport}: a connection without a token, or with a bad one, is refused with a stable code`, async () => {
    await using server = await startServer();
    const refused = async (auth: object, token?: string) =>
      server.connect(token as string, { transports, auth }).then(
        () => 'connected',
        (error: Error & { data?: { code: string } }) => [error.message, error.data?.code],
      );
    expect(await refused({ token: undefined })).toEqual(['Authentication required', 'auth-required']);
    expect(await refused({}, 'nonsense')).toEqual(['Invalid token', 'invalid-token']);
    expect(await refused({}, tokenFor('ada', { expiresInSeconds: -10 }))).toEqual(['Invalid token', 'token-expired']);
    expect(await refused({ protocol: 99 }, tokenFor('ada'))).toEqual([expect.stringContaining('too new'), 'protocol-too-new']);
    expect(await refused({ protocol: 0 }, tokenFor('ada'))).toEqual([expect.stringContaining('too old'), 'protocol-too-old']);
  });

  test(`${transport}: a client is in the system's room and its own without asking, as far as it may read them and unless it says otherwise`, async () => {
    await using server = await startServer();
    const rooms = () => server.realtime.getStats().rooms;
    await server.connect(tokenFor('own'), { transports, auth: { autoJoin: false } });
    await server.connect(tokenFor('eve', { access: {} }), { transports });
    await server.connect(tokenFor('ada'), { transports });
    await vi.waitFor(() => expect(rooms()).toEqual({ system: 1, 'user:ada': 1, 'user:eve': 1 }));
  });

  test(`${transport}: a late joiner of the dashboard sees current values, then live ones`, async () => {
    await using server = await startServer();
    await server.realtime.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: 7, timestamp: now() });
    const socket = await server.connect(tokenFor('ada', { access: undefined }), { transports });
    const first = next(socket, 'dashboard:update');
    const answer = await ask(socket, 'join-room', 'dashboard');
    expect(answer).toMatchObject({ success: true, recovered: false, reason: 'new', access: 'read' });
    expect(await first).toMatchObject([
      { widgetId: 'orders', value: 7 },
      { room: 'dashboard', rev: 1 },
    ]);
    const second = next(socket, 'dashboard:update');
    await server.realtime.broadcast('dashboard:update', { widgetId: 'orders', value: 8, timestamp: now() });
    expect(await second).toMatchObject([{ value: 8 }, { rev: 2 }]);
  });

  test(`${transport}: chat messages get id, sender and time from the server, and come back as history`, async () => {
    await using server = await startServer();
    const ada = await server.connect(tokenFor('ada', { name: 'Ada' }), { transports });
    const bob = await server.connect(tokenFor('bob'), { transports });
    await ask(bob, 'join-room', 'chat:1');
    const heard = next(bob, 'chat:message');
    const answer = await ask(ada, 'chat:message', { sessionId: '1', content: 'hello', userId: 'eve', name: 'Eve' }, { id: 'm1' });
    expect(answer).toMatchObject({ success: true, data: { content: 'hello', sender: 'user', userId: 'ada', name: 'Ada' } });
    expect(await heard).toEqual([answer.data, answer.meta]);
    const again = await ask(ada, 'chat:message', { sessionId: '1', content: 'hello' }, { id: 'm1' });
    expect(again).toEqual(answer);
    const eve = await server.connect(tokenFor('eve'), { transports });
    const history = next(eve, 'chat:message');
    await ask(eve, 'join-room', 'chat:1');
    expect(await history).toMatchObject([answer.data, { seq: 1 }]);
    expect(await ask(eve, 'chat:history', { sessionId: '1' })).toMatchObject({
      messages: [{ data: answer.data }],
      hasMore: false,
    });
    await ask(ada, 'chat:message', { sessionId: '1', content: 'there?' });
    const page = async (limit: number) => {
      const { messages, hasMore } = await ask(eve, 'chat:history', { sessionId: '1', limit });
      return [messages.map(({ data }: { data: { content: string } }) => data.content), hasMore];
    };
    expect([await page(1), await page(2)]).toEqual([
      [['there?'], true],
      [['hello', 'there?'], false],
    ]);
    const nameless = await ask(eve, 'chat:history', {});
    expect(nameless).toMatchObject({ success: false, error: { code: 'invalid-payload' } });
    expect(nameless).not.toHaveProperty('error.room');
  });

  test(`${transport}: typing reaches the others and ends when its socket goes`, async () => {
    await using server = await startServer();
    const ada = await server.connect(tokenFor('ada'), { transports });
    const bob = await server.connect(tokenFor('bob'), { transports });
    await ask(bob, 'join-room', 'chat:1');
    const starts = next(bob, 'chat:typing');
    ada.emit('chat:typing', { sessionId: '1', isTyping: true });
    expect(await starts).toMatchObject([{ sessionId: '1', isTyping: true, userId: 'ada' }, { room: 'chat:1' }]);
    const ends = next(bob, 'chat:typing');
    ada.disconnect();
    expect(await ends).toMatchObject([{ isTyping: false, userId: 'ada' }, {}]);
  });

  test(`${transport}: typing ends when its socket leaves the room`, async () => {
    await using server = await startServer({ typingTimeoutMs: 60_000 });
    const ada = await server.connect(tokenFor('ada'), { transports });
    const bob = await server.connect(tokenFor('bob'), { transports });
    await ask(bob, 'join-room', 'chat:1');
    const starts = next(bob, 'chat:typing');
    ada.emit('chat:typing', { sessionId: '1', isTyping: true });
    await starts;
    const ends = next(bob, 'chat:typing');
    await ask(ada, 'leave-room', 'chat:1');
    expect(await ends).toMatchObject([{ isTyping: false, userId: 'ada' }, {}]);
  });

  test(`${transport}: a notification is unread on every device until one of them marks it`, async () => {
    await using server = await startServer();
    const phone = await server.connect(tokenFor('ada'), { transports });
    const arrived = next(phone, 'system:notification');
    await server.realtime.toUser('ada', 'system:notification', {
      id: 'n1',
      level: 'info',
      title: 't',
      message: 'm',
      timestamp: now(),
    });
    expect(await arrived).toMatchObject([{ id: 'n1' }, { room: 'user:ada', seq: 1 }]);
    let waiting: Promise<unknown> = Promise.resolve();
    const before = (socket: Socket) => {
      waiting = next(socket, 'system:notification');
    };
    const laptop = await server.connect(tokenFor('ada'), { transports, before });
    expect(await waiting).toMatchObject([{ id: 'n1' }, {}]);
    const told = next(phone, 'notification:read');
    expect(await ask(laptop, 'notification:read', { ids: ['n1'] })).toMatchObject({ success: true, read: ['n1'] });
    expect(await told).toMatchObject([{ ids: ['n1'] }, {}]);
    const third = await server.connect(tokenFor('ada'), { transports });
    const answer = await ask(third, 'join-room', 'user:ada');
    expect(answer).toMatchObject({ success: true, seq: 1, head: 1 });
  });

  test(`${transport}: a batch's progress is state, its completion is log, and completing without progress works`, async () => {
    await using server = await startServer();
    const socket = await server.connect(tokenFor('ada', { access: undefined }), { transports });
    const results = [1, 2];
    await server.realtime.toRoom('batch:b1', 'batch:completed', { batchId: 'b1', results, duration: 12 });
    const progress = next(socket, 'batch:progress');
    const completed = next(socket, 'batch:completed');
    await ask(socket, 'join-room', 'batch:b1');
    expect(await progress).toMatchObject([{ progress: 100, total: 2, status: 'completed' }, { rev: 1 }]);
    expect(await completed).toMatchObject([{ batchId: 'b1', results }, { seq: 1 }]);
  });

  test(`${transport}: broadcast reaches who may read and has not joined, and nobody else`, async () => {
    await using server = await startServer();
    const reader = await server.connect(tokenFor('ada', { access: undefined }), { transports });
    const stranger = await server.connect(tokenFor('eve', { access: { system: 'read' } }), { transports });
    const seen: string[] = [];
    stranger.on('catalog:updated', () => seen.push('catalog'));
    const heard = next(reader, 'catalog:updated');
    await server.realtime.broadcast('catalog:updated', { updatedAt: now(), changes: { added: 1, modified: 0, deleted: 0 } });
    expect(await heard).toMatchObject([{ changes: { added: 1 } }, { room: 'catalog', seq: 1 }]);
    const status = next(stranger, 'system:status');
    await server.realtime.broadcast('system:status', { status: 'degraded' });
    await status;
    expect(seen).toEqual([]);
  });

  test(`${transport}: refusals come as the ack, or as the event error where none was asked for`, async () => {
    await using server = await startServer();
    const socket = await server.connect(tokenFor('ada', { access: { dashboard: 'read' } }), { transports });
    expect(await ask(socket, 'join-room', 'chat:1')).toMatchObject({
      success: false,
      error: { code: 'access-denied', message: 'Access denied', room: 'chat:1' },
    });
    const error = next(socket, 'error');
    socket.emit('join-room', 'chat:1');
    expect(await error).toMatchObject([{ code: 'access-denied', room: 'chat:1' }]);
    expect(await ask(socket, 'dashboard:update', { widgetId: 'a', value: 1, timestamp: now() })).toMatchObject({
      error: { code: 'access-denied' },
    });
    expect(await ask(socket, 'no-such-thing')).toMatchObject({ error: { code: 'unknown-message' } });
    expect(await ask(socket, 'join-room', 'a..b')).toMatchObject({ error: { code: 'invalid-room' } });
    expect(await ask(socket, 'dashboard:refresh', { widgets: 7 })).toMatchObject({ error: { code: 'invalid-payload' } });
  });
}
