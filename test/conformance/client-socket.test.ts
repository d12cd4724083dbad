import { createServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SocketIo, type SocketIoEvents } from '../../client/socket-io.ts';
import { SimulatedTime } from '../support/document-simulation.ts';
import { closeHttp, listen } from '../support/engine-peer.ts';

// The SDK's own end of a connection, against a stock Socket.IO server: nothing of Ashlar's is at the other one.

type Told = { event: string; args: readonly unknown[] } | { refused: unknown } | { lost: 'by the server' | 'otherwise' };

async function startStock(accept: (socket: Socket) => Error | undefined = () => undefined) {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket', 'polling'] });
  io.use((socket, next) => next(accept(socket)));
  const url = await listen(http);
  onTestFinished(async () => {
    await io.close();
    await closeHttp(http);
  });
  return { io, url };
}

/** Opens a connection; `told` holds all that it said, in order. */
function open(url: string, transport: 'websocket' | 'polling' = 'websocket', auth = {}) {
  const told: Told[] = [];
  const time = new SimulatedTime();
  const events: SocketIoEvents = {
    event: (event, args) => told.push({ event, args }),
    refused: (data) => told.push({ refused: data }),
    lost: (byServer) => told.push({ lost: byServer ? 'by the server' : 'otherwise' }),
  };
  const env = { after: (ms: number, task: () => void) => time.after(ms, task) };
  const socket = new SocketIo({ url, path: '/socket.io/', transports: [transport], auth }, events, env);
  onTestFinished(() => socket.close());
  const tells = (expected: readonly Told[]) => vi.waitFor(() => expect(told).toEqual(expected));
  return { socket, told, tells, time };
}

const both = ['websocket', 'polling'] as const;

test.each(both)('over %s: in with its auth, events and answers both ways, bytes among them, in order', async (transport) => {
  const { io, url } = await startStock();
  const heard: unknown[] = [];
  io.on('connection', (socket) => {
    socket.emit('auth', socket.handshake.auth);
    socket.onAny((...args: unknown[]) => heard.push(args.filter((arg) => typeof arg !== 'function')));
    socket.on('ask', (question: unknown, bytes: unknown, answer: (value: unknown) => void) => {
      socket.emit('before the answer', Buffer.from([1, 2]), 'and', new Uint8Array([3]));
      answer({ question, bytes });
      socket.emit('after it');
    });
  });
  const { socket, told, tells } = open(url, transport, { token: 'x' });
  expect(socket.id).toBeNull();
  await tells([{ event: 'auth', args: [{ token: 'x' }] }]);
  expect(socket.id).toBe([...io.sockets.sockets.keys()][0]);
  socket.send('hello', [1, { two: 2 }, null]);
  const answered = new Promise<void>((resolve) => {
    socket.ask('ask', ['what?', new Uint8Array([7])], 1_000, (missing, answer) => {
      told.push({ event: 'answer', args: [missing, answer] });
      resolve();
    });
  });
  await answered;
  const bytes = (values: number[]) => expect.toSatisfy((value: Uint8Array) => String([...value]) === String(values));
  await tells([
    { event: 'auth', args: [{ token: 'x' }] },
    { event: 'before the answer', args: [bytes([1, 2]), 'and', bytes([3])] },
    { event: 'answer', args: [null, { question: 'what?', bytes: bytes([7]) }] },
    { event: 'after it', args: [] },
  ]);
  expect(heard).toEqual([
    ['hello', 1, { two: 2 }, null],
    ['ask', 'what?', bytes([7])],
  ]);
});

test.each([
  [{ code: 'invalid-token' }, { code: 'invalid-token' }],
  [undefined, undefined],
])('a refusal is told once, with its data: %j', async (data, expected) => {
  const { io, url } = await startStock(() => Object.assign(new Error('no'), { data }));
  const { socket, tells } = open(url);
  const closed = new Promise((resolve) => io.engine.once('connection', (conn: Socket['conn']) => conn.once('close', resolve)));
  await tells([{ refused: expected }]);
  await closed;
  await tells([{ refused: expected }]);
  expect(socket.id).toBeNull();
});

test.each([
  ['the server puts it out', (socket: Socket) => socket.disconnect(), 'by the server'],
  ['the transport goes', (socket: Socket) => socket.conn.close(), 'otherwise'],
  ['a packet comes that nobody can read', (socket: Socket) => socket.conn.write('9nonsense'), 'otherwise'],
] as const)('it is over once %s, and what was asked has no answer', async (_, end, lost) => {
  const { io, url } = await startStock();
  const connected = new Promise<Socket>((resolve) => io.on('connection', resolve));
  const { socket, tells, told } = open(url);
  const server = await connected;
  await vi.waitFor(() => expect(socket.id).not.toBeNull());
  socket.ask('nobody answers', [], 1_000, (missing) => told.push({ event: 'answer', args: [missing] }));
  end(server);
  await tells([{ lost }, { event: 'answer', args: ['not-connected'] }]);
  socket.close();
  await tells([{ lost }, { event: 'answer', args: ['not-connected'] }]);
});

test('closing tells the server, and nobody here but who waits for an answer', async () => {
  const { io, url } = await startStock();
  const left = new Promise((resolve) => io.on('connection', (socket) => socket.once('disconnect', resolve)));
  const { socket, told } = open(url);
  await vi.waitFor(() => expect(socket.id).not.toBeNull());
  socket.ask('nobody answers', [], 1_000, (missing) => told.push({ event: 'answer', args: [missing] }));
  socket.close();
  expect(told).toEqual([{ event: 'answer', args: ['not-connected'] }]);
  expect(await left).toBe('client namespace disconnect');
  expect(told).toHaveLength(1);
});

test('an answer that comes too late is none', async () => {
  const { io, url } = await startStock();
  let answer: (() => void) | null = null;
  io.on('connection', (socket) => {
    socket.on('ask', (reply: () => void) => {
      answer = reply;
    });
    socket.on('now', () => {
      answer?.();
      socket.emit('answered');
    });
  });
  const { socket, told, tells, time } = open(url);
  await vi.waitFor(() => expect(socket.id).not.toBeNull());
  socket.ask('ask', [], 500, (missing) => told.push({ event: 'answer', args: [missing] }));
  await vi.waitFor(() => expect(answer).not.toBeNull());
  time.advance(499);
  expect(told).toEqual([]);
  time.advance(1);
  socket.send('now', []);
  await tells([
    { event: 'answer', args: ['timeout'] },
    { event: 'answered', args: [] },
  ]);
});

test('an address that nobody listens at is told as lost; one without a protocol gets the page’s', async () => {
  await open('http://127.0.0.1:1').tells([{ lost: 'otherwise' }]);
  const { url } = await startStock();
  vi.stubGlobal('location', { protocol: 'http:' });
  onTestFinished(() => void vi.unstubAllGlobals());
  for (const address of [url.slice('http://'.length), url.slice('http:'.length)]) {
    const { socket } = open(address);
    await vi.waitFor(() => expect(socket.id).not.toBeNull());
  }
});
