import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { encodeEvent } from '../../server/sockets/encode-packet.ts';
import { createOutbox, type Outbox } from '../../server/sockets/outbox.ts';
import { EnginePeer, type SocketServerFixture, startSocketServer } from '../support/engine-peer.ts';
import { retainedBytes } from '../support/retained-bytes.ts';

const CAP = 1_000_000;
// Long enough that no ping ends a reader that is stalled on purpose.
const PATIENT = { pingInterval: 60_000, pingTimeout: 60_000 };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const drained = (outbox: Outbox): Promise<void> => new Promise((resolve) => outbox.whenDrained(resolve));

async function connectPeer(server: SocketServerFixture): Promise<{ peer: EnginePeer; socket: Socket; tcp: TcpSocket }> {
  const connected = new Promise<Socket>((resolve) => server.io.once('connection', resolve));
  const peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  return { peer, socket: await connected, tcp: (peer.socket as unknown as { _socket: TcpSocket })._socket };
}

/** The server's side of a connection: what ws and Node hold, counted by them and not by us. */
function heldByTransport(socket: Socket): number {
  const { socket: websocket } = socket.conn.transport as unknown as { socket: WebSocket };
  const waiting = (socket.conn as unknown as { writeBuffer: { options: { wsPreEncodedFrame?: Buffer[] } }[] }).writeBuffer;
  return websocket.bufferedAmount + waiting.reduce((sum, { options }) => sum + (options.wsPreEncodedFrame?.[0]?.length ?? 0), 0);
}

/** Offers until there is no room; the kernel takes the first megabytes of a stalled reader. */
async function fill(outbox: Outbox, bytes = 10_000): Promise<void> {
  const packet = encodeEvent(['fill', new Uint8Array(bytes)]);
  for (let fulls = 0; fulls < 3; ) {
    if (outbox.offer(packet) === 'full') {
      fulls++;
      // The kernel may still take some: it is full when the queue stays full.
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    } else fulls = 0;
  }
}

test('[7] a stalled reader costs its cap and no more, the others get everything, and it hears when there is room again', async () => {
  await using server = await startSocketServer(PATIENT);
  const stalled = await connectPeer(server);
  const healthy = await connectPeer(server);
  await using _stalledPeer = stalled.peer;
  await using _healthyPeer = healthy.peer;
  const stalledOutbox = createOutbox(stalled.socket, { capBytes: CAP });
  const healthyOutbox = createOutbox(healthy.socket, { capBytes: CAP });
  stalled.tcp.pause();

  let received = 0;
  let receivedBytes = 0;
  healthy.peer.socket.removeAllListeners('message');
  healthy.peer.socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) return;
    expect(data.readUInt32BE(0)).toBe(received);
    received++;
    receivedBytes += data.length;
  });

  const before = await retainedBytes();
  const total = 20_000;
  let refused = 0;
  let largest = 0;
  let drainedBeforeResume = false;
  for (let n = 0; n < total; n++) {
    const update = Buffer.alloc(10_000);
    update.writeUInt32BE(n);
    const packet = encodeEvent(['document', 'doc:handbook', update]);
    if (healthyOutbox.offer(packet) === 'full') {
      await drained(healthyOutbox);
      expect(healthyOutbox.offer(packet)).toBe('sent');
    }
    if (stalledOutbox.offer(packet) === 'full' && ++refused === 1) {
      stalledOutbox.whenDrained(() => {
        drainedBeforeResume = true;
      });
    }
    largest = Math.max(largest, heldByTransport(stalled.socket), stalledOutbox.queuedBytes);
  }
  while (received < total) await nextTurn();
  expect(receivedBytes).toBe(total * 10_000);
  expect(refused).toBeGreaterThan(total / 2);
  expect(largest).toBeLessThanOrEqual(CAP);
  expect((await retainedBytes()) - before).toBeLessThan(10_000_000 + CAP);

  await fill(stalledOutbox);
  drainedBeforeResume = false;
  const room = drained(stalledOutbox);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect(drainedBeforeResume).toBe(false);
  stalled.tcp.resume();
  await room;
  expect(stalledOutbox.queuedBytes).toBeLessThanOrEqual(CAP / 2);
  expect(stalledOutbox.offer(encodeEvent(['last']))).toBe('sent');
  for (;;) if ((await stalled.peer.next()) === '42["last"]') break;
});

test('[7] small packets count with what it costs to keep them', async () => {
  await using server = await startSocketServer(PATIENT);
  const { peer, socket, tcp } = await connectPeer(server);
  await using _ = peer;
  tcp.pause();
  const outbox = createOutbox(socket, { capBytes: CAP });
  await fill(outbox); // the kernel's buffers
  const small = encodeEvent(['e']);
  const room = drained(outbox);
  tcp.resume();
  await room;
  tcp.pause();
  let taken = 0;
  while (outbox.offer(small) === 'sent') taken++;
  expect(taken * small.bytes).toBeLessThan(CAP / 8);
});

test('a packet above the cap finds room in an empty queue, and a queue that is full refuses without queueing', async () => {
  await using server = await startSocketServer(PATIENT);
  const { peer, socket, tcp } = await connectPeer(server);
  await using _ = peer;
  tcp.pause();
  const outbox = createOutbox(socket, { capBytes: 10_000 });
  // More than the kernel takes.
  expect(outbox.offer(encodeEvent(['large', new Uint8Array(20_000_000)]))).toBe('sent');
  const queued = outbox.queuedBytes;
  expect(queued).toBeGreaterThan(1_000_000);
  expect(outbox.offer(encodeEvent(['small']))).toBe('full');
  expect(outbox.queuedBytes).toBe(queued);
  tcp.resume();
  await drained(outbox);
  expect(outbox.offer(encodeEvent(['next']))).toBe('sent');
  expect(await peer.next()).toMatch(/large/);
  await peer.next();
  expect(await peer.next()).toBe('42["next"]');
});

test('a client that asks and never reads is disconnected beyond the hard cap', async () => {
  await using server = await startSocketServer(PATIENT);
  const { peer, socket, tcp } = await connectPeer(server);
  await using _ = peer;
  tcp.pause();
  const outbox = createOutbox(socket, { capBytes: CAP, hardCapBytes: 2 * CAP });
  await fill(outbox);
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  let forced = 0;
  while (!outbox.closed && forced < 1_000) {
    outbox.force(encodeEvent(['answer', new Uint8Array(10_000)]));
    forced++;
  }
  await gone;
  expect(forced).toBeGreaterThan(50);
  expect(forced).toBeLessThan(200);
  expect(outbox.offer(encodeEvent(['late']))).toBe('sent');
  expect(outbox.queuedBytes).toBe(0);
  tcp.resume();
  await peer.closed;
});

test('[7] on long-polling, too, a reader that does not read its responses costs its cap', async () => {
  await using server = await startSocketServer({ ...PATIENT, connectTimeout: 60_000 });
  const connected = new Promise<Socket>((resolve) => server.io.once('connection', resolve));
  const { sid } = JSON.parse((await (await fetch(server.engineUrl('transport=polling'))).text()).slice(1)) as { sid: string };
  const url = server.engineUrl(`transport=polling&sid=${sid}`);
  await fetch(url, { method: 'POST', body: '40' });
  await (await fetch(url)).text();
  const socket = await connected;
  // More than the kernel takes for one response.
  const cap = 30_000_000;
  const outbox = createOutbox(socket, { capBytes: cap });
  const packet = encodeEvent(['event', 'x'.repeat(100_000)]);
  while (outbox.offer(packet) === 'sent');
  let called = false;
  outbox.whenDrained(() => {
    called = true;
  });

  const polls: ClientRequest[] = [];
  /** Each over a connection of its own; only the headers are read. A poll is answered once something waits: so something does. */
  const poll = async (): Promise<IncomingMessage> => {
    outbox.force(encodeEvent(['answer']));
    const asked = request(url, { agent: false }).end();
    polls.push(asked);
    return new Promise((resolve) => asked.once('response', resolve));
  };
  const unread: IncomingMessage[] = [];
  for (let n = 0; n < 3; n++) {
    unread.push(await poll());
    while (outbox.offer(packet) === 'sent');
    expect(outbox.queuedBytes).toBeLessThanOrEqual(cap + 10_000);
  }
  expect(outbox.queuedBytes).toBeGreaterThan(cap / 2);
  expect(called).toBe(false);
  for (const response of unread) response.resume();
  (await poll()).resume();
  await drained(outbox);
  expect(called).toBe(true);
  for (const asked of polls) asked.destroy();
});
