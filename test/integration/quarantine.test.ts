import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { createClient, type ResetEvent } from '../../client/index.ts';
import { Compactor } from '../../server/documents/compactor.ts';
import { DocumentRoom } from '../../server/documents/document-room.ts';
import { createDocumentWorkers, type DocumentJob, type DocumentWorkers } from '../../server/documents/worker/document-workers.ts';
import { createCatchUp } from '../../server/rooms/catch-up.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { ClientClock, NewRecord, Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { documentPorts } from '../support/document-ports.ts';
import { FrameClient } from '../support/frame-client.ts';
import { BRICK } from '../support/hostile-updates.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { until } from '../support/sdk.ts';
import { next, startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ROOM = parseRoomName('doc:plan');

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ashlar-quarantine-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** An update that inserts into `root`, on top of what is given. */
function typed(clientId: number, text: string, root: string, ...before: Uint8Array[]): Uint8Array {
  const doc = new Y.Doc();
  for (const update of before) Y.applyUpdate(doc, update);
  doc.clientID = clientId;
  let made = new Uint8Array();
  doc.on('update', (update: Uint8Array) => {
    made = new Uint8Array(update);
  });
  const target = doc.getText(root);
  target.insert(target.length, text);
  return made;
}

/** A log as it would be, had the admission let through what it refuses: eve's second record damages it, ada's third builds on that. */
const good = typed(1, 'good', 'text');
const built = typed(3, 'built on eve’s', 'x', typed(9, 'x', 'x'));
const other = typed(4, 'other', 'notes');
const LOG: readonly [userId: string, update: Uint8Array, clientId: number, clock: number][] = [
  ['ada', good, 1, 4],
  ['eve', BRICK, 9, 1],
  ['ada', built, 3, 14],
  ['bob', other, 4, 5],
];

async function fill(store: Store): Promise<void> {
  const { fence } = await store.open(ROOM);
  const records = LOG.map(([userId, payload]) => recordOf(userId, payload));
  const clocks: ClientClock[] = LOG.map(([userId, , clientId, clock]) => ({ clientId, userId, clock }));
  await store.append({ appends: [{ room: ROOM, fence, expectedHead: 0, records, clocks }] });
}

test('[r10] records that damage a document are set aside with those that build on them: kept, told, the rest served, also after a restart', async () => {
  const store = await openSqliteStore({ dataDir, clock: createSystemClock() });
  await fill(store);
  await store.close();
  let position: object = {};
  {
    await using ashlar = await startServer({ dataDir, compactAfterRecords: 5 });
    const hooked = new Promise((resolve) => ashlar.realtime.on('document:quarantined', resolve));
    const eve = await ashlar.connect(tokenFor('eve'));
    const told = next(eve, 'document:quarantined');
    const bob = new FrameClient(await ashlar.connect(tokenFor('bob')), 'plan', 21);
    expect(await bob.join({ epoch: store.epoch, seq: 4 })).toMatchObject({ recovered: true });
    bob.update(1, typed(21, 'last', 'end'));
    const saved = await bob.frame('committed', ({ entries }) => entries.some(({ seq }) => seq === 5));
    position = { epoch: saved.epoch, seq: 5 };
    expect((await bob.frame('reset')).reason).toBe('quarantined');
    expect(await told).toEqual([{ room: ROOM, seqs: [2] }]);
    expect(await hooked).toEqual({ name: 'plan', seqs: [2, 3], userIds: ['eve', 'ada'] });

    const { documents } = ashlar.realtime;
    const copy = await documents.read('plan');
    expect([copy.getText('text'), copy.getText('notes'), copy.getText('end')].map(String)).toEqual(['good', 'other', 'last']);
    const kept = await documents.quarantined('plan');
    expect(kept.map(({ seq, userId }) => [seq, userId])).toEqual([
      [2, 'eve'],
      [3, 'ada'],
    ]);
    expect(Buffer.from(kept[0]?.update ?? []).equals(BRICK)).toBe(true);
    expect(Buffer.from(kept[1]?.update ?? []).equals(built)).toBe(true);

    const again = new FrameClient(await ashlar.connect(tokenFor('bob')), 'plan', 22);
    expect(await again.join(position)).toMatchObject({ recovered: false, reason: 'epoch' });
    again.sync();
    await again.frame('state');
    again.update(1, typed(22, '!', 'text', good));
    await again.frame('committed');
    const back = new FrameClient(eve, 'plan', 9);
    expect(await back.join(), 'an id that lost content is nobody’s').toMatchObject({ error: { code: 'foreign-client-id' } });
  }
  await using ashlar = await startServer({ dataDir });
  const copy = await ashlar.realtime.documents.read('plan');
  expect(copy.getText('text').toString()).toBe('good!');
  expect(await ashlar.realtime.documents.quarantined('plan')).toHaveLength(2);
  const late = new FrameClient(await ashlar.connect(tokenFor('bob')), 'plan', 23);
  expect(await late.join(position)).toMatchObject({ recovered: false });
  late.sync();
  const state = await late.frame('state');
  const joiner = new Y.Doc();
  Y.applyUpdate(joiner, state.bytes);
  expect(joiner.getText('text').toString()).toContain('good');
});

/** A document over a store in memory, and a compactor whose workers are as slow as the test says. */
async function slowly(slow: { now: boolean; meanwhile?: () => Promise<unknown> }, keepBytes = 1e6) {
  const clock = createManualClock();
  const store = openMemoryStore();
  const system = createSystemClock();
  // A busy machine: no time, which is over at once, for far more work. A timer alone would race with a small document.
  const after: typeof system.after = (ms, task) => {
    if (ms > 0) return system.after(ms, task);
    task();
    return () => {};
  };
  const real = createDocumentWorkers({ clock: { ...system, after } });
  const attempts: number[] = [];
  const limited = <Limits extends { timeFactor?: number; timeoutMs?: number }>(limits: Limits = {} as Limits): Limits =>
    slow.now ? { ...limits, timeoutMs: 0 } : limits;
  const laden = (job: DocumentJob): DocumentJob => (slow.now ? { ...job, updates: [...job.updates, HEAVY] } : job);
  /** What comes in while the first piece of work is done. */
  const overtaken = async <Result>(work: Promise<Result>): Promise<Result> => {
    const result = await work;
    const { meanwhile } = slow;
    delete slow.meanwhile;
    await meanwhile?.();
    return result;
  };
  const workers: DocumentWorkers = {
    ...real,
    compact: (job, limits) => {
      attempts.push(limits?.timeFactor ?? 1);
      return overtaken(real.compact(laden(job), limited(limits)));
    },
    quarantine: (job, limits) => overtaken(real.quarantine(laden(job), limited(limits))),
  };
  const said: string[] = [];
  const note = (_: object, message: string) => void said.push(message);
  const compactor = new Compactor({
    clock,
    maxAgeMs: 86_400_000,
    keepBytes,
    log: { warn: note, error: note, debug: note },
    quarantined: () => {},
    counted: () => {},
  });
  const rooms = new Rooms({
    store,
    clock,
    soon: setImmediate,
    catchUp: createCatchUp(() => {}),
    createContent: (room, lease) =>
      new DocumentRoom(
        room,
        lease,
        documentPorts({
          clock,
          workers,
          compactAfterRecords: 1_000,
          compactAfterBytes: 1_000_000,
          compact: (document) => compactor.request(document),
        }),
      ),
  });
  return {
    clock,
    store,
    attempts,
    said,
    compactor,
    async open() {
      return (await rooms.open(ROOM)).content as DocumentRoom;
    },
    async [Symbol.asyncDispose]() {
      await compactor.close();
      rooms.close();
      await real.close();
      expect(clock.armed).toBe(0);
    },
  };
}

/** Takes a thread some 100 ms. */
const HEAVY = (() => {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (let index = 0; index < 50_000; index++) doc.getText('heavy').insert(0, 'a');
  });
  return Y.encodeStateAsUpdate(doc);
})();

function recordOf(userId: string, payload: Uint8Array): NewRecord {
  return { at: 1_000, userId, kind: 'doc:update', payload, version: 1, id: null, session: null, counter: 0 };
}

async function honest(store: Store, updates = [good, other]): Promise<void> {
  const { fence } = await store.open(ROOM);
  const records = updates.map((payload) => recordOf('ada', payload));
  const clocks = [
    { clientId: 1, userId: 'ada', clock: 4 },
    { clientId: 4, userId: 'bob', clock: 5 },
  ];
  await store.append({ appends: [{ room: ROOM, fence, expectedHead: 0, records, clocks }] });
}

/** A record that is there whatever admission would have said. */
function append({ room }: DocumentRoom, userId: string, payload: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    room.submit({ durable: true, record: recordOf(userId, payload), leave: () => resolve(), fail: reject }),
  );
}

test('[r10] what damages a document while it is being looked into is set aside as well, and nothing in its place', async () => {
  const slow: { now: boolean; meanwhile?: () => Promise<unknown> } = { now: false };
  await using stage = await slowly(slow);
  await honest(stage.store, [good, BRICK, other]);
  const document = await stage.open();
  // What does not apply is not compacted: the search for it is the first to be done.
  slow.meanwhile = () => append(document, 'eve', BRICK);
  stage.compactor.request(document);
  await stage.compactor.settled();
  expect(stage.said).toEqual(['document:compaction-failed', 'document:quarantined']);
  expect((await stage.store.readQuarantined(ROOM)).map(({ seq, userId }) => [seq, userId])).toEqual([
    [2, 'ada'],
    [4, 'eve'],
  ]);
  const doc = new Y.Doc();
  Y.applyUpdate(doc, (await document.snapshot())!.state);
  expect([doc.getText('text'), doc.getText('notes')].map(String)).toEqual(['good', 'other']);
});

test('[2] what comes in during a compaction is not in the snapshot, and stays in the log however little of that is kept', async () => {
  const slow: { now: boolean; meanwhile?: () => Promise<unknown> } = { now: false };
  await using stage = await slowly(slow, 0);
  await honest(stage.store);
  const document = await stage.open();
  const later = ['a', 'b', 'c'].map((text, index) => typed(20 + index, text, 'end'));
  slow.meanwhile = () => Promise.all(later.map((update) => append(document, 'bob', update)));
  stage.compactor.request(document);
  await stage.compactor.settled();
  expect(await document.snapshot()).toMatchObject({ seq: 2 });
  expect((await stage.store.read(ROOM, { limit: 10 })).map(({ seq }) => seq)).toEqual([3, 4, 5]);
});

test('[r10] a machine that is busy for a minute costs nobody’s work: it is tried again later, with more time', async () => {
  const slow = { now: true };
  await using stage = await slowly(slow);
  await honest(stage.store);
  const document = await stage.open();
  document.places.add(5);
  stage.compactor.request(document);
  await stage.compactor.settled();
  expect(stage.said).toEqual(['document:compaction-failed']);
  stage.compactor.request(document);
  await stage.compactor.settled();
  expect(stage.attempts, 'nobody hurries it').toEqual([1]);
  slow.now = false;
  stage.clock.advance(60_000);
  await stage.compactor.settled();
  expect(stage.attempts).toEqual([1, 6]);
  expect(stage.said.at(-1)).toBe('document:compacted');
  expect(document.places.unvouched, 'six times the time vouches for no place').toBe(5);
  expect(await stage.store.readQuarantined(ROOM)).toEqual([]);
});

test('[r10] a document that took too long and was then compacted has all its patience again', async () => {
  const slow = { now: true };
  await using stage = await slowly(slow);
  await honest(stage.store);
  const document = await stage.open();
  const compacted = () => stage.said.filter((said) => said === 'document:compacted').length;
  for (let busy = 1; busy <= 2; busy++) {
    slow.now = true;
    await append(document, 'ada', typed(20 + busy, 'more', 'end'));
    stage.compactor.request(document);
    await stage.compactor.settled();
    stage.clock.advance(60_000);
    await stage.compactor.settled();
    slow.now = false;
    stage.clock.advance(60_000);
    await stage.compactor.settled();
    expect(compacted()).toBe(busy);
  }
  expect(stage.attempts, 'the second time begins as the first did').toEqual([1, 6, 6, 1, 6, 6]);
  expect(stage.said).not.toContain('document:quarantine-failed');
});

test('[r10] a machine on which not even nothing can be checked in time sets nothing aside', async () => {
  await using stage = await slowly({ now: true });
  await honest(stage.store);
  const document = await stage.open();
  stage.compactor.request(document);
  await stage.compactor.settled();
  for (let attempt = 0; attempt < 2; attempt++) {
    stage.clock.advance(60_000);
    await stage.compactor.settled();
  }
  expect(stage.attempts).toEqual([1, 6, 6]);
  expect(stage.said.at(-1)).toBe('document:quarantine-failed');
  expect(await stage.store.readQuarantined(ROOM)).toEqual([]);
  expect(document.blocked).toBe(false);
  expect(await stage.store.read(ROOM, { limit: 10 })).toHaveLength(2);
});

test('[r10] people go on writing through a quarantine, and who was offline starts over with its own edits kept', async () => {
  const store = await openSqliteStore({ dataDir, clock: createSystemClock() });
  await honest(store, [good, other]);
  await store.close();
  {
    // Under a server that does not compact yet.
    await using ashlar = await startServer({ dataDir });
    await using proxy = await startTcpProxy(ashlar.url);
    const open = (url: string, id: string) => {
      const client = createClient({ url, token: tokenFor(id), transports: ['websocket'], onError: () => {} });
      void client.connect();
      return { client, handle: client.document('plan') };
    };
    const away = open(proxy.url, 'cleo');
    await away.handle.whenSynced;
    proxy.cut();
    await until(away.handle.status, ({ state }) => state === 'offline');
    away.handle.doc.getText('text').insert(4, ' and mine');
    await ashlar.stop();

    const again = await openSqliteStore({ dataDir, clock: createSystemClock() });
    const { fence, head } = await again.open(ROOM);
    const damage: NewRecord[] = [recordOf('eve', BRICK), recordOf('ada', built)];
    const clocks = [
      { clientId: 9, userId: 'eve', clock: 1 },
      { clientId: 3, userId: 'ada', clock: 14 },
    ];
    await again.append({ appends: [{ room: ROOM, fence, expectedHead: head, records: damage, clocks }] });
    await again.close();

    await using later = await startServer({ dataDir, compactAfterRecords: head + 3 });
    const writer = open(later.url, 'dan');
    const reset = new Promise<ResetEvent>((resolve) => writer.handle.on('reset', resolve));
    const raw = new FrameClient(await later.connect(tokenFor('bob')), 'plan', 21);
    await raw.join({ epoch: again.epoch, seq: head + 2 });
    raw.update(1, typed(21, 'last', 'end'));
    await raw.frame('reset');
    await Promise.race([reset, writer.handle.whenSynced]);
    await until(writer.handle.status, ({ state }) => state === 'synced');
    writer.handle.doc.getText('end').insert(0, 'and the ');
    await writer.handle.whenSaved();

    const restored = new Promise<ResetEvent>((resolve) => away.handle.on('reset', resolve));
    proxy.target(later.url);
    proxy.mend();
    // To a client that was away it is another document: nothing of the old one comes back by itself, and its own unsaved edits stay readable.
    const { reason, unsaved } = await restored;
    expect(reason).toBe('replaced');
    const kept = new Y.Doc();
    for (const update of [good, unsaved as Uint8Array]) Y.applyUpdate(kept, update);
    expect(kept.getText('text').toString()).toBe('good and mine');
    await until(away.handle.status, ({ state }) => state === 'synced');
    expect(away.handle.doc.getText('end').toString()).toBe('and the last');
    const copy = await later.realtime.documents.read('plan');
    expect(copy.getText('text').toString()).toBe('good');
    expect(copy.getText('end').toString()).toBe('and the last');
    expect(copy.getText('x').toString(), 'nothing of what was set aside').toBe('');
    for (const { client, handle } of [away, writer]) {
      handle.destroy();
      client.disconnect();
    }
  }
});
