import type { Socket } from 'socket.io';
import { io as connectClient } from 'socket.io-client';
import { expect, test } from 'vitest';
import { encodeAck, encodeEvent } from '../../server/sockets/encode-packet.ts';
import { writePacket } from '../../server/sockets/write-packet.ts';
import { EnginePeer, type SocketServerFixture, startSocketServer } from '../support/engine-peer.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function nextSocket(server: SocketServerFixture): Promise<Socket> {
  return new Promise((resolve) => server.io.once('connection', resolve));
}

test.each([[['websocket']], [['polling']], [['polling', 'websocket']]])(
  '[2] packets encoded once reach a stock client on %s once and in order, among its own emits',
  async (transports) => {
    await using server = await startSocketServer();
    const total = 3_000;
    const sentOver = new Set<string>();
    server.io.on('connection', async (socket) => {
      for (let n = 0; n < total; n++) {
        sentOver.add(`${socket.conn.transport.name}${socket.conn.upgrading ? ' upgrading' : ''}`);
        // Large ones stay in the queue for a while; the small ones must not overtake them.
        const bytes = new Uint8Array(n % 50 === 0 ? 40_000 : n % 7).fill(n);
        if (n % 5 === 0) socket.emit('event', n, bytes);
        else if (n % 2 === 0) writePacket(socket, encodeEvent(['event', n, bytes]));
        else writePacket(socket, encodeEvent(['event', n, 'é']));
        if (n % 10 === 0) await nextTurn();
        // The second half comes after the upgrade, where there is one.
        if (n === total / 2) while (transports.length === 2 && !socket.conn.upgraded) await nextTurn();
      }
    });
    const client = connectClient(server.url, { transports, reconnection: false });
    const received: number[] = [];
    await new Promise<void>((resolve, reject) => {
      client.once('disconnect', reject);
      client.on('event', (n: number, value: Buffer | string) => {
        const expected = n % 5 !== 0 && n % 2 !== 0 ? 'é' : Buffer.alloc(n % 50 === 0 ? 40_000 : n % 7, n);
        // Not toEqual: it compares buffers byte by byte, in JavaScript.
        expect(typeof expected === 'string' ? value === expected : expected.equals(value as Buffer), `event ${n}`).toBe(true);
        received.push(n);
        if (n === total - 1) resolve();
      });
    });
    expect(received).toEqual(Array.from({ length: total }, (_, n) => n));
    if (transports.length === 2) expect([...sentOver]).toEqual(expect.arrayContaining(['polling upgrading', 'websocket']));
    else expect([...sentOver]).toEqual(transports);
    client.disconnect();
  },
);

test.each([[['websocket']], [['polling']]])(
  'an encoded ack answers a stock client on %s, with and without bytes',
  async (transports) => {
    await using server = await startSocketServer();
    const client = connectClient(server.url, { transports, reconnection: false });
    const socket = await nextSocket(server);
    // The ids that a stock client gives: one per emit, from 0.
    socket.on('ask', (id: number) => writePacket(socket, encodeAck(id, [{ id }, ...(id === 1 ? [Buffer.of(7)] : [])])));
    const ask = (id: number): Promise<unknown[]> =>
      new Promise((resolve) => client.emit('ask', id, (...answer: unknown[]) => resolve(answer)));
    expect(await ask(0)).toEqual([{ id: 0 }]);
    expect(await ask(1)).toEqual([{ id: 1 }, Buffer.of(7)]);
    client.disconnect();
  },
);

test('a connection that asked for base64 gets base64', async () => {
  await using server = await startSocketServer();
  const connected = nextSocket(server);
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket&b64=1'));
  writePacket(await connected, encodeEvent(['event', Buffer.of(1, 2, 3)]));
  expect([await peer.next(), await peer.next()]).toEqual(['451-["event",{"_placeholder":true,"num":0}]', 'bAQID']);
});

test('a server that was told to compress still delivers', async () => {
  await using server = await startSocketServer({ perMessageDeflate: { threshold: 0 } });
  const connected = nextSocket(server);
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  writePacket(await connected, encodeEvent(['event', Buffer.alloc(500)]));
  expect([await peer.next(), await peer.next()]).toEqual(['451-["event",{"_placeholder":true,"num":0}]', Buffer.alloc(500)]);
});

test('a socket that left gets nothing, and its connection stays', async () => {
  await using server = await startSocketServer();
  const connected = nextSocket(server);
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  const socket = await connected;
  socket.disconnect();
  expect(await peer.next()).toBe('41');
  writePacket(socket, encodeEvent(['event']));
  peer.send('40');
  expect(String(await peer.next()).startsWith('40{')).toBe(true);
});
