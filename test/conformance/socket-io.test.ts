import { expect, test } from 'vitest';
import { EnginePeer, type SocketServerFixture, startSocketServer } from '../support/engine-peer.ts';

// The behaviours that Socket.IO's protocol page (version 5) asks of a server.

async function startEcho(options = {}): Promise<SocketServerFixture> {
  const server = await startSocketServer(options);
  server.io.on('connection', (socket) => {
    socket.emit('auth', socket.handshake.auth);
    socket.on('message', (...args: unknown[]) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args: unknown[]) => (args.pop() as (...answer: unknown[]) => void)(...args));
    // Without a listener Socket.IO prints what it could not read.
    socket.on('error', () => undefined);
  });
  server.io.of('/custom').on('connection', (socket) => {
    socket.emit('auth', socket.handshake.auth);
  });
  return server;
}

async function open(server: SocketServerFixture): Promise<EnginePeer> {
  const peer = EnginePeer.open(server.engineUrl('transport=websocket'));
  await peer.next();
  return peer;
}

async function connect(server: SocketServerFixture): Promise<EnginePeer> {
  const peer = await EnginePeer.connect(server.engineUrl('transport=websocket'));
  await peer.next(); // auth
  return peer;
}

test.each([
  ['40', '40', '42["auth",{}]'],
  ['40{"token":"123"}', '40', '42["auth",{"token":"123"}]'],
  ['40/custom,', '40/custom,', '42/custom,["auth",{}]'],
  ['40/custom,{"token":"abc"}', '40/custom,', '42/custom,["auth",{"token":"abc"}]'],
])('CONNECT %s is accepted with a sid, and its auth payload arrives', async (packet, prefix, event) => {
  await using server = await startEcho();
  await using peer = await open(server);
  peer.send(packet);
  const answer = String(await peer.next());
  expect(answer.startsWith(prefix)).toBe(true);
  expect(JSON.parse(answer.slice(prefix.length))).toEqual({ sid: expect.any(String) });
  expect(await peer.next()).toBe(event);
});

test('CONNECT works over polling as over WebSocket', async () => {
  await using server = await startEcho();
  const handshake = await (await fetch(server.engineUrl('transport=polling'))).text();
  const { sid } = JSON.parse(handshake.slice(1)) as { sid: string };
  const url = server.engineUrl(`transport=polling&sid=${sid}`);
  const poll = async (): Promise<string[]> => (await (await fetch(url)).text()).split('\x1e');
  await fetch(url, { method: 'POST', body: '40{"token":"123"}' });
  const connected = await poll();
  expect(connected[0]).toMatch(/^40\{"sid":"[^"]+"\}$/);
  expect(connected[1] ?? (await poll())[0]).toBe('42["auth",{"token":"123"}]');

  const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  await fetch(url, { method: 'POST', body: `452-7["message-with-ack",${placeholders}]\x1ebAQID\x1ebBAUG` });
  expect(await poll()).toEqual([`462-7[${placeholders}]`, 'bAQID', 'bBAUG']);
});

test('an unknown namespace is refused, and the connection lives', async () => {
  await using server = await startEcho();
  await using peer = await open(server);
  peer.send('40/random');
  expect(await peer.next()).toBe('44/random,{"message":"Invalid namespace"}');
  peer.send('40');
  expect(String(await peer.next()).startsWith('40')).toBe(true);
});

test('a connection that sends anything but CONNECT first, or nothing in time, is closed', async () => {
  await using server = await startEcho({ connectTimeout: 100 });
  await using wrong = await open(server);
  await using silent = await open(server);
  wrong.send('4abc');
  await wrong.closed;
  await silent.closed;
});

test('DISCONNECT leaves one namespace and not the others', async () => {
  await using server = await startEcho();
  await using peer = await connect(server);
  peer.send('40/custom');
  await peer.next();
  await peer.next();
  peer.send('41/custom');
  peer.send('42["message","message to main namespace"]');
  expect(await peer.nextMessage()).toBe('42["message-back","message to main namespace"]');
});

test('after DISCONNECT the heartbeat goes on', async () => {
  await using server = await startEcho({ pingInterval: 100, pingTimeout: 5_000 });
  await using peer = await connect(server);
  peer.send('41');
  expect(await peer.next()).toBe('2');
});

test('events and acks, with and without two attachments, come back as they were sent', async () => {
  await using server = await startEcho();
  await using peer = await connect(server);
  peer.send('42["message",1,"2",{"3":[true]}]');
  expect(await peer.nextMessage()).toBe('42["message-back",1,"2",{"3":[true]}]');
  peer.send('42456["message-with-ack",1,"2",{"3":[false]}]');
  expect(await peer.nextMessage()).toBe('43456[1,"2",{"3":[false]}]');

  const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  for (const [sent, received] of [
    [`452-["message",${placeholders}]`, `452-["message-back",${placeholders}]`],
    [`452-789["message-with-ack",${placeholders}]`, `462-789[${placeholders}]`],
  ] as const) {
    peer.send(sent);
    peer.send(Uint8Array.of(1, 2, 3));
    peer.send(Uint8Array.of(4, 5, 6));
    expect(await peer.nextMessage()).toBe(received);
    expect(await peer.nextMessage()).toEqual(Buffer.of(1, 2, 3));
    expect(await peer.nextMessage()).toEqual(Buffer.of(4, 5, 6));
  }
});

test.each([
  ['an unknown packet type', '4abc'],
  ['a payload that is no array', '42{}'],
  ['an ack id that is no number', '42abc["message-with-ack",1,"2",{"3":[false]}]'],
  ['an event without a name', '42'],
  ['an event of a reserved name', '42["disconnect"]'],
  ['broken JSON', '42["message"'],
  ['an attachment that nothing announced', Uint8Array.of(1)],
])('a packet with %s closes the connection', async (_what, packet) => {
  await using server = await startEcho();
  await using peer = await connect(server);
  peer.send(packet);
  await peer.closed;
});
