import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { defineEvent } from '../../shared/define-event.ts';
import { LogLines } from '../support/log-lines.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const timestamp = '2026-01-01T00:00:00Z';
const noteAdd = defineEvent({
  name: 'note:add',
  room: 'notes',
  sentBy: ['client', 'backend'],
  payload: z.object({ tree: z.unknown() }),
  delivery: { class: 'log' },
});

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

test('[3] a document’s frames pass the guard as events do: room, membership, form', async () => {
  await using server = await startServer();
  const ada = await server.connect(tokenFor('ada'));
  const frame = Uint8Array.of(0, 1, 0);
  expect(await ask(ada, 'document', 'doc:open', frame)).toMatchObject({ error: { code: 'not-a-member' } });
  await ask(ada, 'join-room', 'doc:open');
  expect(await ask(ada, 'document', 'a..b', frame)).toMatchObject({ error: { code: 'invalid-room' } });
  for (const malformed of ['text', { type: 0 }, Uint8Array.of(99), Uint8Array.of(0, 1, 0, 0)]) {
    expect(await ask(ada, 'document', 'doc:open', malformed)).toMatchObject({ error: { code: 'malformed-frame' } });
  }
  expect(await ask(ada, 'document', 'doc:open', frame)).toEqual({ success: true });
});

test('an event that names one room in its payload and another beside it goes into neither', async () => {
  await using server = await startServer({ events: [noteAdd] });
  const ada = await server.connect(tokenFor('ada'));
  const said = { sessionId: '1', content: 'hello' };
  for (const room of ['chat:2', 'dashboard']) {
    expect(await ask(ada, 'chat:message', said, { room })).toMatchObject({ error: { code: 'wrong-room' } });
    expect(await ask(ada, 'note:add', { tree: [] }, { room })).toMatchObject({ error: { code: 'wrong-room' } });
  }
  expect(await ask(ada, 'chat:history', { sessionId: '1' })).toMatchObject({ messages: [] });
  expect(await ask(ada, 'chat:message', said, { room: 'chat:1' })).toMatchObject({ success: true });
});

test('[5] a payload deeper than 32 levels never reaches its schema, and others notice nothing', async () => {
  await using server = await startServer({ events: [noteAdd] });
  const [ada, bob] = await Promise.all([server.connect(tokenFor('ada')), server.connect(tokenFor('bob'))]);
  const seen: unknown[] = [];
  bob.on('note:add', (data) => seen.push(data));
  await ask(bob, 'join-room', 'notes');
  expect(await ask(ada, 'note:add', { tree: nested(31) })).toMatchObject({ success: true });
  expect(await ask(ada, 'note:add', { tree: nested(32) })).toMatchObject({ error: { code: 'invalid-payload' } });
  expect(await ask(ada, 'note:add', nested(63))).toMatchObject({
    error: { code: 'invalid-payload', detail: 'at most 32 levels' },
  });
  await ask(bob, 'room:members', 'notes');
  expect(seen).toEqual([{ tree: nested(31) }]);
});

test('[8] a wrong payload is a clear error at run time, in-process as over the wire', async () => {
  await using server = await startServer();
  const wrong = { widgetId: 'orders', value: '7', timestamp } as never;
  await expect(server.realtime.toRoom('dashboard', 'dashboard:update', wrong)).rejects.toMatchObject({
    code: 'invalid-payload',
    detail: expect.stringMatching(/^dashboard:update at value: /),
  });
  const ada = await server.connect(tokenFor('ada'));
  expect(await ask(ada, 'chat:message', { sessionId: '1', content: 7 })).toMatchObject({
    error: { code: 'invalid-payload', detail: expect.stringMatching(/^chat:message at content: /) },
  });
});

test.each([
  ['an event nested too deep', `42["note:add",${'['.repeat(64)}${']'.repeat(64)}]`, 'JSON nested deeper than 64'],
  ['an event without a name', '42', 'an event without a name'],
  ['what is no JSON', '42["note:add",', 'invalid payload'],
])('[5] %s ends its sender’s connection, which is logged and counted as what it is', async (_, packet, detail) => {
  const log = new LogLines();
  await using server = await startServer({ events: [noteAdd], logger: log.logger });
  const counted = async () =>
    /^ashlar_refusals_total\{code="malformed-frame",at="socket"\} (\d+)$/m.exec(await server.realtime.metrics())?.[1];
  const [ada, bob] = await Promise.all([server.connect(tokenFor('ada')), server.connect(tokenFor('bob'))]);
  const gone = next(ada, 'disconnect');
  (ada.io.engine as unknown as { write(packet: string): void }).write(packet.slice(1));
  await gone;
  expect(await log.line('websocket:disconnection', ({ userId }) => userId === 'ada')).toMatchObject({
    code: 'malformed-frame',
    detail,
  });
  expect(await counted()).toBe('1');
  bob.disconnect();
  const quit = await log.line('websocket:disconnection', ({ userId }) => userId === 'bob');
  expect([quit.code, quit.detail, await counted()]).toEqual([undefined, undefined, '1']);
});

test('[5] an id or a room that the backend does not have is refused: nothing meant for one goes to all, and nothing is erased or rechecked', async () => {
  await using server = await startServer();
  const { realtime } = server;
  const bob = await server.connect(tokenFor('bob'));
  await ask(bob, 'join-room', 'notifications');
  const seen: string[] = [];
  bob.on('system:notification', ({ id }: { id: string }) => seen.push(id));
  const note = (id: string) => ({ id, level: 'info', title: 't', message: 'm', timestamp }) as const;
  for (const missing of [undefined, null, '', 5, ['bob'], {}] as unknown as string[]) {
    await expect(realtime.toUser(missing, 'system:notification', note('private'))).rejects.toMatchObject({
      code: 'invalid-payload',
    });
    await expect(realtime.toRoom(missing, 'system:notification', note('private'))).rejects.toMatchObject({
      code: 'invalid-room',
    });
    await expect(realtime.recheckAccess(missing)).rejects.toMatchObject({ code: 'invalid-payload' });
    await expect(realtime.eraseUser(missing)).rejects.toMatchObject({ code: 'invalid-room' });
  }
  const last = next(bob, 'system:notification', (({ id }: { id: string }) => id === 'for all') as never);
  await realtime.broadcast('system:notification', note('for all'));
  await last;
  expect(seen).toEqual(['for all']);
});
