import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { FrameClient } from '../support/frame-client.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

function insertion(clientId: number, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('t').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

test('an update reaches the other member as one committed frame, and its sender as a counter', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  const bob = new FrameClient(await server.connect(tokenFor('bob')), 'a', 2);
  for (const client of [ada, bob]) {
    expect(await client.join()).toMatchObject({ success: true, recovered: false, reason: 'new', saved: 0, access: 'write' });
    client.sync();
    await client.frame('state');
  }
  ada.update(1, insertion(1, 'hello'));
  expect(await ada.frame('committed')).toMatchObject({ entries: [{ seq: 1, counter: 1 }] });
  const { entries } = await bob.frame('committed');
  const doc = new Y.Doc();
  for (const entry of entries) if ('update' in entry) Y.applyUpdate(doc, entry.update);
  expect(doc.getText('t').toString()).toBe('hello');
});

test('[2] a position is good for what came after it; a position of another log is told so', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  ada.update(1, insertion(1, 'one'));
  const { epoch } = await ada.frame('committed');
  const bob = new FrameClient(await server.connect(tokenFor('bob')), 'a', 2);
  expect(await bob.join({ epoch, seq: 0 })).toMatchObject({ recovered: true, head: 1 });
  expect(await bob.frame('committed')).toMatchObject({ entries: [{ seq: 1 }] });
  const eve = new FrameClient(await server.connect(tokenFor('eve')), 'a', 3);
  expect(await eve.join({ epoch: 'another', seq: 1 })).toMatchObject({ recovered: false, reason: 'epoch' });
  expect(await eve.join({ epoch, seq: 9 })).toMatchObject({ recovered: false, reason: 'epoch' });
});

test('a session resumes with its secret, is told what is saved, and its repeats are acked without a second record', async () => {
  await using server = await startServer();
  const first = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await first.join();
  first.sync();
  first.update(1, insertion(1, 'one'));
  await first.frame('committed');
  const again = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  expect(await again.join()).toMatchObject({ success: true, saved: 1 });
  again.update(1, insertion(1, 'one'));
  expect(await again.frame('saved')).toMatchObject({ counter: 1 });
  const thief = new FrameClient(await server.connect(tokenFor('eve')), 'a', 1, 'another-secret-of-thirty-two-chars');
  expect(await thief.join()).toMatchObject({ success: false, error: { code: 'foreign-client-id' } });
  expect(server.realtime.getStats().rooms).toMatchObject({ 'doc:a': 1 });
});

test('a reader is refused by name, and its awareness carries the name of its token', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  const reader = new FrameClient(await server.connect(tokenFor('eve', { name: 'Eve', access: { 'doc:*': 'read' } })), 'a', 2);
  for (const client of [ada, reader]) {
    await client.join();
    client.sync();
    await client.frame('state');
  }
  reader.update(1, insertion(2, 'graffiti'));
  expect(await reader.frame('refused')).toMatchObject({ counter: 1, code: 'read-only' });
  const state = JSON.stringify({ user: { id: 'ada', name: 'Ada' }, pointer: 3 });
  reader.send({ type: 'awareness', update: Uint8Array.from([1, 2, 1, state.length, ...new TextEncoder().encode(state)]) });
  const { update } = await ada.frame('awareness');
  expect(new TextDecoder().decode(update)).toContain('"user":{"id":"eve","name":"Eve"');
});

test('a document survives a restart, and is compacted without anyone noticing', async () => {
  await using server = await startServer({ compactAfterRecords: 20 });
  const doc = new Y.Doc();
  doc.clientID = 1;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  for (let index = 0; index < 100; index++) doc.getText('t').insert(index, 'x');
  for (const [index, update] of updates.entries()) ada.update(index + 1, update);
  await ada.frame('committed', (frame) => frame.entries.some((entry) => entry.seq === 100));
  await server.stop();
  await using restarted = await startServer({ dataDir: server.dataDir });
  const copy = await restarted.realtime.documents.read('a');
  expect(copy.getText('t').toString()).toBe('x'.repeat(100));
  expect(await restarted.realtime.documents.list()).toEqual(['a']);
});

test('the chunks of a state come in order, one for each pull, whatever else is asked for', async () => {
  await using server = await startServer({ limits: { frameBytes: 1_000, updateBytes: 1_000_000 }, compactAfterRecords: 1 });
  const { documents } = server.realtime;
  await documents.transact('large', (doc) => doc.getText('t').insert(0, 'x'.repeat(3_500)));
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'large', 1);
  await ada.join();
  const chunks = () => ada.received.filter((frame) => frame.type === 'state');
  await vi.waitFor(async () => {
    ada.received.length = 0;
    await ada.join();
    ada.sync();
    expect((await ada.frame('state')).count).toBe(4);
  });
  const { transfer } = await ada.frame('state');
  for (const index of [3, 0, 2]) ada.send({ type: 'pull', transfer, index });
  ada.send({ type: 'pull', transfer: transfer + 1, index: 1 });
  for (const index of [1, 1, 2, 3]) ada.send({ type: 'pull', transfer, index });
  await ada.frame('state', ({ index }) => index === 3);
  expect(chunks().map(({ index }) => index)).toEqual([0, 1, 2, 3]);
});

test('a document whose deletion could not be stored is there as before', async () => {
  const store = openMemoryStore();
  await using server = await startServer({ store });
  const { documents } = server.realtime;
  await documents.transact('a', (doc) => doc.getText('t').insert(0, 'kept'));
  store.failNextAppend(new AshlarError('storage-unavailable'));
  await expect(documents.delete('a')).rejects.toMatchObject({ code: 'storage-unavailable' });
  await vi.waitFor(() => documents.transact('a', (doc) => doc.getText('t').insert(4, '.')));
  const doc = await documents.read('a');
  expect(doc.getText('t').toString()).toBe('kept.');
  doc.destroy();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  expect(await ada.join()).toMatchObject({ success: true });
});

test('a document that was created again has nothing under the client ids of its former life', async () => {
  await using server = await startServer();
  const { documents } = server.realtime;
  const clientIds = async () => {
    await documents.create('a', (doc) => doc.getText('t').insert(0, 'seed'));
    const doc = await documents.read('a');
    const ids = [...doc.store.clients.keys()];
    doc.destroy();
    await documents.delete('a');
    return ids;
  };
  const [former, next] = [await clientIds(), await clientIds()];
  expect([former.length, next.length]).toEqual([1, 1]);
  expect(next).not.toEqual(former);
});

test('a document whose seed throws was not created: nothing of it is stored or listed, and the next seed finds it empty', async () => {
  const store = openMemoryStore();
  await using server = await startServer({ store });
  const { documents } = server.realtime;
  const half = (doc: Y.Doc) => {
    doc.getText('t').insert(0, 'half');
    throw new Error('no template');
  };
  const attempts: readonly (readonly [seed: (doc: Y.Doc) => void, expected: object])[] = [
    [half, { message: 'no template' }],
    [async (doc) => doc.getText('t').insert(0, 'later'), { code: 'invalid-options' }],
  ];
  for (const [seed, expected] of attempts) {
    await expect(documents.create('a', seed)).rejects.toMatchObject(expected);
    expect(await documents.list()).toEqual([]);
    expect(await store.read(parseRoomName('doc:a'), { limit: 1 })).toEqual([]);
  }
  const commits = vi.spyOn(store, 'append');
  expect(await documents.create('a', (doc) => doc.getText('t').insert(0, 'whole'))).toEqual({ created: true });
  const appends = commits.mock.calls.flatMap(([{ appends: each }]) => each).filter(({ room }) => room === 'doc:a');
  expect(appends, 'created and seeded in one commit: no crash leaves an empty one').toEqual([
    expect.objectContaining({ lifecycle: expect.objectContaining({ change: 'created' }), records: [expect.anything()] }),
  ]);
  const doc = await documents.read('a');
  expect([doc.getText('t').toString(), [...Y.decodeStateVector(Y.encodeStateVector(doc)).values()]]).toEqual(['whole', [5]]);
  doc.destroy();
});

test('a deleted document whose seed throws stays gone; one that is seeded again can be edited on', async () => {
  await using server = await startServer();
  const { documents } = server.realtime;
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await documents.create('a', (doc) => doc.getText('t').insert(0, 'first life'));
  await documents.delete('a');
  const seed = (doc: Y.Doc) => {
    doc.getText('t').insert(0, 'half');
    throw new Error('no template');
  };
  await expect(documents.create('a', seed)).rejects.toThrow('no template');
  expect(await documents.list()).toEqual([]);
  expect(await ada.join()).toMatchObject({ error: { code: 'gone' } });
  await documents.create('a', (doc) => doc.getText('t').insert(0, 'second life'));
  await documents.transact('a', (doc) => doc.getText('t').insert(11, '.'));
  expect(await ada.join()).toMatchObject({ success: true });
  ada.sync();
  await ada.frame('committed', ({ entries }) => entries.length === 2);
  const doc = await documents.read('a');
  expect(doc.getText('t').toString()).toBe('second life.');
  doc.destroy();
});

test('a document whose creation could not be stored is not there, and its seed goes in with the next try', async () => {
  const store = openMemoryStore();
  await using server = await startServer({ store });
  const { documents } = server.realtime;
  const seed = (doc: Y.Doc) => doc.getText('t').insert(0, 'seed');
  store.failNextAppend(new AshlarError('storage-unavailable'));
  await expect(documents.create('a', seed)).rejects.toMatchObject({ code: 'storage-unavailable' });
  expect(await documents.list()).toEqual([]);
  expect(await vi.waitFor(() => documents.create('a', seed))).toEqual({ created: true });
  const doc = await documents.read('a');
  expect(doc.getText('t').toString()).toBe('seed');
  doc.destroy();
});

test('server-side edits, seeds and deletion reach members', async () => {
  await using server = await startServer();
  const { documents } = server.realtime;
  expect(await documents.create('a', (doc) => doc.getText('t').insert(0, 'seed '))).toEqual({ created: true });
  expect(await documents.create('a', (doc) => doc.getText('t').insert(0, 'seed '))).toEqual({ created: false });
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  const { incarnation } = await ada.join();
  ada.sync();
  await ada.frame('committed');
  const length = await documents.transact('a', (doc) => {
    doc.getText('t').insert(5, 'more');
    return doc.getText('t').length;
  });
  expect(length).toBe(9);
  await ada.frame('committed', (frame) => frame.entries.some((entry) => entry.seq === 2));
  await documents.delete('a');
  expect(await ada.frame('reset')).toMatchObject({ reason: 'gone' });
  expect(await ada.join()).toMatchObject({ error: { code: 'gone' } });
  expect(await documents.list()).toEqual([]);
  await documents.create('a');
  const joined = await ada.join();
  expect(joined.success).toBe(true);
  expect(joined.incarnation).not.toBe(incarnation);
});
