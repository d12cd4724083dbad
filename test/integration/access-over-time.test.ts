import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import type { Access } from '../../shared/access.ts';
import { auditEvents } from '../support/audit-events.ts';
import { FrameClient } from '../support/frame-client.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const isNone = (change: { room: string; access: Access }) => change.access === 'none';
const updateOf = (text: string) => {
  const doc = new Y.Doc();
  doc.clientID = 7;
  doc.getText('t').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
};
const roomOf = (args: unknown[]) =>
  typeof args[0] === 'string' ? args[0] : (args.at(-1) as { room?: string } | undefined)?.room;

test('[4] revoke takes effect on the open socket within 100 ms: membership, presence and awareness go, the connection and other rooms stay', async () => {
  await using ashlar = await startServer();
  const ada = await ashlar.connect(tokenFor('ada'));
  const bob = await ashlar.connect(tokenFor('bob'));
  const mine = new FrameClient(ada, 'plan', 5);
  const theirs = new FrameClient(bob, 'plan', 7);
  await mine.join();
  await theirs.join();
  expect(await ask(bob, 'join-room', 'dashboard')).toMatchObject({ success: true });
  theirs.send({ type: 'awareness', update: Uint8Array.from([1, 7, 1, 2, ...Buffer.from('{}')]) });
  const shown = await mine.frame('awareness');
  const gone = mine.frame('awareness', (frame) => frame !== shown);
  const told = next(bob, 'room:access', isNone as never);
  const later: unknown[] = [];
  const before = performance.now();
  const revoked = ashlar.realtime.revoke('bob', 'doc:plan');
  expect(ashlar.realtime.getStats().rooms['doc:plan'], 'before anything is awaited').toBe(1);
  await told;
  expect(performance.now() - before).toBeLessThan(100);
  await revoked;
  bob.onAny((event: string, ...args: unknown[]) => roomOf(args) === 'doc:plan' && later.push(event));
  await gone;
  mine.sync();
  await mine.frame('state');
  mine.update(
    1,
    updateOf('after').map((byte, index) => (index === 2 ? 5 : byte)),
  );
  await mine.frame('committed');
  expect(await ask(bob, 'document', 'doc:plan', Buffer.from([1]))).toMatchObject({ error: { code: 'not-a-member' } });
  expect(await ask(bob, 'join-room', 'doc:plan')).toMatchObject({ error: { code: 'access-denied' } });
  expect((await ask(ada, 'room:members', 'doc:plan')).members.map(({ userId }: { userId: string }) => userId)).toEqual(['ada']);
  expect(later).toEqual([]);
  expect(ashlar.realtime.getStats()).toMatchObject({ totalConnections: 2, rooms: { dashboard: 1 } });
});

test('[1] an update that was admitted before a revocation is acknowledged after it', async () => {
  const store = gateStore(openMemoryStore());
  await using ashlar = await startServer({ store });
  const bob = await ashlar.connect(tokenFor('bob'));
  const document = new FrameClient(bob, 'plan', 7);
  await document.join();
  document.sync();
  await document.frame('state');
  const told = next(bob, 'room:access', isNone as never);
  const release = store.hold('append');
  document.update(1, updateOf('admitted'));
  expect(await ask(bob, 'room:members', 'doc:plan')).toMatchObject({ success: true });
  const saved = document.frame('saved');
  await ashlar.realtime.revoke('bob', 'doc:plan');
  release();
  expect((await saved).counter).toBe(1);
  await told;
  const copy = await ashlar.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toBe('admitted');
});

/** A client on long-polling by hand, which polls when it is told to. */
async function connectPolling(url: string, user: string) {
  const poll = async (body?: string): Promise<string> => {
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling${sid === '' ? '' : `&sid=${sid}`}`, {
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    return response.text();
  };
  let sid = '';
  ({ sid } = JSON.parse((await poll()).slice(1)) as { sid: string });
  await poll(`40${JSON.stringify({ token: tokenFor(user), autoJoin: false })}`);
  await poll();
  const pollUntil = async (part: string): Promise<string> => {
    let got = '';
    while (!got.includes(part)) got += await poll();
    return got;
  };
  return { send: poll, pollUntil };
}

test('what waits for a client that has not polled yet is taken back with its access', async () => {
  await using ashlar = await startServer({ events: [...auditEvents], jwtAlgorithms: ['HS256'] });
  const { realtime } = ashlar;
  const bob = await connectPolling(ashlar.url, 'bob');
  await bob.send('421["join-room","audit:1"]');
  await bob.pollUntil('431');
  await bob.send('422["join-room","dashboard"]');
  await bob.pollUntil('432');
  await realtime.toRoom('audit:1', 'audit:entry', { entry: 4711 });
  await realtime.toRoom('audit:1', 'audit:level', { key: 'a', level: 4712 });
  await realtime.toRoom('audit:1', 'audit:pulse', { pulse: 4713 });
  const update = { widgetId: 'orders', value: 9, timestamp: new Date().toISOString() };
  await realtime.toRoom('dashboard', 'dashboard:update', update);
  await realtime.revoke('bob', 'audit:1');
  const after = await bob.pollUntil('room:access');
  expect(after).not.toMatch(/471[123]/);
  expect(after, 'other rooms are untouched').toContain('"widgetId":"orders"');
});

test('so is what waits for a client that has left the room, or never was in it: events, broadcasts, answers', async () => {
  await using ashlar = await startServer();
  const { realtime } = ashlar;
  const bob = await connectPolling(ashlar.url, 'bob');
  const say = (content: string) => {
    const message = { id: content, sessionId: '1', content, sender: 'assistant' as const, timestamp: new Date(0).toISOString() };
    return realtime.toRoom('chat:1', 'chat:message', message);
  };
  await say('4711');
  await bob.send('421["chat:history",{"sessionId":"1"}]');
  // The answer waits for the poll.
  await vi.waitFor(async () => expect(await realtime.metrics()).not.toContain('ashlar_queued_bytes 0\n'));
  await realtime.broadcast('system:status', { status: 'maintenance', message: '4712' });
  await Promise.all(['chat:1', 'system'].map((room) => realtime.revoke('bob', room)));
  await bob.send('422["room:members","dashboard"]');
  expect(await bob.pollUntil('432')).not.toMatch(/471[12]/);
});

test('history that was asked for before the access went, and is read after it, is not given', async () => {
  await using ashlar = await startServer();
  const { realtime } = ashlar;
  const bob = await ashlar.connect(tokenFor('bob'));
  const content = 'x'.repeat(1_000);
  for (let count = 0; count < 60; count++) {
    const message = {
      id: `${count}`,
      sessionId: '1',
      content,
      sender: 'assistant' as const,
      timestamp: new Date(0).toISOString(),
    };
    await realtime.toRoom('chat:1', 'chat:message', message);
  }
  const answers = Array.from({ length: 50 }, () => ask(bob, 'chat:history', { sessionId: '1', limit: 50 }));
  // They are read one at a time: the first comes, most wait.
  expect(await Promise.race(answers)).toMatchObject({ success: true });
  await realtime.revoke('bob', 'chat:1');
  await realtime.toRoom('chat:1', 'chat:message', {
    id: 'secret',
    sessionId: '1',
    content: 'secret',
    sender: 'assistant',
    timestamp: new Date(0).toISOString(),
  });
  const settled = await Promise.all(answers);
  expect(JSON.stringify(settled)).not.toContain('secret');
  expect(settled.at(-1)).toMatchObject({ success: false, error: { code: 'access-denied' } });
});

test('a reader that is so slow that the transport holds bytes for it is disconnected with its access, and gets none of them', async () => {
  await using ashlar = await startServer({ events: [...auditEvents] });
  const bob = await ashlar.connect(tokenFor('bob'));
  await ask(bob, 'join-room', 'audit:1');
  const received: number[] = [];
  bob.on('audit:entry', ({ entry }: { entry: number }) => received.push(entry));
  const wire = (bob.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } }).transport.ws
    ._socket;
  wire.pause();
  const padding = 'x'.repeat(200_000);
  for (let entry = 0; entry < 60; entry++) await ashlar.realtime.toRoom('audit:1', 'audit:entry', { entry, padding });
  const closed = next(bob, 'disconnect');
  await ashlar.realtime.revoke('bob', 'audit:1');
  expect(ashlar.realtime.getStats().totalConnections).toBe(0);
  wire.resume();
  await closed;
  expect(received.length).toBeLessThan(60);
});

test('another role, which only the product knows of, acts on open sockets at once', async () => {
  const roles = new Map<string, Access>([['bob', 'write']]);
  let asked = 0;
  await using ashlar = await startServer({
    authorize: (user, room) => {
      asked += 1;
      return room === 'plan:1' ? (roles.get(user.id) ?? 'none') : undefined;
    },
  });
  const bob = await ashlar.connect(tokenFor('bob', { access: {} }));
  expect(await ask(bob, 'join-room', 'plan:1')).toMatchObject({ access: 'write' });
  roles.set('bob', 'read');
  const reader = next(bob, 'room:access');
  await ashlar.realtime.recheckAccess('bob');
  expect(await reader).toEqual([{ room: 'plan:1', access: 'read' }]);
  roles.delete('bob');
  const out = next(bob, 'room:access');
  await ashlar.realtime.recheckAccess('bob');
  expect(ashlar.realtime.getStats().rooms['plan:1']).toBeUndefined();
  expect(await out).toEqual([{ room: 'plan:1', access: 'none' }]);
  const before = asked;
  await ashlar.realtime.recheckAccess('nobody');
  expect(asked).toBe(before);
});

test('[3] another role holds in rooms that the socket only asks about, too', async () => {
  const roles = new Map<string, Access>([['bob', 'read']]);
  await using ashlar = await startServer({
    authorize: (user, room) => (room === 'chat:1' ? (roles.get(user.id) ?? 'none') : undefined),
  });
  const bob = await ashlar.connect(tokenFor('bob'));
  expect(await ask(bob, 'chat:history', { sessionId: '1' })).toMatchObject({ success: true });
  roles.delete('bob');
  await ashlar.realtime.recheckAccess('bob');
  expect(await ask(bob, 'chat:history', { sessionId: '1' })).toMatchObject({ error: { code: 'access-denied' } });
});

test('whose access can no longer be decided is put out, as if there were none', async () => {
  let broken = false;
  await using ashlar = await startServer({
    authorize: (_, room) => {
      if (broken && room === 'plan:1') throw new Error('the directory does not answer');
      return undefined;
    },
  });
  const bob = await ashlar.connect(tokenFor('bob'));
  await ask(bob, 'join-room', 'plan:1');
  broken = true;
  const out = next(bob, 'room:access');
  await ashlar.realtime.recheckAccess('bob');
  expect(ashlar.realtime.getStats().rooms['plan:1']).toBeUndefined();
  expect(await out).toEqual([{ room: 'plan:1', access: 'none' }]);
});

test('the answer about one room that does not come keeps nobody in another: a recheck, and a renewal', async () => {
  let hangs = false;
  const waiting: (() => void)[] = [];
  await using ashlar = await startServer({
    authorizeTimeoutMs: 600_000,
    authorize: (user, room) => {
      if (!hangs || user.id !== 'bob') return undefined;
      return room === 'plan:1' ? new Promise<Access>((resolve) => waiting.push(() => resolve('read'))) : 'none';
    },
  });
  const bob = await ashlar.connect(tokenFor('bob'));
  const join = async (): Promise<{ out: Promise<unknown[]> }> => {
    for (const room of ['plan:1', 'plan:2']) expect(await ask(bob, 'join-room', room)).toMatchObject({ success: true });
    hangs = true;
    return { out: next(bob, 'room:access', ({ room }: { room: string }) => room === 'plan:2') };
  };
  let { out } = await join();
  const rechecked = ashlar.realtime.recheckAccess('bob');
  expect(await out).toEqual([{ room: 'plan:2', access: 'none' }]);
  for (const answer of waiting.splice(0)) answer();
  await rechecked;

  hangs = false;
  ({ out } = await join());
  expect(await ask(bob, 'auth:renew', tokenFor('bob'))).toMatchObject({ success: true });
  expect(await out).toEqual([{ room: 'plan:2', access: 'none' }]);
  for (const answer of waiting.splice(0)) answer();
});

test('an authorize callback that has access rechecked holds nobody up, and leaves who may stay where they are', async () => {
  let asked = 0;
  let rechecking = false;
  await using ashlar = await startServer({
    authorize: (_, room) => {
      if (room !== 'plan:1') return undefined;
      asked += 1;
      if (rechecking) void ashlar.realtime.recheckAccess('bob');
      return 'write';
    },
  });
  const [bob, anna] = [await ashlar.connect(tokenFor('bob')), await ashlar.connect(tokenFor('anna'))];
  await ask(bob, 'join-room', 'plan:1');
  rechecking = true;
  await ashlar.realtime.recheckAccess('bob');
  const before = asked;
  for (let turn = 0; turn < 5; turn++) expect(await ask(anna, 'room:members', 'dashboard')).toMatchObject({ success: true });
  expect(asked).toBeGreaterThan(before);
  rechecking = false;
  await ashlar.realtime.recheckAccess('bob');
  expect(ashlar.realtime.getStats().rooms['plan:1']).toBe(1);
}, 20_000);

test('a disconnect or a revocation during an asynchronous join leaves nothing behind', async () => {
  const waiting: (() => void)[] = [];
  await using ashlar = await startServer({
    authorize: (_, room) =>
      room.startsWith('plan:') ? new Promise<Access>((resolve) => waiting.push(() => resolve('write'))) : undefined,
    presenceGraceMs: 0,
    limits: { joinsPerMinute: 100_000 },
  });
  const sockets: Socket[] = [];
  for (let n = 0; n < 20; n++) sockets.push(await ashlar.connect(tokenFor(`user${n}`), { auth: { autoJoin: false } }));
  const answers: Promise<unknown>[] = [];
  for (const socket of sockets) {
    for (let room = 0; room < 50; room++) answers.push(ask(socket, 'join-room', `plan:${room}`).catch(() => 'gone'));
  }
  while (waiting.length < 1_000) await ask(sockets[0] as Socket, 'room:members', 'dashboard');
  const revoked = [];
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.disconnect();
    else for (let room = 0; room < 50; room++) revoked.push(ashlar.realtime.revoke(`user${index}`, `plan:${room}`));
  }
  while (ashlar.realtime.getStats().totalConnections > 10) await ask(sockets[1] as Socket, 'room:members', 'dashboard');
  for (const release of waiting.splice(0)) release();
  await Promise.all(revoked);
  for (const answer of await Promise.all(answers)) {
    if (answer !== 'gone') expect(answer).toMatchObject({ success: false, error: { code: 'access-denied' } });
  }
  expect(ashlar.realtime.getStats().rooms).toEqual({});
});

test('a renewed token keeps the connection and its rooms beyond the end of the old one; who does not renew is told so and closed', async () => {
  await using ashlar = await startServer();
  const old = { expiresInSeconds: 2 };
  const ada = await ashlar.connect(tokenFor('ada', old));
  const bob = await ashlar.connect(tokenFor('bob', old));
  await ask(ada, 'join-room', 'plan:1');
  const lost: unknown[] = [];
  ada.on('disconnect', (reason) => lost.push(reason));
  expect(await ask(ada, 'auth:renew', tokenFor('ada'))).toMatchObject({ success: true });
  const [[error]] = await Promise.all([next(bob, 'error'), next(bob, 'disconnect')]);
  expect(error).toMatchObject({ code: 'token-expired' });
  expect(await ask(ada, 'room:members', 'plan:1')).toMatchObject({ success: true, total: 1 });
  expect(lost).toEqual([]);
  expect(ashlar.realtime.getStats().rooms['plan:1']).toBe(1);
});

test('[3] membership follows the claims of a renewed token at once: in rooms of events and in documents, less and none', async () => {
  await using ashlar = await startServer();
  const ada = await ashlar.connect(tokenFor('ada'), { auth: { autoJoin: false } });
  const mine = new FrameClient(ada, 'plan', 7);
  await mine.join();
  for (const room of ['doc:draft', 'plan:1', 'plan:2']) await ask(ada, 'join-room', room);
  const told = new Map<string, Access>();
  ada.on('room:access', ({ room, access }: { room: string; access: Access }) => told.set(room, access));
  const less = { 'doc:plan': 'read', 'plan:1': 'read' } as const;
  expect(await ask(ada, 'auth:renew', tokenFor('ada', { access: less }))).toMatchObject({ success: true });
  await vi.waitFor(() => expect(told.size).toBe(4));
  expect(Object.fromEntries(told)).toEqual({ 'doc:plan': 'read', 'doc:draft': 'none', 'plan:1': 'read', 'plan:2': 'none' });
  expect(ashlar.realtime.getStats().rooms).toEqual({ 'doc:plan': 1, 'plan:1': 1 });
  mine.update(1, updateOf('written'));
  expect(await mine.frame('refused')).toMatchObject({ counter: 1, code: 'read-only' });
});

test('[4] what is said after a renewal carries the name of the new token', async () => {
  await using ashlar = await startServer();
  const ada = await ashlar.connect(tokenFor('ada', { name: 'Ada' }));
  expect(await ask(ada, 'auth:renew', tokenFor('ada', { name: 'Countess' }))).toMatchObject({ success: true });
  expect(await ask(ada, 'chat:message', { sessionId: 's', content: 'hello' })).toMatchObject({
    success: true,
    data: { userId: 'ada', name: 'Countess' },
  });
});

test('a token of 30 days, which is more than a timer can take, holds', async () => {
  await using ashlar = await startServer();
  const socket = await ashlar.connect(tokenFor('ada', { expiresInSeconds: 30 * 86_400 }));
  for (let n = 0; n < 20; n++) expect(await ask(socket, 'room:members', 'dashboard')).toMatchObject({ success: true });
  expect(socket.connected).toBe(true);
});

test('[3] a grant and a revocation hold over a restart, also for a user of whom nothing else is stored', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-grants-'));
  try {
    const first = await startServer({ dataDir });
    await first.realtime.grant('ada', 'doc:plan', 'read');
    await first.realtime.revoke('bob', 'doc:plan');
    await first.stop();
    await using server = await startServer({ dataDir });
    const [ada, bob, eve] = await Promise.all([
      server.connect(tokenFor('ada', { access: {} })),
      server.connect(tokenFor('bob')),
      server.connect(tokenFor('eve', { access: {} })),
    ]);
    expect(await ask(ada, 'join-room', 'doc:plan')).toMatchObject({ success: true, access: 'read' });
    for (const refused of [bob, eve]) {
      expect(await ask(refused, 'join-room', 'doc:plan')).toMatchObject({ error: { code: 'access-denied' } });
    }
    await server.realtime.grant('eve', 'doc:plan', 'write');
    expect(await ask(eve, 'join-room', 'doc:plan')).toMatchObject({ success: true, access: 'write' });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
