import { once } from 'node:events';
import { expect, test } from 'vitest';
import { EnginePeer, type SocketServerFixture, startSocketServer } from '../support/engine-peer.ts';

// The behaviours that Engine.IO's protocol page (version 4) asks of a server.

const PING = { pingInterval: 100, pingTimeout: 100 };

async function startEcho(options = {}): Promise<SocketServerFixture> {
  const server = await startSocketServer({ cors: { origin: '*' }, ...options });
  server.io.engine.removeAllListeners('connection');
  server.io.engine.on('connection', (socket) => socket.on('data', (data: string | Buffer) => socket.send(data)));
  return server;
}

async function openPolling(server: SocketServerFixture): Promise<string> {
  const response = await fetch(server.engineUrl('transport=polling'));
  const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
  return server.engineUrl(`transport=polling&sid=${sid}`);
}

const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body });
const poll = async (url: string): Promise<string> => (await fetch(url)).text();

test('a polling handshake answers with sid, upgrades, heartbeat and payload limit, and nothing else', async () => {
  await using server = await startEcho({ pingInterval: 300, pingTimeout: 200 });
  const response = await fetch(server.engineUrl('transport=polling'));
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text[0]).toBe('0');
  expect(JSON.parse(text.slice(1))).toEqual({
    sid: expect.any(String),
    upgrades: ['websocket'],
    pingInterval: 300,
    pingTimeout: 200,
    maxPayload: 1_000_000,
  });
});

test('without options the heartbeat finds a vanished peer within 15 s', async () => {
  await using server = await startSocketServer();
  const text = await poll(server.engineUrl('transport=polling'));
  const { pingInterval, pingTimeout } = JSON.parse(text.slice(1)) as { pingInterval: number; pingTimeout: number };
  expect(pingInterval + pingTimeout).toBeLessThanOrEqual(15_000);
});

test('a WebSocket handshake offers no further upgrade', async () => {
  await using server = await startEcho();
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  const text = String(await peer.next());
  expect(text[0]).toBe('0');
  expect(JSON.parse(text.slice(1))).toMatchObject({ sid: expect.any(String), upgrades: [], maxPayload: 1_000_000 });
});

test.each([
  ['no protocol version', (server: SocketServerFixture) => `${server.url}/socket.io/?transport=polling`, 'GET'],
  ['an unknown protocol version', (server: SocketServerFixture) => `${server.url}/socket.io/?EIO=abc&transport=polling`, 'GET'],
  ['no transport', (server: SocketServerFixture) => server.engineUrl(''), 'GET'],
  ['an unknown transport', (server: SocketServerFixture) => server.engineUrl('transport=abc'), 'GET'],
  ['an unknown sid', (server: SocketServerFixture) => server.engineUrl('transport=polling&sid=abc'), 'GET'],
  ['a handshake by POST', (server: SocketServerFixture) => server.engineUrl('transport=polling'), 'POST'],
  ['a handshake by PUT', (server: SocketServerFixture) => server.engineUrl('transport=polling'), 'PUT'],
  ['WebSocket without an upgrade', (server: SocketServerFixture) => server.engineUrl('transport=websocket'), 'GET'],
  ['JSONP, which this version has not', (server: SocketServerFixture) => server.engineUrl('transport=polling&j=0'), 'GET'],
])('a request with %s is answered with 400', async (_what, urlOf, method) => {
  await using server = await startEcho();
  const response = await fetch(urlOf(server), { method });
  expect(response.status).toBe(400);
  await response.text();
});

test.each([['transport=abc'], ['transport=websocket&sid=abc'], ['']])(
  'a WebSocket handshake with "%s" is refused',
  async (query) => {
    await using server = await startEcho();
    const peer = EnginePeer.open(server.engineUrl(query));
    const [request, response] = (await once(peer.socket, 'unexpected-response')) as [{ destroy(): void }, { statusCode: number }];
    expect(response.statusCode).toBe(400);
    request.destroy();
  },
);

test('text and binary packets travel over polling, several in one body', async () => {
  await using server = await startEcho();
  const url = await openPolling(server);
  for (const body of ['4hello', '4test1\x1e4test2\x1e4test3', '4hello\x1ebAQIDBA==']) {
    const pushed = await post(url, body);
    expect(pushed.status).toBe(200);
    expect(await pushed.text()).toBe('ok');
    expect(await poll(url)).toBe(body);
  }
});

test('text and binary packets travel over WebSocket', async () => {
  await using server = await startEcho();
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  peer.send('4hello');
  expect(await peer.next()).toBe('4hello');
  peer.send(Uint8Array.of(1, 2, 3, 4));
  expect(await peer.next()).toEqual(Buffer.of(1, 2, 3, 4));
});

test('an invalid packet ends the session on both transports', async () => {
  await using server = await startEcho();
  const url = await openPolling(server);
  // The answer to the body itself is not defined: it may also be cut off.
  await post(url, 'abc').catch(() => undefined);
  expect((await fetch(url)).status).toBe(400);

  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  peer.send('abc');
  await peer.closed;
});

test('a second poll beside an open one ends the session', async () => {
  await using server = await startEcho();
  const url = await openPolling(server);
  const first = fetch(url);
  await post(url, '3'); // a round trip: the first poll is there
  const second = await fetch(`${url}&t=other`);
  expect([400, 500]).toContain(second.status);
  expect(await (await first).text()).toBe('1');
  expect((await fetch(url)).status).toBe(400);
});

test('pings come at the interval, on both transports, as long as pongs answer them', async () => {
  await using server = await startEcho(PING);
  const url = await openPolling(server);
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  for (let round = 0; round < 3; round++) {
    expect(await poll(url)).toBe('2');
    expect((await post(url, '3')).status).toBe(200);
    expect(await peer.next()).toBe('2');
    peer.send('3');
  }
});

test('a peer that does not answer pings is closed', async () => {
  await using server = await startEcho(PING);
  const url = await openPolling(server);
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.closed;
  expect(await poll(url)).toMatch(/^[12]|"code":1/);
  expect((await fetch(url)).status).toBe(400);
});

test('a close packet ends the session and its open poll', async () => {
  await using server = await startEcho();
  const url = await openPolling(server);
  const [ended, pushed] = await Promise.all([fetch(url), post(url, '1')]);
  expect(pushed.status).toBe(200);
  // 400 where the packet overtook the poll.
  expect([200, 400]).toContain(ended.status);
  expect((await fetch(url)).status).toBe(400);
});

test('a WebSocket that said close is gone with the next heartbeat at the latest', async () => {
  await using server = await startEcho(PING);
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  peer.send('1');
  await peer.closed;
});

test('a session upgrades from polling to WebSocket; then polls and further WebSockets are turned away', async () => {
  await using server = await startEcho();
  const url = await openPolling(server);
  const upgradeUrl = url.replace('transport=polling', 'transport=websocket');
  await using peer = EnginePeer.open(upgradeUrl);
  await once(peer.socket, 'open');
  peer.send('2probe');
  expect(await peer.next()).toBe('3probe');
  expect(await poll(url)).toBe('6');
  peer.send('5');
  peer.send('4hello');
  expect(await peer.next()).toBe('4hello');

  expect((await fetch(url)).status).toBe(400);
  await using late = EnginePeer.open(upgradeUrl);
  await late.closed;
  peer.send('4still here');
  expect(await peer.next()).toBe('4still here');
});
