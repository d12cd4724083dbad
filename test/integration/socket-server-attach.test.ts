import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import { type Socket as ClientSocket, io as connectClient } from 'socket.io-client';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachPaths } from '../../server/sockets/attach.ts';
import { createSocketServer } from '../../server/sockets/create-socket-server.ts';
import { AshlarError } from '../../shared/errors.ts';
import { closeHttp, EnginePeer, listen, startSocketServer } from '../support/engine-peer.ts';

/** Adds an app to a server: `GET /app` says "app", `POST /app` gives the body back, anything else is the app's own 404. */
type AddApp = (http: HttpServer) => Promise<void>;

interface ExpressResponse {
  status(code: number): ExpressResponse;
  send(body: string): void;
}
type ExpressHandler = (request: { body: string }, response: ExpressResponse) => void;
interface ExpressApp extends RequestListener {
  use(handler: unknown): void;
  get(path: string, handler: ExpressHandler): void;
  post(path: string, handler: ExpressHandler): void;
}
// Express 5 brings no types.
const express = createRequire(import.meta.url)('express') as { (): ExpressApp; text(): unknown };

const APPS: Record<string, AddApp> = {
  async express(http) {
    const app = express();
    app.use(express.text());
    app.get('/app', (_request, response) => response.send('app'));
    app.post('/app', ({ body }, response) => response.send(body));
    app.use(((_request, response) => response.status(404).send('app 404')) satisfies ExpressHandler);
    http.on('request', app);
  },
  async fastify(http) {
    const app = fastify({
      serverFactory(handler) {
        http.on('request', handler);
        return http;
      },
    });
    app.get('/app', async () => 'app');
    app.post('/app', async ({ body }) => body);
    app.setNotFoundHandler((_request, reply) => reply.status(404).send('app 404'));
    await app.ready();
  },
  async hono(http) {
    const app = new Hono();
    app.get('/app', (context) => context.text('app'));
    app.post('/app', async (context) => context.text(await context.req.text()));
    app.notFound((context) => context.text('app 404', 404));
    http.on('request', getRequestListener(app.fetch));
  },
};

const CASES = Object.keys(APPS).flatMap((app) => (['before', 'after'] as const).map((order) => [app, order] as const));

async function startBeside(app: string, order: 'before' | 'after') {
  const http = createServer();
  const addApp = async (): Promise<void> => {
    await APPS[app]?.(http);
    // ws answers 400 on every other path, also on ours where it sees them.
    const webSockets = new WebSocketServer({ server: http, path: '/app-ws' });
    webSockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
  };
  if (order === 'before') await addApp();
  const io = createSocketServer(http);
  io.on('connection', (socket) => socket.on('echo', (value: unknown, ack: (value: unknown) => void) => ack(value)));
  if (order === 'after') await addApp();
  const url = await listen(http);
  return {
    http,
    io,
    url,
    async [Symbol.asyncDispose]() {
      await io.close();
      await closeHttp(http);
    },
  };
}

async function stockClient(url: string, transports: string[]): Promise<ClientSocket & Disposable> {
  const client = connectClient(url, { transports, reconnection: false });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
  });
  return Object.assign(client, { [Symbol.dispose]: () => void client.disconnect() });
}

test.each(CASES)('beside %s, added %s us, each answers its own paths and no other', async (app, order) => {
  await using server = await startBeside(app, order);
  const text = async (path: string, init?: RequestInit): Promise<[number, string]> => {
    const response = await fetch(server.url + path, init);
    return [response.status, await response.text()];
  };
  const headers = { 'Content-Type': 'text/plain' };
  expect(await text('/app')).toEqual([200, 'app']);
  expect(await text('/app', { method: 'POST', headers, body: 'stone' })).toEqual([200, 'stone']);
  for (const path of ['/', '/nothing', '/socket.io', '/socket.iox/', '/app/socket.io/?EIO=4&transport=polling']) {
    expect((await text(path))[0], path).toBe(404);
  }
  const [status, handshake] = await text('/socket.io/?EIO=4&transport=polling');
  expect([status, handshake[0]]).toEqual([200, '0']);
  expect((await text('/socket.io/?EIO=4'))[0]).toBe(400);
  // A double answer to any of these would have broken a connection that is used again.
  expect(await text('/app')).toEqual([200, 'app']);
});

test.each(CASES)('beside %s, added %s us, stock clients and the WebSockets of the app both connect', async (app, order) => {
  await using server = await startBeside(app, order);
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    using client = await stockClient(server.url, transports);
    expect(await client.emitWithAck('echo', 'stone')).toBe('stone');
  }
  const own = new WebSocket(`${server.url.replace('http', 'ws')}/app-ws`);
  await once(own, 'open');
  own.send('app');
  const [data] = (await once(own, 'message')) as [Buffer];
  expect(data.toString()).toBe('app');
  own.terminate();
});

test.each(CASES)(
  'beside %s, added %s us, close() gives the path back to the app and leaves its server open',
  async (app, order) => {
    await using server = await startBeside(app, order);
    await server.io.close();
    expect((await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(404);
    expect(await (await fetch(`${server.url}/app`)).text()).toBe('app');
    expect(Object.hasOwn(server.http, 'emit')).toBe(false);
    expect(server.http.listenerCount('upgrade')).toBe(1);
  },
);

test('until it is ready the server answers 503 with Retry-After on both transports, and the app goes on', async () => {
  let error: AshlarError | undefined = new AshlarError('not-ready');
  const http = createServer((_request, response) => response.end('app'));
  await using server = await startSocketServer({ unavailable: () => error }, http);
  const response = await fetch(server.engineUrl('transport=polling'));
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('1');
  expect(await response.json()).toEqual({ success: false, error: { code: 'not-ready', message: 'The server is starting' } });
  const refused = EnginePeer.open(server.engineUrl('transport=websocket'));
  const [, upgrade] = (await once(refused.socket, 'unexpected-response')) as [unknown, { statusCode: number; headers: object }];
  expect(upgrade.statusCode).toBe(503);
  expect(upgrade.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/json' });
  expect(await (await fetch(`${server.url}/app`)).text()).toBe('app');

  error = undefined;
  expect((await fetch(server.engineUrl('transport=polling'))).status).toBe(200);
});

test('a server that is closing takes no handshake, and goes on with those who are connected', async () => {
  let error: AshlarError | undefined;
  await using server = await startSocketServer({ unavailable: () => error });
  server.io.on('connection', (socket) => socket.on('echo', (value: unknown, ack: (value: unknown) => void) => ack(value)));
  using client = await stockClient(server.url, ['polling']);
  error = new AshlarError('server-closing', { retryAfterMs: 2_500 });
  expect(await client.emitWithAck('echo', 'stone')).toBe('stone');
  const response = await fetch(server.engineUrl('transport=polling'));
  expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '3']);
});

test('a page of a foreign origin gets 403, over WebSocket too', async () => {
  await using server = await startSocketServer({ allowedOrigins: ['https://app.example.com'] });
  for (const [origin, status] of [
    ['https://app.example.com', 200],
    ['https://evil.example', 403],
    // The server's own pages need no place on the list, nor a header that lets them.
    [server.url, 200],
  ] as const) {
    const response = await fetch(server.engineUrl('transport=polling'), { headers: { Origin: origin } });
    expect(response.status, origin).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(origin.startsWith('https://app') ? origin : null);
  }
  await using friend = EnginePeer.open(server.engineUrl('transport=websocket'), { origin: 'https://app.example.com' });
  expect(String(await friend.next())[0]).toBe('0');
  const foe = EnginePeer.open(server.engineUrl('transport=websocket'), { origin: 'https://evil.example' });
  const [, response] = (await once(foe.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  expect(response.statusCode).toBe(403);
});

test('an upgrade that nobody offers is the ordinary request that it would have been without us, body and all', async () => {
  const http = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => response.end(`<${incoming.url} ${incoming.headers['x-note']} ${Buffer.concat(chunks)}>`));
  });
  await using server = await startSocketServer({}, http);
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk;
  });
  const answered = async (answer: string): Promise<void> => {
    while (!received.includes(answer)) await once(socket, 'data');
  };
  const send = (...lines: string[]): boolean => socket.write(Buffer.from(lines.join('\r\n'), 'latin1'));
  const h2c =
    'Host: a\r\nConnection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nX-Note: é';

  // All on one connection: it stays usable. The first body comes in two parts, the second part once the head was handed out.
  const handedOut = once(http, 'request');
  send('POST /split HTTP/1.1', h2c, 'Content-Length: 10', '', 'stone');
  await handedOut;
  send('cutte');
  await answered('</split é stonecutte>');
  send('POST /chunked HTTP/1.1', h2c, 'Transfer-Encoding: chunked', '', '5', 'stone', '0', '', '');
  await answered('</chunked é stone>');
  send('GET /web-socket HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', '', '');
  await answered('</web-socket undefined >');
  socket.destroy();
});

test('a request that waits for 100 Continue gets it, ours from us and the others as the app likes', async () => {
  const http = createServer();
  http.on('checkContinue', (_request, response) => response.writeHead(417).end());
  await using server = await startSocketServer({}, http);
  const post = (path: string): Promise<[boolean, number | undefined]> =>
    new Promise((resolve, reject) => {
      let continued = false;
      const asked = request(server.url + path, { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 2 } });
      asked.on('continue', () => {
        continued = true;
        asked.end('4x');
      });
      asked.on('response', (response) => {
        response.resume();
        resolve([continued, response.statusCode]);
        asked.destroy();
      });
      asked.on('error', reject);
      asked.flushHeaders();
    });
  const { sid } = JSON.parse((await (await fetch(server.engineUrl('transport=polling'))).text()).slice(1)) as { sid: string };
  expect(await post(`/socket.io/?EIO=4&transport=polling&sid=${sid}`)).toEqual([true, 200]);
  expect(await post('/app')).toEqual([false, 417]);
});

test('an expectation that nobody knows is refused on our paths, and is the app’s on its own', async () => {
  const http = createServer();
  http.on('checkExpectation', (_request, response) => response.writeHead(202).end());
  await using server = await startSocketServer({}, http);
  const statusOf = async (path: string) => {
    const asked = request(server.url + path, { headers: { Expect: 'a-miracle' } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect([await statusOf('/socket.io/?EIO=4&transport=polling'), await statusOf('/app')]).toEqual([417, 202]);
});

test('a refused request whose body is still to come ends its connection: what follows would be read as the next request', async () => {
  await using server = await startSocketServer({ unavailable: () => new AshlarError('not-ready') });
  const asked = request(server.engineUrl('transport=polling'), { method: 'POST', headers: { 'Content-Length': 100 } });
  asked.flushHeaders();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, response.headers.connection]).toEqual([503, 'close']);
  asked.destroy();
});

test('two parts share one server, and each lets go of its own paths alone', async () => {
  const http = createServer((_request, response) => response.end('app'));
  await using server = await startSocketServer({}, http);
  const api = attachPaths(http, {
    name: 'the API',
    owns: (path) => path === '/api' || path.startsWith('/api/'),
    handleRequest: (_request, response) => response.end('api'),
  });
  const get = async (path: string): Promise<string> => (await fetch(server.url + path)).text();
  expect([await get('/api/stats'), await get('/apix')]).toEqual(['api', 'app']);
  expect((await get('/socket.io/?EIO=4&transport=polling'))[0]).toBe('0');
  // An upgrade asked for on a path without upgrades is an ordinary request of ours.
  const asked = request(`${server.url}/api/stats`, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } }).end();
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
  expect(String((await once(response, 'data'))[0])).toBe('api');

  api.detach();
  api.detach();
  expect(await get('/api/stats')).toBe('app');
  expect((await get('/socket.io/?EIO=4&transport=polling'))[0]).toBe('0');
});

test('somebody who wraps emit after us keeps working after we have let go', async () => {
  const http = createServer((_request, response) => response.end('app'));
  const paths = attachPaths(http, {
    name: 'ours',
    owns: (path) => path === '/ours',
    handleRequest: (_request, response) => response.end('ours'),
  });
  const seen: string[] = [];
  const inner = http.emit;
  http.emit = function (this: HttpServer, ...args: Parameters<HttpServer['emit']>) {
    seen.push(String(args[0]));
    return Reflect.apply(inner, this, args) as boolean;
  } as HttpServer['emit'];
  const url = await listen(http);
  expect(await (await fetch(`${url}/ours`)).text()).toBe('ours');
  paths.detach();
  expect(await (await fetch(`${url}/ours`)).text()).toBe('app');
  expect(seen.filter((event) => event === 'request')).toHaveLength(2);
  await closeHttp(http);
});

test('a peer that resets its connection while its upgrade is looked at ends nobody else', async () => {
  const http = createServer();
  using _ours = attachPaths(http, {
    name: 'ours',
    owns: (path) => path === '/ours',
    handleRequest: (_request, response) => void response.end(),
    handleUpgrade: () => {},
  });
  const socket = new PassThrough();
  http.emit('upgrade', { url: '/ours' }, socket, Buffer.alloc(0));
  // Without a listener this is an uncaught error.
  socket.emit('error', new Error('read ECONNRESET'));
  expect(socket.destroyed).toBe(true);
});

test('a handler of ours that throws costs its asker an error, and nobody else', async () => {
  const http = createServer((_request, response) => response.end('app'));
  attachPaths(http, {
    name: 'ours',
    owns: (path) => path === '/ours',
    handleRequest() {
      throw new Error('not the client’s business');
    },
    handleUpgrade() {
      throw new Error('not the client’s business');
    },
  });
  const url = await listen(http);
  const response = await fetch(`${url}/ours`);
  expect([response.status, await response.json()]).toEqual([
    500,
    { success: false, error: { code: 'internal', message: 'Internal error' } },
  ]);
  const upgrade = EnginePeer.open(`${url}/ours`);
  const [, refused] = (await once(upgrade.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  expect(refused.statusCode).toBe(500);
  expect(await (await fetch(`${url}/app`)).text()).toBe('app');
  await closeHttp(http);
});
