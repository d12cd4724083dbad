import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { IoSocket } from '../../client/io-socket.ts';

/** A stock Socket.IO server. */
async function stockServer() {
  const http = createServer();
  const io = new Server(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => io.close());
  return { io, address: `127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** A socket, and what its listener is told, one after the other. */
function open(url: string, transports: readonly ('websocket' | 'polling')[] = ['websocket', 'polling'], auth: object = {}) {
  const told: unknown[][] = [];
  let wake = () => {};
  const tell = (...what: unknown[]) => {
    told.push(what);
    wake();
  };
  const socket = new IoSocket(
    { url, path: '/socket.io/', transports, auth },
    {
      event: (name, args) => tell('event', name, ...args),
      refused: (data) => tell('refused', data),
      closed: (byServer) => tell('closed', byServer),
    },
  );
  onTestFinished(() => socket.disconnect());
  const next = async () => {
    if (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift();
  };
  return { socket, next, told };
}

test.each([['websocket'], ['polling']] as const)(
  'events and acks go both ways over %s, bytes in them too, in their order',
  async (transport) => {
    const { io, address } = await stockServer();
    io.on('connection', (socket) => {
      socket.on('ask', (bytes: Buffer, ack: (answer: unknown) => void) => {
        ack({ success: true, echo: bytes });
        socket.emit('after', { deep: new Uint8Array([9]) }, 'text');
      });
      socket.emit('hello', socket.handshake.auth);
    });
    const { socket, next } = open(`http://${address}`, [transport], { token: 'word' });
    expect(await next()).toEqual(['event', 'hello', { token: 'word' }]);
    expect(socket.id).toEqual([...io.sockets.sockets.keys()][0]);
    const order: unknown[] = [];
    const answer = await new Promise<{ echo: ArrayLike<number> }>((resolve) =>
      socket.emit('ask', [new Uint8Array([1, 2, 3])], (ack) => {
        order.push('ack');
        resolve(ack as { echo: ArrayLike<number> });
      }),
    );
    const after = await next();
    expect(Array.from(answer.echo)).toEqual([1, 2, 3]);
    expect(after?.slice(0, 2)).toEqual(['event', 'after']);
    const [, , { deep }] = after as [string, string, { deep: ArrayLike<number> }];
    expect(Array.from(deep)).toEqual([9]);
    expect(order).toEqual(['ack']);
  },
);

test('long-polling takes over where WebSocket is refused', async () => {
  const { io, address } = await stockServer();
  io.engine.opts.transports = ['polling'];
  io.on('connection', (socket) => socket.emit('hello', socket.conn.transport.name));
  expect(await open(`http://${address}`).next()).toEqual(['event', 'hello', 'polling']);
});

test('a middleware that refuses is told with its data, once, and the connection is over', async () => {
  const { io, address } = await stockServer();
  io.use((_socket, next) => next(Object.assign(new Error('no'), { data: { code: 'invalid-token' } })));
  const { socket, next, told } = open(`http://${address}`);
  expect(await next()).toEqual(['refused', { code: 'invalid-token' }]);
  let answer: unknown = 'none';
  socket.emit('ask', [], (ack) => (answer = ack));
  expect(answer).toBeUndefined();
  expect(told).toEqual([]);
});

test('a server that disconnects a socket did so on purpose; one that drops the line did not; what was asked is answered by nothing', async () => {
  const { io, address } = await stockServer();
  io.on('connection', (socket) => {
    socket.on('leave', () => socket.disconnect(true));
    socket.on('drop', () => socket.conn.close(true));
    socket.emit('hello');
  });
  for (const [event, byServer] of [
    ['leave', true],
    ['drop', false],
  ] as const) {
    const { socket, next } = open(`http://${address}`, ['websocket']);
    await next();
    const answered: unknown[] = [];
    socket.emit(event, [], (ack) => answered.push(ack));
    expect(await next()).toEqual(['closed', byServer]);
    await Promise.resolve();
    expect(answered).toEqual([undefined]);
  }
});

test('nobody listens there: it is closed', async () => {
  expect(await open('http://127.0.0.1:1', ['websocket', 'polling']).next()).toEqual(['closed', false]);
});

test.each(['9garbage', '2', '31', '2[', '0', '5'])('a peer that does not speak Socket.IO is left: %j', async (garbage) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  server.on('connection', (ws) => {
    ws.send(`0${JSON.stringify({ sid: 's', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 })}`);
    ws.once('message', () => ws.send(`4${garbage}`));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const { next } = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, ['websocket']);
  expect(await next()).toEqual(['closed', false]);
});

test('an address may be written as Socket.IO takes it', async () => {
  const { io, address } = await stockServer();
  io.on('connection', (socket) => socket.emit('hello'));
  for (const url of [`http://${address}/`, `ws://${address}`, `http://${address}/some/page`]) {
    expect((await open(url).next())?.[1]).toBe('hello');
  }
  vi.stubGlobal('location', { protocol: 'http:', hostname: '127.0.0.1', port: address.split(':')[1] });
  onTestFinished(() => void vi.unstubAllGlobals());
  for (const url of [address, `//${address}`, '/page', undefined]) expect((await open(url as string).next())?.[1]).toBe('hello');
});
