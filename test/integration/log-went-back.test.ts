import { cp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { createClient, type DocumentHandle } from '../../client/index.ts';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import { UNCLAIMED } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { startChildServer } from '../support/child-server.ts';
import { FrameClient } from '../support/frame-client.ts';
import { putBack } from '../support/put-back.ts';
import { until, when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ROUNDS = 12;
const room = parseRoomName('doc:plan');

/** A server in a process of its own behind an address that stays, and who edits there. */
async function start() {
  const server = await startChildServer();
  const proxy = await startTcpProxy(server.url);
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const edit = async (user: string) => {
    const client = createClient({ url: proxy.url, token: tokenFor(user, { access: { '*': 'write' }, name: user }) });
    onTestFinished(() => client.disconnect());
    void client.connect();
    const handle = client.document('plan');
    const told: string[] = [];
    handle.on('reset', ({ reason }) => told.push(`reset ${reason}`));
    handle.on('error', ({ code }) => told.push(`error ${code}`));
    await handle.whenSynced;
    return { user, client, handle, told };
  };
  const begin = async () => {
    await server.restart();
    proxy.target(server.url);
  };
  const inFolder = (name: string) => join(server.dataDir, name);
  return { server, proxy, edit, begin, inFolder };
}

type Editor = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['edit']>>;

const listOf = ({ doc }: DocumentHandle) => doc.getArray<string>('list');

/** Everybody adds something behind what the others added, and takes something out, until all of it is told saved and seen. */
async function write(editors: readonly Editor[], part: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const { user, handle } of editors) {
      const list = listOf(handle);
      list.push([`${part}-${user}-${round}`, 'for a moment']);
      list.delete(list.length - 1, 1);
      await handle.whenSaved();
      const state = Y.encodeStateVector(handle.doc);
      for (const other of editors) await has(other.handle, state);
    }
  }
}

/** Resolves once a document has all that a state vector has. */
function has({ doc }: DocumentHandle, state: Uint8Array): Promise<void> {
  const wanted = Y.decodeStateVector(state);
  const ready = () => [...wanted].every(([client, clock]) => Y.getState(doc.store, client) >= clock);
  return when((listener) => {
    doc.on('update', listener);
    return () => doc.off('update', listener);
  }, ready);
}

/** Whose the log says each client id to be. */
async function ownersIn(dataDir: string): Promise<Map<number, string | null>> {
  const store = await openSqliteStore({ dataDir, clock: createSystemClock() });
  try {
    return new Map((await store.open(room)).clocks.map(({ clientId, userId }) => [clientId, userId]));
  } finally {
    await store.close();
  }
}

const LOSSES = ['the WAL cut', 'the WAL deleted', 'an old copy of the whole folder put back'] as const;
const AGES = ['at once', 'after the witness was written'] as const;
const cases = LOSSES.flatMap((loss) => AGES.flatMap((age) => [2, 3].map((count) => [loss, age, count] as const)));

test.each(cases)(
  '[2] %s, %s: %i editors bring back all that the log lost, each id stays its owner’s',
  async (loss, age, count) => {
    const { server, proxy, edit, begin, inFolder } = await start();
    const editors = await Promise.all(['anna', 'ben', 'carl'].slice(0, count).map(edit));
    await write(editors, 'first');
    const [copy, wal, witness] = [`${server.dataDir}-copy`, inFolder('ashlar.db-wal'), inFolder('ashlar.witness')];
    onTestFinished(() => rm(copy, { recursive: true, force: true }));
    if (loss.startsWith('an old copy')) {
      await server.kill('SIGTERM');
      await cp(server.dataDir, copy, { recursive: true });
      await begin();
      for (const { handle } of editors) await until(handle.status, ({ state }) => state === 'synced');
    }
    const before = await readFile(witness);
    await write(editors, 'second');
    if (age === AGES[1]) await expect.poll(() => readFile(witness), { timeout: 5_000 }).not.toEqual(before);
    const written = listOf(editors[0]!.handle).toArray();
    expect(written).toHaveLength(2 * ROUNDS * count);

    proxy.cut();
    await server.kill('SIGKILL');
    // Whether a second had passed since it was written.
    if (age === AGES[0]) await writeFile(witness, before);
    if (loss === 'the WAL cut') await truncate(wal, Math.floor((await stat(wal)).size * 0.6));
    else if (loss === 'the WAL deleted') await rm(wal);
    else {
      await rm(server.dataDir, { recursive: true });
      await cp(copy, server.dataDir, { recursive: true });
    }
    await begin();
    proxy.mend();

    const newcomer = await edit('newcomer');
    for (const { handle } of editors) {
      await until(handle.status, ({ state }) => state === 'synced');
      await handle.whenSaved();
      await has(newcomer.handle, Y.encodeStateVector(handle.doc));
    }
    await write([...editors, newcomer], 'third');
    for (const { handle, told } of [...editors, newcomer]) {
      expect(listOf(handle).toArray().slice(0, written.length)).toEqual(written);
      expect(listOf(handle)).toHaveLength(written.length + ROUNDS * (count + 1));
      expect([handle.unsaved, handle.unsavedChanges.get(), told]).toEqual([null, 0, []]);
    }
    await server.kill('SIGTERM');
    const owners = await ownersIn(server.dataDir);
    for (const { user, handle } of editors) expect([user, owners.get(handle.doc.clientID)]).toEqual([user, user]);
  },
  60_000,
);

test('[4] what somebody wrote who is away is brought back by whoever has it, and belongs to nobody until its author comes', async () => {
  const { server, proxy, edit, begin, inFolder } = await start();
  const [anna, ben] = [await edit('anna'), await edit('ben')];
  await write([anna, ben], 'first');
  const benId = ben.handle.doc.clientID;
  ben.client.disconnect();
  const written = listOf(anna.handle).toArray();
  proxy.cut();
  await server.kill('SIGKILL');
  await rm(inFolder('ashlar.db-wal'));
  await begin();
  proxy.mend();
  const newcomer = await edit('newcomer');
  await until(anna.handle.status, ({ state }) => state === 'synced');
  await anna.handle.whenSaved();
  await has(newcomer.handle, Y.encodeStateVector(anna.handle.doc));
  expect(listOf(newcomer.handle).toArray()).toEqual(written);
  expect(anna.told).toEqual([]);
  await server.kill('SIGTERM');
  const owners = await ownersIn(server.dataDir);
  expect([owners.get(anna.handle.doc.clientID), owners.get(benId)]).toEqual(['anna', UNCLAIMED]);
});

/** What a client id writes behind what it wrote before. */
function written(clientId: number, ...texts: readonly string[]): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const known: Uint8Array[] = [];
  for (const text of texts) {
    known.push(Y.encodeStateVector(doc));
    doc.getText('t').insert(doc.getText('t').length, text);
  }
  return Y.encodeStateAsUpdate(doc, known.at(-1));
}

/** Sends an update, and tells what becomes of it. */
async function tried(client: FrameClient, counter: number, update: Uint8Array, full: boolean): Promise<string> {
  client.update(counter, update, full);
  return Promise.race([
    client.frame('refused', (frame) => frame.counter === counter).then(({ code }) => code),
    client
      .frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === counter))
      .then(() => 'taken'),
  ]);
}

test('[4] a position that was never given out opens nothing: neither further on, nor of another epoch, another place or another document', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  ada.update(1, written(1, 'one'));
  const { epoch } = await ada.frame('committed');
  const elsewhere = new FrameClient(await server.connect(tokenFor('eve')), 'b', 3);
  await elsewhere.join();
  elsewhere.sync();
  for (const counter of [1, 2, 3]) elsewhere.update(counter, written(3, ...'xyz'.slice(0, counter)));
  const { epoch: ofAnother } = await elsewhere.frame('committed', ({ entries }) => entries.at(-1)?.seq === 3);
  const [plain] = epoch.split('.');
  const claims = [
    { epoch, seq: 2 },
    { epoch: plain, seq: 2 },
    { epoch: 'another', seq: 1 },
    { epoch: `another.${epoch.split('.')[1]}`, seq: 1 },
    { epoch: ofAnother, seq: 3 },
    { epoch: `${plain}.`, seq: 2 },
  ];
  for (const [index, claim] of claims.entries()) {
    const eve = new FrameClient(await server.connect(tokenFor('eve')), 'a', 10 + index);
    expect(await eve.join(claim)).toMatchObject({ recovered: false, reason: 'epoch' });
    eve.sync();
    expect([claim, await tried(eve, 1, written(1, 'one', ' more'), true)]).toEqual([claim, 'foreign-client-id']);
  }
});

test('[4] after a log went back others’ content comes in a full step alone, and no more of an id once its own session has brought it', async () => {
  await using first = await startServer();
  const ada = new FrameClient(await first.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  ada.update(1, written(1, 'one'));
  await ada.frame('committed');
  await using copy = await putBack(first);
  await using second = await startServer({ dataDir: copy.dataDir });
  const again = new FrameClient(await second.connect(tokenFor('ada')), 'a', 1);
  await again.join();
  again.sync();
  again.update(2, written(1, 'one', ' two'));
  const { epoch } = await again.frame('committed', ({ entries }) => entries.at(-1)?.seq === 2);
  await copy.again(second);
  await using third = await startServer({ dataDir: copy.dataDir });

  const eve = new FrameClient(await third.connect(tokenFor('eve')), 'a', 2);
  expect(await eve.join({ epoch, seq: 2 })).toMatchObject({ recovered: false, reason: 'epoch', head: 1 });
  eve.sync();
  expect(await tried(eve, 1, written(1, 'one', ' two'), false)).toBe('foreign-client-id');
  const last = new FrameClient(await third.connect(tokenFor('ada')), 'a', 1);
  await last.join({ epoch, seq: 2 });
  last.sync();
  expect(await tried(last, 2, written(1, 'one', ' two'), true)).toBe('taken');
  const another = new FrameClient(await third.connect(tokenFor('eve')), 'a', 3);
  await another.join({ epoch, seq: 2 });
  another.sync();
  expect(await tried(another, 1, written(1, 'one', ' two', ' three'), true)).toBe('foreign-client-id');
});

test('edits that the server does not take back after all are told, counted and kept, and nothing calls them saved', async () => {
  await using first = await startServer();
  await using proxy = await startTcpProxy(first.url);
  await using copy = await putBack(first, { withoutKey: true });
  await using second = await startServer({ dataDir: copy.dataDir });
  proxy.target(second.url);
  const edit = async (user: string) => {
    const client = createClient({ url: proxy.url, token: tokenFor(user, { name: user }), onError: () => {} });
    onTestFinished(() => client.disconnect());
    void client.connect();
    const handle = client.document('plan');
    await handle.whenSynced;
    return { user, client, handle, told: [] };
  };
  const [anna, ben] = [await edit('anna'), await edit('ben')];
  await write([anna, ben], 'first');
  const everything = listOf(anna.handle).toArray();
  const told: string[] = [];
  const resets: (Uint8Array | null)[] = [];
  anna.handle.on('saved', () => told.push('saved'));
  anna.handle.on('reset', ({ reason, unsaved, restoring }) => {
    told.push(`reset ${reason} ${restoring}`);
    if (!restoring) resets.push(unsaved);
  });
  proxy.cut();
  await copy.again(second);
  await using third = await startServer({ dataDir: copy.dataDir });
  proxy.target(third.url);
  ben.client.disconnect();
  const failed = new Promise<void>((resolve) => {
    anna.handle.on('reset', ({ restoring }) => !restoring && resolve());
  });
  proxy.mend();
  await failed;
  expect(told).toEqual(['reset foreign-client-id true', 'reset foreign-client-id false']);
  expect(anna.handle.unsavedChanges.get()).toBeGreaterThan(0);
  await expect(anna.handle.whenSaved()).rejects.toMatchObject({ code: 'invalid-update' });
  const bytes = anna.handle.unsaved;
  expect(resets).toEqual([bytes]);
  const kept = new Y.Doc();
  Y.applyUpdate(kept, bytes ?? new Uint8Array());
  expect(kept.getArray('list').toArray()).toEqual(everything);

  anna.handle.forgetUnsaved();
  expect([anna.handle.unsaved, anna.handle.unsavedChanges.get()]).toEqual([null, 0]);
  listOf(anna.handle).push(['from here on']);
  await anna.handle.whenSaved();
  expect(told.slice(2)).toEqual(['saved']);
});
