import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { createHttpApi } from '../../server/http/api.ts';
import { isHttpApiPath } from '../../server/http/own-paths.ts';
import { createCatalog } from '../../shared/catalog.ts';
import { defineEvent } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { fakePorts, startHttpApi } from '../support/http-api-server.ts';

const update = { event: 'dashboard:update', data: { widgetId: 'a', value: 1, timestamp: '2026-01-01T00:00:00Z' } };

test('one event is published and answered by one answer', async () => {
  const { ports, published, admitted } = fakePorts();
  await using api = await startHttpApi(ports);
  const response = await api.post({ ...update, room: 'dashboard' }, { 'idempotency-key': 'k-1' });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    success: true,
    data: { event: 'dashboard:update', room: 'dashboard', seq: 1, epoch: 'e' },
  });
  expect(published).toEqual([{ events: [{ ...update, room: 'dashboard' }], key: 'k-1' }]);
  expect(admitted).toMatchObject([{ token: 'good', action: 'publish', cost: 1, address: '127.0.0.1' }]);
});

test('a list is published whole, answered in order, and charged per event', async () => {
  const { ports, published, admitted } = fakePorts();
  await using api = await startHttpApi(ports);
  const list = Array.from({ length: 1_000 }, (_, index) => ({ ...update, userId: `u${index}` }));
  const response = await api.post(list);
  const { data } = (await response.json()) as { data: unknown[] };
  expect(data).toHaveLength(1_000);
  expect(published[0]?.events).toHaveLength(1_000);
  expect(admitted.reduce((sum, { cost }) => sum + cost, 0)).toBe(1_000);
});

test.each([
  ['a body that is not JSON', '{', 'body is not JSON'],
  ['an empty body', '', 'body is not JSON'],
  ['a null', 'null', 'event: '],
  ['an empty list', '[]', '1 to 1000 events'],
  ['a bomb of brackets', `{"event":"a:b","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'nested deeper than 64 levels'],
  ['a list of 1,001', JSON.stringify(Array(1_001).fill(update)), 'this one 1001'],
  ['room and userId together', JSON.stringify({ ...update, room: 'a', userId: 'b' }), 'exclude each other'],
  ['a misspelt key', JSON.stringify({ ...update, userID: 'b' }), 'userID'],
  ['a wrong event in a list', JSON.stringify([update, { data: 1 }]), 'event 1 at event'],
])('%s is refused as invalid-payload, and nothing of it is published', async (_what, body, detail) => {
  const { ports, published } = fakePorts();
  await using api = await startHttpApi(ports);
  const response = await api.post(body);
  expect(response.status).toBe(400);
  const answer = (await response.json()) as { success: boolean; error: { code: string; message: string; detail: string } };
  expect(answer).toMatchObject({ success: false, error: { code: 'invalid-payload', message: 'Invalid payload' } });
  expect(answer.error.detail).toContain(detail);
  expect(published).toEqual([]);
});

test('brackets inside strings do not count as nesting', async () => {
  await using api = await startHttpApi(fakePorts().ports);
  const data = { text: `\\"${'['.repeat(200)}"\\`, list: Array(200).fill([]) };
  expect((await api.post({ event: 'a:b', data })).status).toBe(200);
});

test.each(['', 'a b', 'x'.repeat(256)])('Idempotency-Key %j is refused', async (key) => {
  const { ports, published } = fakePorts();
  await using api = await startHttpApi(ports);
  const response = await api.post(update, { 'idempotency-key': key });
  expect(response.status).toBe(400);
  expect(published).toEqual([]);
});

test('another content type is refused with 415', async () => {
  const { ports, published } = fakePorts();
  await using api = await startHttpApi(ports);
  const response = await api.post(update, { 'content-type': 'text/plain' });
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({ success: false, error: { code: 'unsupported-media-type' } });
  expect((await api.post(update, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
  expect(published).toHaveLength(1);
});

test('without a token a publish is refused before its body is read', async () => {
  const { ports, published } = fakePorts();
  await using api = await startHttpApi(ports);
  // The body never comes: only an answer that does not wait for it gets here.
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest(`${api.url}/api/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '500000' },
    });
    request.on('response', (response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on('error', reject);
    request.flushHeaders();
  });
  expect(status).toBe(401);
  expect(published).toEqual([]);
});

test('what is true now or for one sender alone is kept by no cache, and nothing is taken for another type than it says', async () => {
  await using api = await startHttpApi(fakePorts().ports);
  const headers = async (path: string, token?: string) => {
    const response = await fetch(api.url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    return [response.status, response.headers.get('cache-control'), response.headers.get('x-content-type-options')];
  };
  expect(await headers('/api/ws/stats', 'good')).toEqual([200, 'no-store', 'nosniff']);
  expect(await headers('/metrics', 'good')).toEqual([200, 'no-store', 'nosniff']);
  expect(await headers('/healthz')).toEqual([200, 'no-store', 'nosniff']);
  expect(await headers('/readyz')).toEqual([200, 'no-store', 'nosniff']);
  expect(await headers('/api/ws/stats')).toEqual([401, 'no-store', 'nosniff']);
  expect(await headers('/api/nothing')).toEqual([404, 'no-store', 'nosniff']);
  expect(await headers('/api/ws/docs')).toEqual([200, null, 'nosniff']);
});

test('a refusal carries the code’s status, sentence and headers', async () => {
  await using api = await startHttpApi(fakePorts().ports);
  const response = await fetch(`${api.url}/api/ws/stats`);
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer');
  expect(await response.json()).toEqual({
    success: false,
    error: { code: 'auth-required', message: 'Authentication required' },
  });
});

test.each([
  [new AshlarError('rate-limited', { retryAfterMs: 1_001 }), 429, '2'],
  [new AshlarError('rate-limited', { retryAfterMs: 3 }), 429, '1'],
  [new AshlarError('storage-full'), 507, null],
  [new AshlarError('idempotency-conflict'), 422, null],
])('%s is answered with %i', async (error, status, retryAfter) => {
  const { ports } = fakePorts({ publish: () => Promise.reject(error) });
  await using api = await startHttpApi(ports);
  const response = await api.post(update);
  expect(response.status).toBe(status);
  expect(response.headers.get('retry-after')).toBe(retryAfter);
  expect(await response.json()).toMatchObject({ success: false, error: { code: error.code } });
});

test.each([
  ['anything thrown', new Error('password hunter2')],
  ['a broken invariant', new AshlarError('internal', { detail: 'broken invariant: password hunter2' })],
])('%s is answered as internal, tells nothing of itself, and is logged without the token', async (_what, thrown) => {
  const lines: string[] = [];
  const { ports } = fakePorts({ publish: () => Promise.reject(thrown) });
  await using api = await startHttpApi(ports, {
    log: { error: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`) },
  });
  const response = await api.post(update);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('{"success":false,"error":{"code":"internal","message":"Internal error"}}');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^http:error /);
  expect(lines[0]).not.toContain('good');
});

/** A body that comes in these pieces. */
function inTurn(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

test.each(['content-length', 'chunked', 'in small chunks'])('a body beyond the limit is refused (%s)', async (how) => {
  const { ports, published } = fakePorts();
  await using api = await startHttpApi(ports, { bodyBytes: 10_000 });
  const text = JSON.stringify({ ...update, data: 'x'.repeat(20_000) });
  const bytes = new TextEncoder().encode(text);
  const size = how === 'chunked' ? bytes.length : 1_000;
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
  const body = how === 'content-length' ? text : inTurn(chunks);
  const response = await api.fetch('/api/events', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    ...(how === 'content-length' ? {} : { duplex: 'half' }),
  } as RequestInit);
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ success: false, error: { code: 'too-large' } });
  expect(published).toEqual([]);
  expect((await api.post(update)).status, 'the next request is served').toBe(200);
});

test('stats come in the documented shape', async () => {
  const { ports, admitted } = fakePorts();
  await using api = await startHttpApi(ports);
  const response = await api.fetch('/api/ws/stats');
  expect(await response.json()).toEqual({
    success: true,
    data: { totalConnections: 3, totalUsers: 2, rooms: { dashboard: 2 } },
  });
  expect(admitted[0]).toMatchObject({ action: 'stats', token: 'good' });
});

test('health needs no token; readiness follows the store', async () => {
  let broken = false;
  const { ports } = fakePorts({
    ready: async () => {
      if (broken) throw new AshlarError('storage-unavailable');
    },
  });
  await using api = await startHttpApi(ports);
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  broken = true;
  const refused = await fetch(`${api.url}/readyz`);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ success: false, error: { code: 'storage-unavailable' } });
  broken = false;
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
});

test('readiness asked many times at once is proved once', async () => {
  let proofs = 0;
  let prove: () => void = () => undefined;
  const { ports } = fakePorts({
    ready: () => {
      proofs += 1;
      return new Promise((resolve) => {
        prove = resolve;
      });
    },
  });
  const api = createHttpApi(ports);
  const answers = Array.from({ length: 20 }, () => api.request('/readyz'));
  await api.request('/healthz');
  expect(proofs).toBe(1);
  prove();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200));
});

test('an unknown path is 404, a wrong method 405 with Allow, both as JSON', async () => {
  await using api = await startHttpApi(fakePorts().ports);
  const missing = await api.fetch('/api/ws/nothing');
  expect([missing.status, await missing.json()]).toEqual([
    404,
    { success: false, error: { code: 'not-found', message: 'Not found' } },
  ]);
  const wrong = await api.fetch('/api/events');
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  expect(await wrong.json()).toMatchObject({ success: false, error: { code: 'method-not-allowed' } });
  expect((await api.fetch('/api/ws/stats', { method: 'DELETE' })).status).toBe(405);
  expect((await api.fetch('/healthz', { method: 'HEAD' })).status).toBe(200);
});

test('under a prefix every path is behind it', async () => {
  await using api = await startHttpApi(fakePorts().ports, { prefix: '/realtime' });
  expect((await api.fetch('/realtime/api/ws/stats')).status).toBe(200);
  expect((await api.fetch('/api/ws/stats')).status).toBe(404);
  const openapi = (await (await api.fetch('/realtime/api/ws/openapi.json')).json()) as { paths: object };
  expect(Object.keys(openapi.paths)).toContain('/realtime/api/events');
});

test('only the API’s own paths are its own', () => {
  const own = ['/api/events', '/api/events?x=1', '/api/ws/stats', '/healthz', '/readyz'];
  expect(own.filter((path) => !isHttpApiPath(path, '', false))).toEqual([]);
  const foreign = ['/', '/api/eventsource', '/api/users', '/api/ws', '/healthz/x', '/API/events', '/x/api/events'];
  expect(foreign.filter((path) => isHttpApiPath(path, '', false))).toEqual([]);
  expect([isHttpApiPath('/rt/healthz', '/rt', false), isHttpApiPath('/healthz', '/rt', false)]).toEqual([true, false]);
});

test('allowed origins may read answers, others may not', async () => {
  await using api = await startHttpApi(fakePorts().ports, { allowedOrigins: ['https://app.example.com'] });
  const preflight = await fetch(`${api.url}/api/events`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
  const own = await api.fetch('/api/ws/stats', { headers: { origin: 'https://app.example.com' } });
  expect(own.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  // Without it a page cannot see when to come back.
  expect(own.headers.get('access-control-expose-headers')).toBe('Retry-After');
  const other = await api.fetch('/api/ws/stats', { headers: { origin: 'https://evil.example' } });
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
});

test('the OpenAPI description says what the schemas say, for a product’s events too', async () => {
  const shipped = defineEvent({
    name: 'order:shipped',
    room: 'order:*',
    sentBy: ['backend'],
    payload: z.object({ orderId: z.string(), at: z.date() }),
    delivery: { class: 'log' },
  });
  await using api = await startHttpApi(fakePorts().ports, { events: createCatalog([shipped]).values(), version: '1.2.3' });
  const openapi = (await (await api.fetch('/api/ws/openapi.json')).json()) as OpenApiJson;
  expect(openapi.openapi).toMatch(/^3\.1/);
  expect(openapi.info.version).toBe('1.2.3');
  expect(Object.keys(openapi.paths).sort()).toEqual([
    '/api/events',
    '/api/ws/docs',
    '/api/ws/openapi.json',
    '/api/ws/stats',
    '/healthz',
    '/metrics',
    '/readyz',
  ]);
  const publish = JSON.stringify(openapi.paths['/api/events']?.post);
  expect(publish).toContain('"maxItems":1000');
  expect(publish).toContain('Idempotency-Key');
  expect(publish).toContain('rate-limited');
  expect(openapi.components.schemas['event.dashboard.update']?.required).toEqual(['widgetId', 'value', 'timestamp']);
  expect(openapi.components.schemas['event.order.shipped']?.properties).toHaveProperty('orderId');
  expect(openapi.components.schemas, 'the backend sends no refresh').not.toHaveProperty('event.dashboard.refresh');
});

test('the OpenAPI description leaves out metrics that are not served', async () => {
  await using api = await startHttpApi(fakePorts().ports, { metrics: false });
  const openapi = (await (await api.fetch('/api/ws/openapi.json')).json()) as OpenApiJson;
  expect(Object.keys(openapi.paths)).toContain('/api/ws/stats');
  expect(Object.keys(openapi.paths)).not.toContain('/metrics');
});

test('the documentation page is whole by itself and escapes what products name', async () => {
  const hostile = defineEvent({
    name: 'order:hostile',
    room: 'order:*',
    sentBy: ['backend'],
    payload: z.object({ a: z.string().describe('<script>alert(1)</script>') }),
    delivery: { class: 'log' },
  });
  await using api = await startHttpApi(fakePorts().ports, { events: [hostile] });
  const response = await fetch(`${api.url}/api/ws/docs`);
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html = await response.text();
  expect(html).toContain('/api/events');
  expect(html).toContain('order:hostile');
  expect(html).not.toMatch(/<script|src=|https?:/);
});

interface OpenApiJson {
  openapi: string;
  info: { version: string };
  paths: Record<string, { post?: object }>;
  components: { schemas: Record<string, { required?: string[]; properties?: object }> };
}
