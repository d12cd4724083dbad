import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { createClient, platformEnvironment } from '../../client/index.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { auditEvents } from '../support/audit-events.ts';
import { connectTo } from '../support/connect-to.ts';
import { DocumentTyper } from '../support/document-typer.ts';
import { EventReplica } from '../support/event-replica.ts';
import { FrameClient } from '../support/frame-client.ts';
import { FrameReplica } from '../support/frame-replica.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ROOM = 'audit:main';
const COUNT = 500;
const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ({ entry: from + index }));

type AuditServer = TestServer<typeof auditEvents>;

async function publish(server: AuditServer, from: number, to: number): Promise<void> {
  await Promise.all(entries(from, to).map((entry) => server.realtime.toRoom(ROOM, 'audit:entry', entry)));
}

async function openTyper(server: { readonly url: string }, name = 'minutes', clientId = 1): Promise<DocumentTyper> {
  return DocumentTyper.open(server.url, tokenFor('ada'), name, clientId);
}

for (const [how, cutting] of [
  ['its network breaks', 'cut'],
  ['it vanishes and the server has not noticed yet', 'vanish'],
] as const) {
  test(`[2] ${how}: 500 events and 500 edits later a client has each exactly once, in order`, async () => {
    await using server = await startServer({ events: auditEvents });
    await using proxy = await startTcpProxy(server.url);
    await using typer = await openTyper(server);
    await using events = new EventReplica(tokenFor('bob'), ROOM, 'audit:entry');
    await events.connect(proxy.url);
    await events.join();
    const replica = await FrameReplica.open(proxy.url, tokenFor('bob'), 'minutes', 2);
    await publish(server, 0, 10);
    typer.type(10);
    await Promise.all([events.reached(10), replica.reached(10)]);

    proxy[cutting]();
    await publish(server, 10, 10 + COUNT);
    await typer.type(COUNT);
    proxy.mend();

    await events.connect(proxy.url);
    expect(await events.join()).toMatchObject({ success: true, recovered: true, seq: 10, head: 10 + COUNT });
    await events.reached(10 + COUNT);
    expect(events.payloads).toEqual(entries(0, 10 + COUNT));

    await using back = await replica.reconnect(proxy.url, tokenFor('bob'));
    expect(back.joined).toMatchObject({ success: true, recovered: true, seq: 10, head: 10 + COUNT });
    expect(back.seqs).toEqual(entries(11, 11 + COUNT).map(({ entry }) => entry));
    expect(back.text).toBe(typer.text);
    // What is live afterwards follows without a gap.
    await Promise.all([publish(server, 10 + COUNT, 20 + COUNT), typer.type(5)]);
    await Promise.all([events.reached(20 + COUNT), back.reached(15 + COUNT)]);
    expect(back.text).toBe(typer.text);
  });
}

test('[2] the SDK comes back by itself, says that it recovered, and hands each event and edit on once', async () => {
  await using server = await startServer({ events: auditEvents });
  await using proxy = await startTcpProxy(server.url);
  await using typer = await openTyper(server);
  const environment = { ...platformEnvironment(), random: () => 0.05 };
  const client = createClient({
    url: proxy.url,
    token: tokenFor('bob'),
    transports: ['websocket'],
    events: auditEvents,
    environment,
  });
  const heard: unknown[] = [];
  client.on('audit:entry', (entry) => heard.push(entry));
  await client.connect();
  expect(await client.joinRoom(ROOM)).toMatchObject({ recovered: false, reason: 'new' });
  const statuses: unknown[] = [];
  client.onRoom(ROOM, (status) => {
    if (status.state === 'joined') statuses.push(status.recovered);
  });
  const handle = client.document('minutes');
  await handle.whenSynced;
  await publish(server, 0, 10);
  await typer.type(10);
  await vi.waitFor(() => expect([heard.length, handle.doc.getText('text').length]).toEqual([10, 10]));
  const inserts: number[] = [];
  handle.doc.getText('text').observe((event) => {
    for (const { insert } of event.changes.delta) if (typeof insert === 'string') inserts.push(insert.length);
  });

  proxy.cut();
  // The client goes on typing while it is offline.
  handle.doc.getText('notes').insert(0, 'offline');
  await publish(server, 10, 10 + COUNT);
  await typer.type(COUNT);
  proxy.mend();
  await vi.waitFor(() => expect(heard).toHaveLength(10 + COUNT), { timeout: 10_000 });
  await handle.whenSaved();
  await vi.waitFor(() => expect(handle.doc.getText('text').toString()).toBe(typer.text), { timeout: 10_000 });
  expect(heard).toEqual(entries(0, 10 + COUNT));
  expect(statuses.at(-1)).toBe(true);
  expect(inserts.reduce((sum, length) => sum + length, 0)).toBe(COUNT);
  expect((await server.realtime.documents.read('minutes')).getText('notes').toString()).toBe('offline');
  handle.destroy();
  client.disconnect();
});

test('[2] a log that was trimmed past the position says so, and gives the newest events and every current value', async () => {
  await using server = await startServer({ events: auditEvents, retention: { log: { maxRecords: 100 } }, history: 30 });
  await using events = new EventReplica(tokenFor('bob'), ROOM, 'audit:entry');
  await events.connect(server.url);
  await events.join();
  await publish(server, 0, 10);
  await events.reached(10);
  const position = events.position;
  events.socket.disconnect();
  await publish(server, 10, 1_010);
  await server.realtime.toRoom(ROOM, 'audit:level', { key: 'load', level: 3 });
  await server.realtime.toRoom(ROOM, 'audit:level', { key: 'load', level: 4 });
  // Cutting follows the events; how far it is gone is seen by joining.
  await vi.waitFor(async () => {
    await events.connect(server.url);
    events.position = position;
    expect(await events.join()).toMatchObject({ success: true, recovered: false, reason: 'expired', seq: 980, head: 1_010 });
  });
  const level = new Promise((resolve) => events.socket.once('audit:level', resolve));
  await events.join();
  await events.reached(1_010);
  expect(await level).toEqual({ key: 'load', level: 4 });
  expect(events.payloads).toEqual(entries(980, 1_010));
});

test('[2] a document whose tail was cut past the position says so, and gives the whole content', async () => {
  await using server = await startServer({
    compactAfterRecords: 50,
    retention: { documents: { maxAgeMs: 1, keepBytes: 1 } },
  });
  await using typer = await openTyper(server);
  await using replica = await FrameReplica.open(server.url, tokenFor('bob'), 'minutes', 2);
  await typer.type(10);
  await replica.reached(10);
  const { position } = replica;
  await typer.type(COUNT);
  await vi.waitFor(
    async () => {
      const late = new FrameClient(await connectTo(server.url, tokenFor('cleo')), 'minutes', 3);
      expect(await late.join({ ...position })).toMatchObject({ success: true, recovered: false, reason: 'expired' });
      late.socket.disconnect();
      await typer.type(1);
    },
    { timeout: 10_000 },
  );
  await using late = await FrameReplica.open(server.url, tokenFor('cleo'), 'minutes', 4);
  expect(late.text).toBe(typer.text);
  await typer.type(5);
  await late.reached(typer.saved);
  expect(late.text).toBe(typer.text);
});

test('[2] an older copy of the data that was put back is never taken for the same log', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'ashlar-copy-'));
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-data-'));
  try {
    const bob = new EventReplica(tokenFor('bob'), ROOM, 'audit:entry');
    let replica: FrameReplica;
    let beforeCopy: EventReplica['position'];
    {
      await using server = await startServer({ events: auditEvents, dataDir });
      await using typer = await openTyper(server);
      await Promise.all([publish(server, 0, 20), typer.type(20)]);
      await bob.connect(server.url);
      await bob.join();
      await bob.reached(20);
      beforeCopy = bob.position;
    }
    await cp(dataDir, copy, { recursive: true });
    {
      await using server = await startServer({ events: auditEvents, dataDir });
      await using typer = await openTyper(server, 'minutes', 2);
      replica = await FrameReplica.open(server.url, tokenFor('bob'), 'minutes', 3);
      await bob.connect(server.url);
      expect(await bob.join()).toMatchObject({ recovered: true });
      await Promise.all([publish(server, 20, 30), typer.type(10)]);
      await Promise.all([bob.reached(30), replica.reached(30)]);
    }
    await rm(dataDir, { recursive: true });
    await cp(copy, dataDir, { recursive: true });
    await using server = await startServer({ events: auditEvents, dataDir });
    await using typer = await openTyper(server, 'minutes', 4);
    // Other things, and more of them, so that numbers alone do not tell.
    await Promise.all([publish(server, 100, 130), typer.type(30)]);
    await bob.connect(server.url);
    expect(await bob.join()).toMatchObject({ success: true, recovered: false, reason: 'epoch', head: 50 });
    await bob.reached(50);
    expect(bob.payloads).toEqual([...entries(0, 20), ...entries(100, 130)]);
    // A position from before the copy is of this log.
    await using early = new EventReplica(tokenFor('cleo'), ROOM, 'audit:entry');
    early.position = beforeCopy;
    await early.connect(server.url);
    expect(await early.join()).toMatchObject({ success: true, recovered: true, seq: 20 });
    await early.reached(50);
    expect(early.payloads).toEqual(entries(100, 130));

    const late = new FrameClient(await connectTo(server.url, tokenFor('bob')), 'minutes', 5);
    expect(await late.join({ ...replica.position })).toMatchObject({ success: true, recovered: false, reason: 'epoch' });
    late.socket.disconnect();
    await using fresh = await FrameReplica.open(server.url, tokenFor('bob'), 'minutes', 6);
    expect(fresh.text).toBe(typer.text);
    await replica[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    await rm(copy, { recursive: true, force: true });
  }
});

test('[2] joins at any moment of heavy publishing see no gap, no duplicate, and everything in order', async () => {
  await using server = await startServer({ events: auditEvents });
  const total = 4_000;
  const publishing = (async () => {
    for (let from = 0; from < total; from += 20) {
      await publish(server, from, from + 20);
      await server.realtime.toRoom(ROOM, 'audit:level', { key: 'load', level: from });
    }
  })();
  let published = false;
  void publishing.then(() => {
    published = true;
  });
  const joiners = Array.from({ length: 12 }, async (_, index) => {
    await using events = new EventReplica(tokenFor(`user-${index}`), ROOM, 'audit:entry');
    let rejoins = 0;
    for (; !published || rejoins === 0; rejoins++) {
      // Every other time on the same socket.
      if (rejoins % 2 === 0) await events.connect(server.url, { transports: [index % 4 === 3 ? 'polling' : 'websocket'] });
      const answer = await events.join();
      expect(answer).toMatchObject({ success: true, recovered: rejoins > 0 });
      await events.reached(Math.min(total, answer.head + 1 + ((index * 7 + rejoins * 13) % 150)));
    }
    await publishing;
    await events.reached(total);
    const last = entries(total - events.payloads.length, total);
    expect(events.payloads).toEqual(last);
    return rejoins;
  });
  const rejoins = await Promise.all(joiners);
  expect(Math.max(...rejoins)).toBeGreaterThan(2);
});

test('[2] joins at any moment of heavy typing see no gap, no duplicate, and end with the same content', async () => {
  await using server = await startServer({ compactAfterRecords: 200 });
  await using typer = await openTyper(server);
  const total = 1_500;
  let typed = false;
  const typing = (async () => {
    // Bursts of every size: also of one, behind which a joiner is by just one record.
    for (let done = 0, burst = 1; done < total; done += burst, burst = Math.min(total - done, 1 + ((burst * 7 + 3) % 26))) {
      await typer.type(burst);
    }
    typed = true;
  })();
  const joiners = Array.from({ length: 8 }, async (_, index) => {
    let replica = await FrameReplica.open(server.url, tokenFor(`user-${index}`), 'minutes', 100 + index);
    for (let rejoins = 1; !typed; rejoins++) {
      await replica.reached(Math.min(total, replica.seq + 1 + ((index * 7 + rejoins * 13) % 150)));
      if (index % 2 === 0) {
        replica = await replica.reconnect(server.url, tokenFor(`user-${index}`));
        expect(replica.joined).toMatchObject({ success: true, recovered: true });
      } else {
        await replica[Symbol.asyncDispose]();
        replica = await FrameReplica.open(server.url, tokenFor(`user-${index}`), 'minutes', 1_000 + index * 100 + rejoins);
      }
    }
    await typing;
    await replica.reached(total);
    expect(replica.text).toBe(typer.text);
    await replica[Symbol.asyncDispose]();
  });
  await Promise.all(joiners);
});

test('[2] messages sent at once into a chat that was never joined come back once each', async () => {
  await using server = await startServer();
  const seed = await server.connect(tokenFor('ada'));
  for (let index = 0; index < 10; index++) await ask(seed, 'chat:message', { sessionId: '1', content: `old ${index}` });
  for (let round = 0; round < 5; round++) {
    const socket = await server.connect(tokenFor(`bob-${round}`));
    const seqs: number[] = [];
    socket.on('chat:message', (_, meta) => seqs.push(meta.seq));
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        ask(socket, 'chat:message', { sessionId: '1', content: `new ${index}` }, { id: `${round}-${index}` }),
      ),
    );
    const own = answers.map((answer) => answer.meta.seq);
    expect(own).toEqual(own.map((_, index) => own[0] + index));
    await vi.waitFor(() => expect(seqs).toContain(own.at(-1)));
    await ask(socket, 'room:members', 'chat:1');
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => (seqs[0] as number) + index));
    socket.disconnect();
  }
});

test("[2] the server's own join of a client's standing rooms never takes the place of the client's", async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const notify = (index: number) =>
    server.realtime.toUser('ada', 'system:notification', {
      id: `n-${index}`,
      level: 'info',
      title: 'a title',
      message: 'a message',
      timestamp: new Date(0).toISOString(),
    });
  for (let index = 0; index < 20; index++) await notify(index);
  await using events = new EventReplica(tokenFor('ada'), 'user:ada', 'system:notification');
  await events.connect(server.url);
  await events.join();
  await events.reached(20);
  // The next time the server is still reading what the user has not read when the client comes with its position.
  const release = store.hold('read');
  await events.connect(server.url);
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  const joining = events.join();
  await ask(events.socket, 'room:members', 'system');
  release();
  expect(await joining).toMatchObject({ success: true, recovered: true, seq: 20 });
  await notify(20);
  await events.reached(21);
  await events.flushed();
  expect(events.payloads).toHaveLength(21);
});

test('[2] a client that sends its state vector with each join gets everything, wherever its catch-up stands', async () => {
  await using server = await startServer();
  const doc = new Y.Doc();
  doc.clientID = 7;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  // Large ones, so that the log's beginning, where the client's position is, is no longer in memory.
  for (let index = 0; index < 150; index++) doc.getText('text').insert(0, `${index} `.padEnd(20_000, 'x'));
  let position: object = {};
  for (let told = 0; told < updates.length; ) {
    const client = new FrameClient(await connectTo(server.url, tokenFor('ada')), 'minutes', 7);
    const answer = await client.join(position);
    expect({ told, ...answer }).toMatchObject({ success: true, saved: expect.toSatisfy((saved: number) => saved >= told) });
    told = answer.saved;
    if (told === updates.length) break;
    client.sync();
    for (let sent = told; sent < Math.min(told + 30, updates.length); sent++)
      client.update(sent + 1, updates[sent] as Uint8Array);
    const first = await client.frame('committed', (frame) =>
      frame.entries.some((entry) => 'counter' in entry && entry.counter > told),
    );
    for (const entry of first.entries) if ('counter' in entry) told = Math.max(told, entry.counter);
    position = { epoch: first.epoch, seq: 1 };
    client.socket.disconnect();
  }
  expect((await server.realtime.documents.read('minutes')).getText('text').toString()).toBe(doc.getText('text').toString());
});

test('[2] a session that comes back while its last update is being saved is never told less than before', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const doc = new Y.Doc();
  doc.clientID = 7;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  // Large ones, so that the log's beginning, where the client's position is, is no longer in memory.
  for (let index = 0; index < 5; index++) doc.getText('text').insert(0, `${index} `.padEnd(200_000, 'x'));
  const first = new FrameClient(await connectTo(server.url, tokenFor('ada')), 'minutes', 7);
  await first.join();
  first.sync();
  for (let counter = 1; counter <= 4; counter++) first.update(counter, updates[counter - 1] as Uint8Array);
  const told = (frame: { entries: readonly object[] }) =>
    frame.entries.some((entry) => 'counter' in entry && entry.counter === 4);
  const { epoch } = await first.frame('committed', told);

  const save = store.hold('append');
  first.update(5, updates[4] as Uint8Array);
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  first.socket.disconnect();
  await vi.waitFor(() => expect(server.realtime.getStats().totalConnections).toBe(0));
  const judge = store.hold('epochAt');
  const second = new FrameClient(await connectTo(server.url, tokenFor('ada')), 'minutes', 7);
  const joining = second.join({ epoch, seq: 1 });
  await vi.waitFor(() => expect(store.held('epochAt')).toBe(1));
  save();
  // Its update is saved, and nobody holds the session: the server may forget it.
  await vi.waitFor(async () => {
    const reader = new FrameClient(await connectTo(server.url, tokenFor('bob')), 'minutes', 8);
    expect(await reader.join()).toMatchObject({ head: 5 });
    reader.socket.disconnect();
  });
  judge();
  expect(await joining).toMatchObject({ success: true, recovered: true, saved: 5 });
});
