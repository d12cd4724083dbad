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
import { until, when } from '../support/sdk.ts';
import { tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ROUNDS = 6;
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
const cases = [
  ...LOSSES.flatMap((loss) => AGES.map((age) => [loss, age, 2] as const)),
  ...LOSSES.map((loss, index) => [loss, AGES[index % 2] ?? AGES[0], 3] as const),
];

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
