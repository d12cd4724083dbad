import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { io as connectClient } from 'socket.io-client';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { meterInbound } from '../../server/sockets/inbound-meter.ts';
import { EnginePeer, type SocketServerFixture, startSocketServer } from '../support/engine-peer.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function openPolling(server: SocketServerFixture): Promise<string> {
  const handshake = await (await fetch(server.engineUrl('transport=polling'))).text();
  return server.engineUrl(`transport=polling&sid=${(JSON.parse(handshake.slice(1)) as { sid: string }).sid}`);
}

interface Metered {
  packets: number;
  bytes: number;
}

function meterAll(server: SocketServerFixture, allow: (metered: Metered) => boolean = () => true): Metered {
  const metered = { packets: 0, bytes: 0 };
  server.io.engine.on('connection', (conn: Socket['conn']) =>
    meterInbound(conn, (packets, bytes) => {
      metered.packets += packets;
      metered.bytes += bytes;
      return allow(metered);
    }),
  );
  return metered;
}

test('every kind of packet is charged as it arrives, on both transports', async () => {
  await using server = await startSocketServer({ pingInterval: 50 });
  const metered = meterAll(server);
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  expect(metered).toEqual({ packets: 1, bytes: 2 });
  peer.send('42["é"]'); // 8 bytes of text
  peer.send('451-["e",{"_placeholder":true,"num":0}]');
  peer.send(new Uint8Array(1_000));
  peer.send('430[]'); // an ack that nobody waits for
  peer.send('40/unknown');
  peer.send('3');
  peer.socket.ping('12345');
  peer.socket.pong();
  peer.socket.ping('end');
  await once(peer.socket, 'pong');
  while (metered.packets < 10) await nextTurn();
  const text = 8 + 39 + 5 + 10 + 1;
  expect(metered).toEqual({ packets: 10, bytes: 2 + text + 1 + 1_000 + 5 + 0 + 3 });

  const url = await openPolling(server);
  await fetch(url, { method: 'POST', body: '40\x1e3\x1ebAQID' }).catch(() => undefined);
  expect(metered.packets).toBe(13);
});

test('an upgraded connection is still charged, for the frames of WebSocket too', async () => {
  await using server = await startSocketServer();
  const metered = meterAll(server);
  const url = await openPolling(server);
  await using peer = EnginePeer.open(url.replace('transport=polling', 'transport=websocket'));
  await once(peer.socket, 'open');
  peer.send('2probe');
  await peer.next();
  peer.send('5');
  peer.send('40');
  await peer.next();
  peer.socket.ping();
  await once(peer.socket, 'pong');
  expect(metered.packets).toBe(4);
});

test('[5] an upgrade that is never finished is charged from its first frame on, and ends with its connection where that is too much', async () => {
  await using server = await startSocketServer();
  const metered = meterAll(server, ({ packets }) => packets <= 20);
  const url = await openPolling(server);
  await using peer = EnginePeer.open(url.replace('transport=polling', 'transport=websocket'));
  await once(peer.socket, 'open');
  peer.socket.ping('before the probe');
  await once(peer.socket, 'pong');
  expect(metered).toEqual({ packets: 1, bytes: 16 });
  for (let probe = 0; probe < 100; probe++) peer.send('2probe');
  await peer.closed;
  expect(metered.packets).toBe(21);
  expect((await fetch(url)).status).toBe(400);
});

test('[5] whoever sends on where nobody listens any more is charged, and cut off', async () => {
  await using server = await startSocketServer();
  const metered = meterAll(server, ({ packets }) => packets <= 20);
  const url = await openPolling(server);
  await using strange = EnginePeer.open(url.replace('transport=polling', 'transport=websocket'));
  await once(strange.socket, 'open');
  await using refused = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  for (const [peer, end] of [
    [strange, () => strange.send('4no probe')],
    [refused, () => server.io.disconnectSockets(true)],
  ] as const) {
    metered.packets = 0;
    const tcp = (peer.socket as unknown as { _socket: TcpSocket })._socket;
    // The close is not read, and so not answered.
    tcp.pause();
    const closed = once(tcp, 'close');
    end();
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x78]); // a masked text: 4x
    tcp.on('error', () => {});
    tcp.write(Buffer.concat(Array<Buffer>(100).fill(frame)));
    while (metered.packets <= 20) await nextTurn();
    tcp.resume();
    await closed;
    expect(metered.packets).toBe(21);
  }
});

test('the packet that is one too many ends the connection and is not handled', async () => {
  await using server = await startSocketServer();
  meterAll(server, ({ packets }) => packets <= 3);
  const handled: unknown[] = [];
  const reasons: string[] = [];
  server.io.on('connection', (socket) => {
    socket.onAny((...args: unknown[]) => handled.push(args));
    socket.on('disconnect', (reason) => reasons.push(reason));
  });
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  for (let n = 1; n <= 100; n++) peer.send(`42["e",${n}]`);
  await peer.closed;
  expect(handled).toEqual([
    ['e', 1],
    ['e', 2],
  ]);
  expect(reasons).toHaveLength(1);
  expect(server.io.engine.clientsCount).toBe(0);
});

test('[5] a polling body of 300,000 packets ends its session unread, and others notice nothing', async () => {
  await using server = await startSocketServer();
  const metered = meterAll(server);
  server.io.on('connection', (socket) => socket.on('echo', (value: unknown, ack: (value: unknown) => void) => ack(value)));
  const client = connectClient(server.url, { transports: ['websocket'], reconnection: false });
  await once(client as unknown as NodeJS.EventEmitter, 'connect');
  const before = metered.packets;
  const url = await openPolling(server);
  await fetch(url, { method: 'POST', body: Array(300_000).fill('42').join('\x1e') }).catch(() => undefined);
  expect(metered.packets).toBe(before);
  expect((await fetch(url)).status).toBe(400);
  expect(await client.emitWithAck('echo', 'stone')).toBe('stone');
  client.disconnect();
});

test('a polling body of as many packets as are allowed is taken', async () => {
  await using server = await startSocketServer({ maxPacketsPerBody: 100 });
  const metered = meterAll(server);
  const url = await openPolling(server);
  const pushed = await fetch(url, { method: 'POST', body: Array(100).fill('3').join('\x1e') });
  expect(pushed.status).toBe(200);
  expect(metered.packets).toBe(100);
  await fetch(url, { method: 'POST', body: Array(101).fill('3').join('\x1e') }).catch(() => undefined);
  expect(metered.packets).toBe(100);
  expect((await fetch(url)).status).toBe(400);
});

test('handshakes that are never followed by a CONNECT are forgotten, also on long-polling', async () => {
  await using server = await startSocketServer({ connectTimeout: 50, closeTimeoutMs: 50 });
  for (let n = 0; n < 20; n++) await (await fetch(server.engineUrl('transport=polling'))).text();
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  expect(server.io.engine.clientsCount).toBeGreaterThan(0);
  while (server.io.engine.clientsCount > 0) await nextTurn();
});

test('by default a handshake without a CONNECT is forgotten within 10 s', async () => {
  await using server = await startSocketServer();
  let closeTimeout = 0;
  server.io.engine.on('connection', ({ transport }: Socket['conn']) => {
    ({ closeTimeout } = transport as unknown as { closeTimeout: number });
  });
  await (await fetch(server.engineUrl('transport=polling'))).text();
  expect(closeTimeout).toBeGreaterThan(0);
  expect(server.io.connectTimeout() + closeTimeout).toBeLessThan(10_000);
});

test('attachments that never come close the connection', async () => {
  await using server = await startSocketServer({ attachmentTimeoutMs: 50 });
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  peer.send('452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  peer.send(new Uint8Array(10));
  await peer.closed;
});

test('[7] pings from a peer that reads nothing pile up no pongs; the last one is answered', async () => {
  await using server = await startSocketServer({ pingInterval: 60_000 });
  const metered = meterAll(server);
  let websocket: WebSocket | undefined;
  server.io.on('connection', ({ conn }) => {
    websocket = (conn.transport as unknown as { socket: WebSocket }).socket;
  });
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  const tcp = (peer.socket as unknown as { _socket: TcpSocket })._socket;
  tcp.pause();
  const total = 100_000;
  let largest = 0;
  for (let n = 0; n < total; n++) {
    peer.socket.ping(String(n).padEnd(125));
    if (n % 1_000 === 0) await nextTurn();
    largest = Math.max(largest, websocket?.bufferedAmount ?? 0);
  }
  while (metered.packets < total) {
    largest = Math.max(largest, websocket?.bufferedAmount ?? 0);
    await nextTurn();
  }
  expect(largest).toBeLessThan(1_000);

  let pongs = 0;
  const answered = new Promise<void>((resolve) =>
    peer.socket.on('pong', (data) => {
      pongs++;
      if (data.toString().trim() === String(total - 1)) resolve();
    }),
  );
  tcp.resume();
  await answered;
  expect(pongs).toBeLessThan(total);
});

test('a message above the announced payload limit closes the connection', async () => {
  await using server = await startSocketServer();
  await using peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  peer.send(`42["e","${'x'.repeat(1_000_000)}"]`);
  expect(await peer.closed).toBe(1009);
});

test('compression stays off: no frame can be larger than it looks', async () => {
  await using server = await startSocketServer();
  await using peer = EnginePeer.open(server.engineUrl('transport=websocket'), { perMessageDeflate: true });
  await peer.next();
  expect(peer.socket.extensions).toBe('');
});
