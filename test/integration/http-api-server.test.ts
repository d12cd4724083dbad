import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, next, startServer, type TestServer, tokenFor } from '../support/start-server.ts';

const backend = tokenFor('backend', { permissions: ['publish', 'stats'] });

async function post(server: TestServer, body: unknown, { token = backend, key }: { token?: string; key?: string } = {}) {
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() };
}

const message = (id: string) => ({
  event: 'chat:message',
  data: { id, sessionId: 's', content: `message ${id}`, sender: 'assistant', timestamp: '2026-01-01T00:00:00Z' },
});
const history = async (server: TestServer) => {
  const socket = await server.connect(tokenFor('reader'));
  await ask(socket, 'join-room', 'chat:s');
  const { messages } = (await ask(socket, 'chat:history', { sessionId: 's' })) as { messages: { data: { id: string } }[] };
  return messages.map(({ data }) => data.id);
};

test('what is published over HTTP reaches the room, and the answer names its place in the log', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('anna'));
  await ask(socket, 'join-room', 'chat:s');
  const arrived = next(socket, 'chat:message');
  const answer = await post(server, message('m1'));
  const [data, meta] = (await arrived) as [{ id: string }, { seq: number; epoch: string }];
  expect(data.id).toBe('m1');
  expect(answer).toMatchObject({
    status: 200,
    body: { success: true, data: { event: 'chat:message', room: 'chat:s', seq: meta.seq, epoch: meta.epoch } },
  });
});

test('a body that comes in pieces and does not say how long it is, is taken as any other, up to the same size', async () => {
  await using server = await startServer();
  const send = (pieces: readonly (string | Buffer)[]) =>
    new Promise<{ status: number | undefined; body: { error?: { code: string }; data?: { seq: number } } }>((resolve, reject) => {
      const sent = request(`${server.url}/api/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${backend}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      });
      sent.on('response', async (response) => resolve({ status: response.statusCode, body: JSON.parse(await text(response)) }));
      sent.on('error', reject);
      for (const piece of pieces) sent.write(piece);
      sent.end();
    });
  // Cut within the ü, too.
  const bytes = Buffer.from(JSON.stringify(message('früh')));
  const cut = bytes.indexOf('ü') + 1;
  expect(await send([bytes.subarray(0, cut), bytes.subarray(cut)])).toMatchObject({ status: 200, body: { data: { seq: 1 } } });
  expect(await history(server)).toEqual(['früh']);
  expect(await send(['{', '}'])).toMatchObject({ status: 400, body: { error: { code: 'invalid-payload' } } });
  const [most, more] = [1_000_000, 1_000_001].map((bytes) => [' '.repeat(400_000), ' '.repeat(bytes - 400_002), '{}']);
  expect(await send(most as string[])).toMatchObject({ status: 400, body: { error: { code: 'invalid-payload' } } });
  expect(await send(more as string[])).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } });
});

test('health checks that name no host are answered, and a host that is none is refused as everything else is', async () => {
  await using server = await startServer();
  const answerTo = async (lines: readonly string[]) => {
    const tcp = connect(Number(new URL(server.url).port), '127.0.0.1');
    tcp.write(`${lines.join('\r\n')}\r\n\r\n`);
    const [head = '', body = ''] = (await text(tcp)).split('\r\n\r\n');
    return { status: head.split(' ')[1], body: JSON.parse(body) };
  };
  const ok = { status: '200', body: { success: true, data: { status: 'ok' } } };
  expect(await answerTo(['GET /readyz HTTP/1.0'])).toEqual(ok);
  expect(await answerTo(['GET /healthz HTTP/1.1', 'Host:', 'Connection: close'])).toEqual(ok);
  expect(await answerTo(['GET /healthz HTTP/1.1', 'Host: a/b', 'Connection: close'])).toEqual({
    status: '400',
    body: { success: false, error: expect.objectContaining({ code: 'invalid-payload' }) },
  });
});

test('each answer of a list names its own place, also where several go into one room', async () => {
  await using server = await startServer();
  const widget = { event: 'dashboard:update', data: { widgetId: 'a', value: 1, timestamp: '2026-01-01T00:00:00Z' } };
  const elsewhere = { ...message('m3'), data: { ...message('m3').data, sessionId: 'other' } };
  const { body } = await post(server, [message('m1'), widget, message('m2'), elsewhere, message('m4')]);
  const places = (body.data as { room: string; seq?: number }[]).map(({ room, seq }) => [room, seq]);
  expect(places).toEqual([
    ['chat:s', 1],
    ['dashboard', undefined],
    ['chat:s', 2],
    ['chat:other', 1],
    ['chat:s', 3],
  ]);
  const socket = await server.connect(tokenFor('reader'));
  const logged = (await ask(socket, 'chat:history', { sessionId: 's' })).messages as {
    data: { id: string };
    meta: { seq: number };
  }[];
  expect(logged.map(({ data, meta }) => [data.id, meta.seq])).toEqual([
    ['m1', 1],
    ['m2', 2],
    ['m4', 3],
  ]);
});

test('an Idempotency-Key gives the first answer and no second event, at once, later, and after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-idempotency-'));
  try {
    let server = await startServer({ dataDir });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(server, [message('m1'), message('m2')], { key: 'k' })),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(200);
    for (const others of [[message('m3')], [message('m1'), message('m3')], message('m1')]) {
      expect((await post(server, others, { key: 'k' })).body).toMatchObject({ error: { code: 'idempotency-conflict' } });
    }
    await server.stop();

    server = await startServer({ dataDir });
    expect(await post(server, [message('m1'), message('m2')], { key: 'k' })).toEqual(answers[0]);
    const other = tokenFor('other-backend', { permissions: ['publish'] });
    expect((await post(server, message('m4'), { key: 'k', token: other })).status, 'keys of two users never meet').toBe(200);
    expect(await history(server)).toEqual(['m1', 'm2', 'm4']);
    await server.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('an Idempotency-Key is good for a day', async () => {
  const store = openMemoryStore();
  const forgotten: number[] = [];
  store.forgetKeys = async (before) => forgotten.push(before);
  const start = Date.now();
  await using _server = await startServer({ store });
  expect(forgotten).toHaveLength(1);
  expect(forgotten[0]).toBeGreaterThanOrEqual(start - 86_400_000);
  expect(forgotten[0]).toBeLessThanOrEqual(Date.now() - 86_400_000);
});

test('another body under an Idempotency-Key is refused also while the first is under way', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const release = store.hold('append');
  const first = post(server, message('m1'), { key: 'k' });
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  expect(await post(server, message('m2'), { key: 'k' })).toMatchObject({
    status: 422,
    body: { error: { code: 'idempotency-conflict' } },
  });
  release();
  expect((await first).status).toBe(200);
});

test('the same words to somebody else are another body under an Idempotency-Key, and reach nobody', async () => {
  await using server = await startServer();
  const data = { id: 'n1', level: 'info', title: 'Salary', message: 'It is more now', timestamp: '2026-01-01T00:00:00Z' };
  const tell = (to: object) => post(server, { event: 'system:notification', data, ...to }, { key: 'k' });
  expect((await tell({ userId: 'anna' })).status).toBe(200);
  for (const to of [{ userId: 'bob' }, { room: 'user:bob' }, {}]) {
    expect(await tell(to)).toMatchObject({ status: 422, body: { error: { code: 'idempotency-conflict' } } });
  }
  const bob = await server.connect(tokenFor('bob'));
  expect(await ask(bob, 'notification:list')).toMatchObject({ success: true, unread: 0 });
});

test('an Idempotency-Key is kept also where its event was overtaken, and nothing of it is sent', async () => {
  await using server = await startServer();
  const progress = (percent: number) => ({
    event: 'batch:progress',
    room: 'batch:b',
    data: { batchId: 'b', progress: percent, current: percent, total: 100, status: 'processing' },
  });
  await post(server, { event: 'batch:completed', room: 'batch:b', data: { batchId: 'b', results: [], duration: 5 } });
  const late = await post(server, progress(40), { key: 'k' });
  expect(late).toMatchObject({ status: 200, body: { data: { event: 'batch:progress', room: 'batch:b' } } });
  expect(await post(server, progress(40), { key: 'k' })).toEqual(late);
  expect((await post(server, progress(50), { key: 'k' })).body).toMatchObject({ error: { code: 'idempotency-conflict' } });
});

test('an Idempotency-Key is its sender’s own also while another’s is under way', async () => {
  const store = gateStore(openMemoryStore());
  const asked: string[] = [];
  await using server = await startServer({ store, authorize: (user) => void asked.push(user.id) });
  const release = store.hold('append');
  const other = tokenFor('other-backend', { permissions: ['publish'] });
  const first = post(server, message('m1'), { key: 'k' });
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  const second = post(server, message('m2'), { key: 'k', token: other });
  await vi.waitFor(() => expect(asked).toContain('other-backend'));
  release();
  expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
  expect(await history(server)).toEqual(['m1', 'm2']);
});

test.each([':', '/', '|', ''])('nor do two users’ keys meet where id and key, joined by "%s", read the same', async (between) => {
  const store = gateStore(openMemoryStore());
  const asked: string[] = [];
  await using server = await startServer({ store, authorize: (user) => void asked.push(user.id) });
  const release = store.hold('append');
  const [one, other] = ['a', `a${between}b`].map((id) => tokenFor(id, { permissions: ['publish'] }));
  const first = post(server, message('m1'), { key: `b${between}c`, token: one! });
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  const second = post(server, message('m2'), { key: 'c', token: other! });
  await vi.waitFor(() => expect(asked).toContain(`a${between}b`));
  release();
  expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
  expect(await history(server)).toEqual(['m1', 'm2']);
});

test.each([
  ['an unknown event', { event: 'no:such', data: {} }, 'unknown-event', 404],
  ['a payload that does not fit', { ...message('m2'), data: { id: 'm2', sessionId: 's' } }, 'invalid-payload', 400],
  ['a payload that names no room', { ...message('m2'), data: { id: 'm2' } }, 'invalid-payload', 400],
  ['a room that is not its own', { ...message('m2'), room: 'dashboard' }, 'wrong-room', 400],
  ['a room name that is none', { ...message('m2'), room: 'chat:..' }, 'invalid-room', 400],
])('%s in a list: none of the list is taken', async (_what, wrong, code, status) => {
  await using server = await startServer();
  const answer = await post(server, [message('m1'), wrong]);
  expect([answer.status, answer.body]).toMatchObject([
    status,
    { success: false, error: { code, detail: expect.stringMatching(/^event 1\b/) } },
  ]);
  expect(await history(server)).toEqual([]);
});

test('an event for one user reaches that user and nobody else', async () => {
  await using server = await startServer();
  const [anna, ben] = await Promise.all([server.connect(tokenFor('anna')), server.connect(tokenFor('ben'))]);
  const seenByBen: string[] = [];
  ben.onAny((event: string, data: { id?: string }) => {
    if (event === 'system:notification') seenByBen.push(data.id ?? '');
  });
  const notification = (id: string) => ({
    event: 'system:notification',
    data: { id, level: 'info', title: 't', message: 'm', timestamp: '2026-01-01T00:00:00Z' },
  });
  const [forAnna, forBen] = [next(anna, 'system:notification'), next(ben, 'system:notification')];
  expect((await post(server, { ...notification('n1'), userId: 'anna' })).status).toBe(200);
  expect((await post(server, { ...notification('n2'), userId: 'ben' })).status).toBe(200);
  expect(((await forAnna)[0] as { id: string }).id).toBe('n1');
  await forBen;
  expect(seenByBen).toEqual(['n2']);
});

test('publishing and stats need their permission; the role admin reads stats, and publishes nothing', async () => {
  await using server = await startServer();
  const stats = async (token: string) =>
    (await fetch(`${server.url}/api/ws/stats`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect((await post(server, message('m1'), { token: tokenFor('anna') })).body).toMatchObject({
    error: { code: 'access-denied' },
  });
  const admin = tokenFor('anna', { roles: ['admin'], permissions: ['stats'] });
  expect((await post(server, message('m1'), { token: admin })).body).toMatchObject({ error: { code: 'access-denied' } });
  expect((await post(server, message('m1'), { token: 'nonsense' })).body).toMatchObject({ error: { code: 'invalid-token' } });
  expect(
    (await post(server, message('m1'), { token: tokenFor('backend', { permissions: ['publish'], expiresInSeconds: -1 }) })).body,
  ).toMatchObject({
    error: { code: 'token-expired', message: 'Invalid token' },
  });
  expect(await stats(tokenFor('anna'))).toBe(403);
  expect(await stats(tokenFor('anna', { roles: ['admin'] }))).toBe(200);
  expect(await stats(tokenFor('anna', { permissions: ['stats'] }))).toBe(200);
  expect(await history(server)).toEqual([]);
});

test('bad tokens over HTTP are counted by address, as refused handshakes are: behind a trusted proxy by the client’s own', async () => {
  await using server = await startServer({ limits: { handshakesPerMinute: 2 }, trustedProxies: ['127.0.0.1'] });
  const statusFrom = async (address: string, token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address };
    return (await fetch(`${server.url}/api/ws/stats`, { headers })).status;
  };
  const guesses: number[] = [];
  for (let guess = 0; guess < 3; guess++) guesses.push(await statusFrom('192.0.2.1', 'nonsense'));
  expect(guesses).toEqual([401, 401, 429]);
  expect(await statusFrom('192.0.2.1', backend), 'not even with a good one').toBe(429);
  expect(await statusFrom('192.0.2.2', 'nonsense')).toBe(401);
  expect(await statusFrom('192.0.2.2', backend)).toBe(200);
});

test('beyond the publishing budget the answer is 429, says when to come back, and nothing is taken', async () => {
  await using server = await startServer({ limits: { publishesPerMinute: 3 } });
  expect((await post(server, [message('m1'), message('m2')])).status).toBe(200);
  const refused = await post(server, [message('m3'), message('m4')]);
  expect([refused.status, refused.body]).toMatchObject([
    429,
    { error: { code: 'rate-limited', message: 'Rate limit exceeded' } },
  ]);
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  expect(await history(server)).toEqual(['m1', 'm2']);
});

test('stats are questions like others, and have their budget', async () => {
  await using server = await startServer({ limits: { joinsPerMinute: 1 } });
  const stats = async () =>
    (await fetch(`${server.url}/api/ws/stats`, { headers: { authorization: `Bearer ${backend}` } })).status;
  const answers: number[] = [];
  // A user has ten times what one socket has.
  for (let question = 0; question < 11; question++) answers.push(await stats());
  expect(answers).toEqual([...Array<number>(10).fill(200), 429]);
});

test('stats count connections, users and members', async () => {
  await using server = await startServer();
  const [, ...joining] = await Promise.all(['anna', 'anna', 'ben'].map((id) => server.connect(tokenFor(id))));
  for (const socket of joining) await ask(socket, 'join-room', 'dashboard');
  // In memory, with nobody in it.
  await post(server, message('m1'));
  const response = await fetch(`${server.url}/api/ws/stats`, { headers: { authorization: `Bearer ${backend}` } });
  expect(await response.json()).toMatchObject({
    success: true,
    data: { totalConnections: 3, totalUsers: 2, rooms: { dashboard: 2 } },
  });
  expect(server.realtime.getStats().rooms).not.toHaveProperty('chat:s');
});
