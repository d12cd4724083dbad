import { expect, test, vi } from 'vitest';
import { auditEvents } from '../support/audit-events.ts';
import { connectTo } from '../support/connect-to.ts';
import { DocumentTyper } from '../support/document-typer.ts';
import { EventReplica } from '../support/event-replica.ts';
import { FrameClient } from '../support/frame-client.ts';
import { FrameReplica } from '../support/frame-replica.ts';
import { retainedBytes } from '../support/retained-bytes.ts';
import { ask, startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ROOM = 'audit:main';
const ROUNDS = 40;
const PER_ROUND = { entries: 100, levels: 75, pulses: 50, letters: 25 };
const KEYS = 10;
const padding = 'x'.repeat(8_000);
/** Sent to each member while one of them reads nothing. */
const SENT_BYTES = ROUNDS * (PER_ROUND.entries + PER_ROUND.levels + PER_ROUND.pulses) * padding.length;

type AuditServer = TestServer<typeof auditEvents>;

/** One round of everything at once. */
async function sendRound(server: AuditServer, typer: DocumentTyper, round: number): Promise<void> {
  const { realtime } = server;
  const sending: Promise<unknown>[] = [typer.type(PER_ROUND.letters)];
  for (let index = 0; index < PER_ROUND.entries; index++) {
    sending.push(realtime.toRoom(ROOM, 'audit:entry', { entry: round * PER_ROUND.entries + index, padding }));
  }
  for (let index = 0; index < PER_ROUND.levels; index++) {
    const level = round * PER_ROUND.levels + index;
    sending.push(realtime.toRoom(ROOM, 'audit:level', { key: `key-${level % KEYS}`, level, padding }));
  }
  for (let index = 0; index < PER_ROUND.pulses; index++) {
    sending.push(realtime.toRoom(ROOM, 'audit:pulse', { pulse: round * PER_ROUND.pulses + index, padding }));
  }
  await Promise.all(sending);
}

/** Milliseconds from a publication to another member's ears, each after the one before; the median. */
async function latency(server: AuditServer, listener: Awaited<ReturnType<typeof connectTo>>, count: number): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const heard = new Promise((resolve) => listener.once('audit:entry', resolve));
    const start = performance.now();
    await server.realtime.toRoom(ROOM, 'audit:entry', { entry: -1 });
    await heard;
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[count >> 1] as number;
}

test('[7] a stalled reader costs a bounded queue, slows nobody, and has everything once it reads again', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer({ events: auditEvents });
  await using proxy = await startTcpProxy(server.url);
  await using typer = await DocumentTyper.open(server.url, tokenFor('ada'), 'minutes', 1);
  const bob = await server.connect(tokenFor('bob'));
  let heardByBob = 0;
  bob.on('audit:entry', () => {
    heardByBob += 1;
  });
  await ask(bob, 'join-room', ROOM);
  const calm = await latency(server, bob, 30);

  await using slow = new EventReplica(tokenFor('eve'), ROOM, 'audit:entry');
  const levels = new Map<string, number>();
  const pulses: number[] = [];
  await slow.connect(proxy.url);
  slow.socket.on('audit:level', ({ key, level }: { key: string; level: number }) => {
    // Never an older one behind a newer one.
    expect(level).toBeGreaterThanOrEqual(levels.get(key) ?? 0);
    levels.set(key, level);
  });
  slow.socket.on('audit:pulse', ({ pulse }: { pulse: number }) => pulses.push(pulse));
  await slow.join();
  await slow.reached(30);
  const slowDocument = new FrameReplica(new FrameClient(slow.socket, 'minutes', 2));
  await slowDocument.join();

  const before = await retainedBytes();
  proxy.stall();
  for (let round = 0; round < ROUNDS; round++) await sendRound(server, typer, round);
  const during = await latency(server, bob, 30);
  // Bounded by the cap of 4 MB, with what the log keeps in memory anyway, and far below what was sent.
  const grown = (await retainedBytes()) - before;
  expect(grown).toBeLessThan(20_000_000);
  expect(SENT_BYTES).toBeGreaterThan(60_000_000);
  expect({ calm, during, slowed: during > calm * 5 + 20 }).toMatchObject({ slowed: false });
  const entries = ROUNDS * PER_ROUND.entries;
  expect(heardByBob).toBe(30 + entries + 30);
  expect(slow.position?.seq).toBeLessThan(30 + entries);
  expect(slow.socket.connected).toBe(true);

  proxy.resume();
  await slow.reached(30 + entries + 30);
  const numbers = (slow.payloads as { entry: number }[]).map(({ entry }) => entry).filter((entry) => entry >= 0);
  expect(numbers).toEqual(Array.from({ length: entries }, (_, index) => index));
  const last = ROUNDS * PER_ROUND.levels;
  const expected = Array.from({ length: KEYS }, (_, index) => last - KEYS + index).map((level) => [`key-${level % KEYS}`, level]);
  await vi.waitFor(() => expect(new Map(levels)).toEqual(new Map(expected as [string, number][])));
  await slowDocument.reached(typer.saved);
  expect(slowDocument.text).toBe(typer.text);
  // Now or never: some never, and no old one late.
  expect(pulses.length).toBeLessThan(ROUNDS * PER_ROUND.pulses);
  expect(pulses).toEqual([...pulses].sort((a, b) => a - b));
});

test('[7] a socket that asks and never reads is closed, and does not fill the memory with answers', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const content = 'y'.repeat(20_000);
  for (let index = 0; index < 200; index++) {
    await server.realtime.toRoom('chat:1', 'chat:message', {
      id: `${index}`,
      sessionId: '1',
      content,
      sender: 'assistant',
      timestamp: new Date(0).toISOString(),
    });
  }
  const eve = await connectTo(proxy.url, tokenFor('eve'));
  await ask(eve, 'join-room', 'system');
  const before = await retainedBytes();
  proxy.stall();
  // Four megabytes each, within the budget of questions.
  for (let index = 0; index < 100; index++) eve.emit('chat:history', { sessionId: '1', limit: 200 }, () => {});
  await vi.waitFor(() => expect(server.realtime.getStats().totalConnections).toBe(0), { timeout: 10_000 });
  expect((await retainedBytes()) - before).toBeLessThan(30_000_000);
  eve.disconnect();
});

test('[7] parts that never become an update are kept for a writer alone, and no more of them than two updates', async () => {
  await using server = await startServer();
  const reader = new FrameClient(await server.connect(tokenFor('rita', { access: { 'doc:*': 'read' } })), 'parts', 1);
  await reader.join();
  const bytes = new Uint8Array(250_000);
  reader.send({ type: 'part', counter: 1, full: false, index: 0, count: 60, bytes });
  expect(await reader.frame('refused')).toMatchObject({ counter: 1, code: 'read-only' });

  const eve = await server.connect(tokenFor('eve'));
  const documents = Array.from({ length: 3 }, (_, index) => new FrameClient(eve, `parts-${index}`, 2));
  for (const document of documents) {
    await document.join();
    for (let index = 0; index < 45; index++) document.send({ type: 'part', counter: 1, full: false, index, count: 60, bytes });
    await ask(eve, 'room:members', document.room);
  }
  const refusals = documents.map(({ received }) => received.flatMap((frame) => (frame.type === 'refused' ? [frame.code] : [])));
  expect(refusals).toEqual([[], [], ['rate-limited', ...refusals[2]!.slice(1).map(() => 'counter-gap')]]);
});

test('[7] a history longer than the queue does not throw out who asked for it, in many rooms at once, nor do unread notifications', async () => {
  await using server = await startServer({ limits: { queueBytes: 100_000 } });
  const content = '。'.repeat(5_000);
  const timestamp = new Date().toISOString();
  const rooms = ['1', '2', '3'];
  for (const sessionId of rooms) {
    for (let number = 0; number < 50; number++) {
      const message = { id: `${sessionId}-${number}`, sessionId, content, sender: 'assistant' as const, timestamp };
      await server.realtime.toRoom(`chat:${sessionId}`, 'chat:message', message);
    }
  }
  for (let number = 0; number < 300; number++) {
    const notification = { id: `n-${number}`, level: 'info' as const, title: 'Note', message: content, timestamp };
    await server.realtime.toUser('bob', 'system:notification', notification);
  }
  const bob = await connectTo(server.url, tokenFor('bob'));
  const heard: string[] = [];
  bob.on('chat:message', ({ id }: { id: string }) => heard.push(id));
  const notes: string[] = [];
  bob.on('system:notification', ({ id }: { id: string }) => notes.push(id));
  await Promise.all(rooms.map((room) => ask(bob, 'join-room', `chat:${room}`)));
  await vi.waitFor(() => expect([heard.length, notes.length]).toEqual([150, 300]), 10_000);
  for (const room of rooms) {
    const own = heard.filter((id) => id.startsWith(`${room}-`));
    expect(own).toEqual(Array.from({ length: 50 }, (_, number) => `${room}-${number}`));
  }
  expect(notes).toEqual(Array.from({ length: 300 }, (_, number) => `n-${number}`));
  expect(bob.connected).toBe(true);
  bob.disconnect();
});
