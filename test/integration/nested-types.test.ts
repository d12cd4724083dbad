import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { NewRecord } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import type { ServerFrame } from '../../shared/document-frame.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { FrameClient } from '../support/frame-client.ts';
import { BRICK } from '../support/hostile-updates.ts';
import { chainDeleted, chained, clocksPerType, type Nesting } from '../support/nested-types.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';

const EVE = 4_000;

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ashlar-nested-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** A client that is live in the document. */
async function opened(server: TestServer, userId: string, clientId: number): Promise<FrameClient> {
  const client = new FrameClient(await server.connect(tokenFor(userId)), 'plan', clientId);
  await client.join();
  client.sync();
  await client.frame('state');
  return client;
}

function written(clientId: number, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/** Sends an update and says what became of it. */
async function answer(client: FrameClient, counter: number, update: Uint8Array): Promise<string> {
  client.received.splice(0);
  client.update(counter, update);
  const told = await Promise.race([
    client.frame('refused', (frame) => frame.counter === counter),
    client.frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === counter)),
  ]);
  return told.type === 'refused' ? told.code : told.type;
}

/** What a member has who applies each frame as it comes. */
function memberText(received: readonly ServerFrame[]): string {
  const doc = new Y.Doc();
  for (const frame of received) {
    if (frame.type !== 'committed') continue;
    for (const entry of frame.entries) if ('update' in entry && entry.update !== undefined) Y.applyUpdate(doc, entry.update);
  }
  return doc.getText('text').toString();
}

async function textOf(server: TestServer): Promise<string> {
  const doc = await server.realtime.documents.read('plan');
  const text = doc.getText('text').toString();
  doc.destroy();
  return text;
}

test('[5] one update of 10,000 types in each other, each behind a letter, with the delete that would end every reader’s stack, is refused', async () => {
  await using server = await startServer();
  const ada = await opened(server, 'ada', 1);
  expect(await answer(ada, 1, written(1, 'mine'))).toBe('committed');
  const eve = await opened(server, 'eve', EVE);
  const update = chained(10_000, { deleted: true });
  expect(() => Y.applyUpdate(new Y.Doc(), update)).toThrow();
  expect(await answer(eve, 1, update)).toBe('invalid-update');
  expect(await textOf(server)).toBe('mine');
});

test.each(['by parent', 'by origin'] as const)(
  '[5] types that are put into each other %s over many updates end at 1,024 levels: whoever deletes them hurts nobody',
  {
    timeout: 60_000,
  },
  async (nesting: Nesting) => {
    await using server = await startServer({ compactAfterRecords: 1_000_000 });
    const ada = await opened(server, 'ada', 1);
    const eve = await opened(server, 'eve', EVE);
    const perType = clocksPerType(nesting);
    let depth = 0;
    let counter = 1;
    const sent: string[] = [];
    for (let go = 0; go < 12; go++) {
      const start = depth === 0 ? 0 : depth * perType - (perType - 1);
      const said = await answer(eve, counter, chained(100, { nesting, start }));
      sent.push(said);
      if (said !== 'committed') continue;
      depth += 100;
      counter += 1;
    }
    expect(sent).toEqual([...Array<string>(10).fill('committed'), 'invalid-update', 'invalid-update']);
    expect(await answer(eve, counter, written(EVE + 1, 'foreign')), 'and other rules hold').toBe('foreign-client-id');
    expect(await answer(eve, counter, chainDeleted())).toBe('committed');
    ada.update(1, written(1, 'mine'));
    await ada.frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === 1));
    memberText(ada.received);
    const late = await opened(server, 'bob', 2);
    await late.frame('committed', ({ entries }) => entries.length > 0);
    expect(memberText(late.received)).toBe('mine');
    expect(await textOf(server)).toBe('mine');
  },
);

/** A log as it may have come from before there were rules: its second record harms whoever reads it. */
async function fill(harm: Uint8Array, clientId: number, clock: number): Promise<void> {
  const store = await openSqliteStore({ dataDir, clock: createSystemClock() });
  const room = parseRoomName('doc:plan');
  const { fence } = await store.open(room);
  const records = [written(1, 'mine'), harm].map(
    (payload): NewRecord => ({
      at: 1,
      userId: 'eve',
      kind: 'doc:update',
      payload,
      version: 1,
      id: null,
      session: null,
      counter: 0,
    }),
  );
  const clocks = [
    { clientId: 1, userId: 'eve', clock: 4 },
    { clientId, userId: 'eve', clock },
  ];
  await store.append({ appends: [{ room, fence, expectedHead: 0, records, clocks }] });
  await store.close();
}

test.each([
  ['deleted', true],
  ['to be deleted', false],
])(
  '[r10] a log of an earlier process in which 10,000 types are nested, and %s, heals when somebody joins',
  async (_, deleted) => {
    await fill(chained(10_000, { deleted }), EVE, 19_999);
    await using server = await startServer({ dataDir });
    const healed = new Promise((resolve) => server.realtime.on('document:quarantined', resolve));
    const ada = new FrameClient(await server.connect(tokenFor('ada')), 'plan', 9);
    await ada.join();
    expect((await ada.frame('reset')).reason).toBe('quarantined');
    expect(await healed).toMatchObject({ name: 'plan', seqs: [2] });
    expect(await textOf(server)).toBe('mine');
  },
);

test('[r10] a document that the backend cannot read is looked into at once', async () => {
  await fill(BRICK, 9, 1);
  await using server = await startServer({ dataDir });
  const healed = new Promise((resolve) => server.realtime.on('document:quarantined', resolve));
  await expect(server.realtime.documents.read('plan')).rejects.toMatchObject({ code: 'document-damaged' });
  expect(await healed).toMatchObject({ name: 'plan', seqs: [2] });
  await server.realtime.documents.transact('plan', (doc) => doc.getText('text').insert(4, '!'));
  expect(await textOf(server)).toBe('mine!');
});
