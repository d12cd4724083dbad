import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { expect, test, vi } from 'vitest';
import { Connector, type ConnectorOptions } from '../../client/connector.ts';
import { type Environment, platformEnvironment } from '../../client/environment.ts';
import { createEventClient } from '../../client/event-client.ts';
import type { TokenSource } from '../../client/token.ts';
import { SimulatedTime } from '../support/document-simulation.ts';
import { until } from '../support/sdk.ts';

const USER = { id: 'ada', name: 'Ada', color: '#336699', roles: [], permissions: [] };
const LIMITS = { frameBytes: 1_000, updateBytes: 1_000, rooms: 10 };

/** A server that lets everybody in unless the test says otherwise, and answers nothing but what the test answers. */
async function startStub(expiresAt: number) {
  const http = createServer();
  const io = new Server(http);
  const tokens: unknown[] = [];
  let newest: Socket | undefined;
  let refusal: object | null = null;
  io.use((_, next) => next(refusal === null ? undefined : Object.assign(new Error('refused'), { data: refusal })));
  io.on('connection', (socket) => {
    newest = socket;
    tokens.push(socket.handshake.auth.token);
    socket.emit('session', { user: USER, protocol: 1, expiresAt, limits: LIMITS });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    /** Of each connection. */
    tokens,
    /** From now on; null: everybody is let in again. */
    refuse(data: object | null): void {
      refusal = data;
    },
    get socket(): Socket {
      return newest!;
    },
    async [Symbol.asyncDispose]() {
      await io.close();
    },
  };
}

/** A connector whose time stands still until the test moves it; only the network is real. */
function connectorTo(url: string, token: TokenSource, options: Pick<ConnectorOptions, 'transports'> = {}) {
  const time = new SimulatedTime();
  const env: Environment = {
    ...platformEnvironment(),
    now: () => time.now,
    random: () => 0.5,
    after: (ms, task) => time.after(ms, task),
  };
  const reported: unknown[] = [];
  const connector = new Connector({ url, token, ...options }, env, (error) => reported.push(error));
  return { connector, time, reported, [Symbol.dispose]: () => connector.disconnect() };
}

const isConnected = ({ state }: { state: string }) => state === 'connected';

test('a server that closes is come back to after what it asked for, a minute at most, whatever it says', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  using client = connectorTo(server.url, 'token');
  for (const [asked, shortest, longest] of [
    [2_000, 2_000, 3_000],
    [86_400_000, 60_000, 90_000],
    [-5_000, 0, 500],
  ] as const) {
    await client.connector.connect();
    // It holds for a while: an early end would count as another failure.
    client.time.advance(10_000);
    server.socket.emit('server:closing', { reconnectAfterMs: asked });
    server.socket.disconnect(true);
    const status = await until(client.connector.status, ({ state }) => state === 'reconnecting');
    expect(status).toMatchObject({ state: 'reconnecting', cause: 'closing' });
    const wait = status.state === 'reconnecting' ? status.retryAt - client.time.now : Number.NaN;
    expect(wait).toBeGreaterThanOrEqual(shortest);
    expect(wait).toBeLessThanOrEqual(longest);
    client.time.advance(wait);
    await until(client.connector.status, isConnected);
  }
});

test('a server that refuses for a while is come back to no sooner than it said', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  using client = connectorTo(server.url, 'token');
  server.refuse({ code: 'rate-limited', message: 'Rate limit exceeded', retryAfterMs: 30_000 });
  const connected = client.connector.connect();
  const status = await until(client.connector.status, ({ state }) => state === 'reconnecting');
  expect(status).toMatchObject({ state: 'reconnecting', cause: 'refused' });
  const wait = status.state === 'reconnecting' ? status.retryAt - client.time.now : Number.NaN;
  expect(wait).toBeGreaterThanOrEqual(30_000);
  expect(wait).toBeLessThanOrEqual(45_000);
  server.refuse(null);
  client.time.advance(wait);
  await connected;
});

test('a token function that fails is told once per outage, and again at the next one', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  let fails = true;
  using client = connectorTo(server.url, () => {
    if (fails) throw new Error('no token');
    return 'token';
  });
  const outage = async (failures: number): Promise<void> => {
    for (let attempt = 1; attempt <= failures; attempt++) {
      const status = await until(client.connector.status, ({ state }) => state === 'reconnecting');
      if (attempt === failures) fails = false;
      client.time.advance(status.state === 'reconnecting' ? status.retryAt - client.time.now : 0);
    }
    await until(client.connector.status, isConnected);
  };
  void client.connector.connect();
  await outage(3);
  expect(client.reported).toHaveLength(1);
  client.connector.disconnect();
  fails = true;
  void client.connector.connect();
  await outage(2);
  expect(client.reported).toHaveLength(2);
});

test('a token that comes after the client was disconnected opens nothing', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  let tell: (token: string) => void = () => {};
  const late = new Promise<string>((resolve) => {
    tell = resolve;
  });
  using client = connectorTo(server.url, () => late);
  void client.connector.connect();
  client.connector.disconnect();
  tell('late');
  // Promises settle: a connection by the late token would begin before the other one does, and be there first.
  await new Promise((resolve) => setImmediate(resolve));
  using other = connectorTo(server.url, 'other');
  await other.connector.connect();
  expect(server.tokens).toEqual(['other']);
});

test('once disconnected no token is asked for any more', async () => {
  const start = new SimulatedTime().now;
  await using server = await startStub(start + 60_000);
  const fetchToken = vi.fn(() => 'token');
  using client = connectorTo(server.url, fetchToken);
  await client.connector.connect();
  expect(fetchToken).toHaveBeenCalledTimes(1);
  client.connector.disconnect();
  client.time.advance(3_600_000);
  await Promise.resolve();
  expect(fetchToken).toHaveBeenCalledTimes(1);
});

test('a question whose connection goes is not answered by a timeout, but by that', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  using client = connectorTo(server.url, 'token');
  await client.connector.connect();
  const answer = new Promise((resolve) => client.connector.request('room:members', ['plan'], (error) => resolve(error?.code)));
  server.socket.onAny(() => server.socket.disconnect(true));
  expect(await answer).toBe('not-connected');
});

test('with another token nothing is known of the user and the token before', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  using client = connectorTo(server.url, () => 'first');
  const { connector } = client;
  await connector.connect();
  expect([connector.verifiedUser, connector.token]).toEqual(['ada', 'first']);
  connector.disconnect();
  expect([connector.verifiedUser, connector.token]).toEqual(['ada', 'first']);
  const never = () => new Promise<string>(() => {});
  void connector.connect(never);
  expect([connector.verifiedUser, connector.token]).toEqual([null, null]);
});

test('whose client it is stays known while there is no connection', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  const client = createEventClient({ url: server.url, token: 'token' });
  expect(client.user.get()).toBeNull();
  await client.connect();
  expect(client.user.get()).toMatchObject({ id: 'ada' });
  client.disconnect();
  expect(client.user.get()).toMatchObject({ id: 'ada' });
});

test('long-polling that is busy takes nothing large', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  using client = connectorTo(server.url, 'token', { transports: ['polling'] });
  const { connector } = client;
  await connector.connect();
  await vi.waitFor(() => expect(connector.backlogBytes()).toBe(0));
  connector.send('chat:typing', [{}]);
  expect(connector.backlogBytes()).toBe(Number.POSITIVE_INFINITY);
  await vi.waitFor(() => expect(connector.backlogBytes()).toBe(0));
});

test('an answer of another shape than it should have is reported, and ends nothing', async () => {
  await using server = await startStub(Number.MAX_SAFE_INTEGER);
  const reported: unknown[] = [];
  const client = createEventClient({ url: server.url, token: 'token', onError: (error) => reported.push(error) });
  try {
    await client.connect();
    // No list of members in the answer, nor a page of messages.
    server.socket.onAny((_event, ...args: unknown[]) => (args.at(-1) as (answer: unknown) => void)({ success: true }));
    const uncaught = vi.fn();
    process.once('uncaughtException', uncaught);
    client.members('chat:1').subscribe(() => {});
    await vi.waitFor(() => expect(uncaught.mock.calls.length + reported.length).toBeGreaterThan(0));
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
    expect(reported).toEqual([expect.any(TypeError)]);
    expect(client.status.get().state).toBe('connected');
    expect(await client.emit('chat:message', { sessionId: '1', content: 'goes on' })).toEqual({});
  } finally {
    client.destroy();
  }
});
