import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import { encodeFrame } from '../../shared/document-frame.ts';
import { auditEvents } from '../support/audit-events.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const FLOOD = 3_000;

/** What a budget of so many a minute lets through in the time since `start`, with a little for the clock's steps. */
const budget = (perMinute: number, start: number) =>
  perMinute + Math.ceil(((performance.now() - start) / 60_000) * perMinute) + 1;

/** Answers to so many messages sent at once, by what they say. */
async function flood(socket: Socket, message: (index: number) => unknown[]): Promise<Map<string, number>> {
  const answers = await Promise.all(
    Array.from({ length: FLOOD }, (_, index) => ask(socket, ...(message(index) as [string, ...unknown[]]))),
  );
  const counts = new Map<string, number>();
  for (const { success, error } of answers) {
    const said = success ? 'success' : error.code;
    counts.set(said, (counts.get(said) ?? 0) + 1);
    if (said === 'rate-limited')
      expect(error).toMatchObject({ message: 'Rate limit exceeded', retryAfterMs: expect.toSatisfy((ms) => ms > 0) });
  }
  return counts;
}

test("[3] a flood of a user's events, over two sockets and into many rooms, reaches the product's callback within its budget alone", {
  timeout: 60_000,
}, async () => {
  const asked: string[] = [];
  await using server = await startServer({
    authorize: (user, room) => {
      if (user.id === 'eve' && !room.startsWith('system')) asked.push(room);
      return undefined;
    },
  });
  const start = performance.now();
  const sockets = [await server.connect(tokenFor('eve')), await server.connect(tokenFor('eve'))];
  const counts = await Promise.all(
    sockets.map((socket, which) =>
      flood(socket, (index) => ['chat:message', { sessionId: `${which}-${index}`, content: 'spam' }, { id: `${index}` }]),
    ),
  );
  const taken = counts.reduce((sum, count) => sum + (count.get('success') ?? 0) + (count.get('too-many-rooms') ?? 0), 0);
  expect(taken).toBeGreaterThanOrEqual(100);
  expect(taken).toBeLessThanOrEqual(budget(100, start));
  expect(asked.length).toBeLessThanOrEqual(taken);
  expect(counts.reduce((sum, count) => sum + (count.get('rate-limited') ?? 0), 0)).toBe(2 * FLOOD - taken);
});

test("[3] a flood of joins and questions reaches the product's callback within its budget alone", {
  timeout: 60_000,
}, async () => {
  let asked = 0;
  await using server = await startServer({
    authorize: (user, room) => {
      if (user.id === 'eve' && room !== 'system') asked += 1;
      return undefined;
    },
  });
  const eve = await server.connect(tokenFor('eve'));
  const start = performance.now();
  const kinds = ['join-room', 'room:members', 'leave-room'];
  await flood(eve, (index) =>
    index % 4 === 3 ? ['chat:history', { sessionId: `${index}` }] : [kinds[index % 4] as string, `room-${index}`],
  );
  expect(asked).toBeGreaterThan(100);
  expect(asked).toBeLessThanOrEqual(budget(600, start));
});

test("[3] frames for documents that a socket is not in reach nobody's callback, and say what to do", async () => {
  let asked = 0;
  await using server = await startServer({
    authorize: (_, room) => {
      if (room.startsWith('doc:')) asked += 1;
      return undefined;
    },
  });
  const eve = await server.connect(tokenFor('eve'));
  const frame = encodeFrame({ type: 'sync', stateVector: new Uint8Array([0]) });
  const counts = await flood(eve, (index) => ['document', `doc:${index}`, frame]);
  expect(counts).toEqual(new Map([['not-a-member', FLOOD]]));
  expect(asked).toBe(0);
});

test('[3] what is over the limit is not processed: no record, no receiver', async () => {
  await using server = await startServer({ events: auditEvents });
  const start = performance.now();
  const bob = await server.connect(tokenFor('bob'));
  const heard: number[] = [];
  bob.on('audit:entry', ({ entry }: { entry: number }) => heard.push(entry));
  await ask(bob, 'join-room', 'audit:main');
  const eve = await server.connect(tokenFor('eve'));
  const counts = await flood(eve, (index) => ['audit:entry', { entry: index }, { room: 'audit:main' }]);
  const { head } = await ask(bob, 'join-room', 'audit:main');
  expect(head).toBe(counts.get('success'));
  expect(head).toBeLessThanOrEqual(budget(100, start));
  expect(new Set(heard).size).toBe(head);
  // Another user is not concerned.
  expect(await ask(bob, 'audit:entry', { entry: -1 }, { room: 'audit:main' })).toMatchObject({ success: true });
});

test('[3] HTTP has the same guard: a token, its permission, its budget', async () => {
  const asked: string[] = [];
  await using server = await startServer({
    limits: { publishesPerMinute: 50 },
    authorize: (_, room) => {
      asked.push(room);
      return undefined;
    },
  });
  const publish = (token: string | null, index: number) =>
    fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ event: 'chat:message', data: message(index) }),
    });
  const message = (index: number) => ({
    id: `${index}`,
    sessionId: '1',
    content: 'spam',
    sender: 'assistant',
    timestamp: new Date(0).toISOString(),
  });
  expect((await publish(null, 0)).status).toBe(401);
  expect((await publish(tokenFor('eve'), 0)).status).toBe(403);
  const start = performance.now();
  const token = tokenFor('worker', { permissions: ['publish'] });
  const statuses: number[] = [];
  for (let index = 0; index < 120; index++) {
    const response = await publish(token, index);
    statuses.push(response.status);
    if (response.status === 429) {
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({
        success: false,
        error: { code: 'rate-limited', message: 'Rate limit exceeded' },
      });
    }
  }
  const taken = statuses.filter((status) => status === 200 || status === 201 || status === 202).length;
  expect(taken).toBeLessThanOrEqual(budget(50, start));
  expect(statuses.filter((status) => status === 429)).toHaveLength(120 - taken);
  const reader = await server.connect(tokenFor('bob'));
  expect(await ask(reader, 'join-room', 'chat:1')).toMatchObject({ head: taken });
});

test('[3] who goes on sending beyond its budget of bytes, however small each message, is cut off; who waits is not', async () => {
  await using server = await startServer({ limits: { bytesPerSecond: 1_000, byteBurst: 40_000 } });
  const [ada, eve] = [await server.connect(tokenFor('ada')), await server.connect(tokenFor('eve'))];
  const gone = next(eve, 'disconnect');
  // 100 kB: as much again as the burst is owed once, and then some.
  for (let index = 0; index < 200; index++) eve.emit('join-room', `room-${index}`, { unread: 'x'.repeat(450) }, () => {});
  for (let index = 0; index < 60; index++) ada.emit('join-room', `room-${index}`, { unread: 'x'.repeat(450) }, () => {});
  await gone;
  expect(await ask(ada, 'leave-room', 'room-0')).toMatchObject({ success: true });
});

test('[3] as many connections of one address as its limit says come in, and one more is told to wait', async () => {
  await using server = await startServer({ limits: { connectionsPerAddress: 2 } });
  const [first] = [await server.connect(tokenFor('ada')), await server.connect(tokenFor('bob'))];
  const refused = await server.connect(tokenFor('eve')).catch((error: unknown) => error);
  expect(refused).toMatchObject({ data: { code: 'rate-limited', retryAfterMs: 10_000 } });
  first.disconnect();
  await vi.waitFor(async () => expect(await server.connect(tokenFor('eve'))).toMatchObject({ connected: true }));
});
