import { expect, test } from 'vitest';
import * as Y from 'yjs';
import {
  type ClientOptions,
  createClient,
  type DocumentHandle,
  platformEnvironment,
  type ResetEvent,
} from '../../client/index.ts';
import type { AccessClaim } from '../../shared/access.ts';
import { until, when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

function clientOf(url: string, user: string, access: AccessClaim = { '*': 'write' }, options: Partial<ClientOptions> = {}) {
  const client = createClient({ url, token: tokenFor(user, { access, name: user }), onError: () => {}, ...options });
  void client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}

const textOf = (handle: DocumentHandle) => handle.doc.getText('text');

/** Resolves once a document's text is as given. */
function sees(handle: DocumentHandle, text: string): Promise<void> {
  const { doc } = handle;
  return when(
    (listener) => {
      doc.on('update', listener);
      return () => doc.off('update', listener);
    },
    () => doc.getText('text').toString() === text,
  );
}

const nextReset = (handle: DocumentHandle) => new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));

test('[1] two people write one document; what is told saved is there after a restart', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const mine = ada.document('handbook');
  const theirs = bob.document('handbook');
  expect(mine.access.get()).toBeNull();
  // Editable at once; the edits wait for the first sync.
  textOf(mine).insert(0, 'stone');
  expect(mine.unsavedChanges.get()).toBe(1);
  await Promise.all([mine.whenSynced, theirs.whenSynced]);
  expect(mine.access.get()).toBe('write');
  const counts: number[] = [];
  theirs.unsavedChanges.subscribe((count) => counts.push(count));
  await sees(theirs, 'stone');
  // What came from the server is nothing to save.
  expect(counts).toEqual([]);
  textOf(theirs).insert(5, 'mason');
  await theirs.whenSaved();
  expect(theirs.unsavedChanges.get()).toBe(0);
  await sees(mine, 'stonemason');
  await server.stop();
  await using again = await startServer({ dataDir: server.dataDir });
  using carl = clientOf(again.url, 'carl');
  const fresh = carl.document('handbook');
  await fresh.whenSynced;
  expect(textOf(fresh).toString()).toBe('stonemason');
});

test('[2] edits on both sides of a cut meet afterwards, each once', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const mine = ada.document('handbook');
  const theirs = bob.document('handbook');
  await Promise.all([mine.whenSynced, theirs.whenSynced]);
  const synced: boolean[] = [];
  mine.on('sync', (state) => synced.push(state));
  for (let index = 0; index < 20; index++) mine.doc.getArray('list').push([`a${index}`]);
  proxy.cut();
  await until(mine.status, ({ state }) => state === 'offline');
  for (let index = 20; index < 200; index++) mine.doc.getArray('list').push([`a${index}`]);
  for (let index = 0; index < 200; index++) theirs.doc.getArray('list').push([`b${index}`]);
  await theirs.whenSaved();
  expect(mine.unsavedChanges.get()).toBeGreaterThanOrEqual(180);
  proxy.mend();
  await mine.whenSaved();
  await mine.whenSynced;
  await when(
    (listener) => {
      theirs.doc.on('update', listener);
      return () => theirs.doc.off('update', listener);
    },
    () => theirs.doc.getArray('list').length >= 400,
  );
  const list = mine.doc.getArray<string>('list').toArray();
  expect(new Set(list).size).toBe(400);
  expect(list).toHaveLength(400);
  expect(theirs.doc.getArray('list').toArray()).toEqual(list);
  expect(synced).toEqual([false, true]);
});

test('presence: names come from the token, cursors arrive, and a cut leaves no ghost', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const mine = ada.document('handbook');
  const theirs = bob.document('handbook');
  await Promise.all([mine.whenSynced, theirs.whenSynced]);
  mine.awareness.setLocalStateField('pointer', { x: 1 });
  mine.awareness.setLocalStateField('user', { name: 'the king' });
  const shown = () =>
    theirs.awareness.getStates().get(mine.doc.clientID) as { pointer?: unknown; user: { name: string } } | undefined;
  const onChange = (listener: () => void) => {
    theirs.awareness.on('change', listener);
    return () => theirs.awareness.off('change', listener);
  };
  await when(onChange, () => shown()?.pointer !== undefined);
  expect(shown()?.user).toMatchObject({ id: 'ada', name: 'ada' });
  proxy.cut();
  await when(onChange, () => shown() === undefined);
  await until(mine.status, ({ state }) => state === 'offline');
  expect([...mine.awareness.getStates().keys()]).toEqual([mine.doc.clientID]);
  proxy.mend();
  await when(onChange, () => shown()?.pointer !== undefined);
  expect(mine.awareness.getStates().get(theirs.doc.clientID)).toMatchObject({ user: { id: 'bob' } });
});

test('two handles share one document, and the last one out leaves', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const one = ada.document('handbook');
  const two = ada.document('handbook');
  expect(two.doc).toBe(one.doc);
  expect(two.awareness).toBe(one.awareness);
  await two.whenSynced;
  one.destroy();
  textOf(two).insert(0, 'still here');
  await two.whenSaved();
  // Destroyed with an edit under way: it is saved all the same.
  textOf(two).insert(0, 'and ');
  two.destroy();
  using bob = clientOf(server.url, 'bob');
  const theirs = bob.document('handbook');
  await sees(theirs, 'and still here');
});

/** Surroundings in which what is given up stays until the test says so. */
function patient() {
  const platform = platformEnvironment();
  const waiting = new Set<() => void>();
  const after = (ms: number, task: () => void) => {
    if (ms !== 250) return platform.after(ms, task);
    waiting.add(task);
    return () => waiting.delete(task);
  };
  const giveUp = () => {
    for (const task of waiting) task();
    waiting.clear();
  };
  return { environment: { ...platform, after }, giveUp };
}

test('a handle that is destroyed takes the document out of its room where the others want none, with its edits saved', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const { environment, giveUp } = patient();
  using ada = clientOf(proxy.url, 'ada', { '*': 'write' }, { environment });
  const held = ada.document('handbook');
  held.disconnect();
  const shown = ada.document('handbook');
  await shown.whenSynced;
  shown.destroy();
  giveUp();
  expect(held.status.get().state).toBe('offline');
  // One that comes back before that finds it as it was, and stays.
  const again = ada.document('handbook');
  await again.whenSynced;
  again.destroy();
  const back = ada.document('handbook');
  giveUp();
  expect(back.synced).toBe(true);
  // Edits go first.
  proxy.cut();
  await until(back.status, ({ state }) => state === 'offline');
  textOf(back).insert(0, 'stone');
  back.destroy();
  giveUp();
  expect(ada.unsavedDocuments.get()).toEqual([{ name: 'handbook', unsavedChanges: 1 }]);
  proxy.mend();
  await held.whenSaved();
  await until(held.status, ({ state }) => state === 'offline');
  expect(ada.unsavedDocuments.get()).toEqual([]);
});

test('an awareness state that JSON cannot hold stops nothing: it is reported, the document syncs and saves', async () => {
  await using server = await startServer();
  const reported: unknown[] = [];
  let told = () => {};
  const isReported = new Promise<void>((resolve) => {
    told = resolve;
  });
  const onError = (error: unknown, context: string) => {
    reported.push([error instanceof Error, context]);
    told();
  };
  using ada = clientOf(server.url, 'ada', { '*': 'write' }, { onError });
  const mine = ada.document('handbook');
  mine.awareness.setLocalState({ cursor: 1n });
  await mine.whenSynced;
  textOf(mine).insert(0, 'stone');
  await mine.whenSaved();
  await isReported;
  expect(reported[0]).toEqual([true, 'awareness state, not sent']);
});

test('a document that stops has nothing more to save, and is asked about no more', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const mine = ada.document('handbook', { doc: new Y.Doc() });
  await mine.whenSynced;
  textOf(mine).insert(0, 'stone');
  await mine.whenSaved();
  ada.disconnect();
  textOf(mine).insert(0, 'more ');
  expect(ada.unsavedDocuments.get()).toEqual([{ name: 'handbook', unsavedChanges: 1 }]);
  await server.realtime.documents.delete('handbook');
  void ada.connect();
  await until(mine.status, ({ state }) => state === 'stopped');
  expect(ada.unsavedDocuments.get()).toEqual([]);
  expect(mine.unsaved).not.toBeNull();
});

test('a document of 3 MB goes up in parts and comes down in chunks, with progress', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const mine = ada.document('big');
  textOf(mine).insert(0, 'stone '.repeat(500_000));
  await mine.whenSaved();
  const theirs = bob.document('big');
  await theirs.whenSynced;
  expect(textOf(theirs).length).toBe(3_000_000);
});

test('documents work over long-polling as well, large ones too', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada', { '*': 'write' }, { transports: ['polling'] });
  using bob = clientOf(server.url, 'bob', { '*': 'write' }, { transports: ['polling'] });
  const mine = ada.document('big');
  const theirs = bob.document('big');
  textOf(mine).insert(0, 'stone '.repeat(200_000));
  await Promise.all([mine.whenSaved(), sees(theirs, 'stone '.repeat(200_000))]);
  textOf(theirs).insert(0, 'mason ');
  await theirs.whenSaved();
  await sees(mine, `mason ${'stone '.repeat(200_000)}`);
});

test('a caller brings a document with content of its own: the server gets what it lacks, and only that', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'from another life');
  const mine = ada.document('handbook', { doc });
  expect(mine.doc).toBe(doc);
  await mine.whenSynced;
  await mine.whenSaved();
  using bob = clientOf(server.url, 'bob');
  const theirs = bob.document('handbook');
  await theirs.whenSynced;
  expect(textOf(theirs).toString()).toBe('from another life');
  // Opened again from a store, as y-indexeddb does, by the same user, with a deletion that was never sent.
  ada.disconnect();
  const stored = new Y.Doc();
  using again = clientOf(server.url, 'ada');
  const reopened = again.document('handbook', { doc: stored });
  Y.applyUpdate(stored, Y.encodeStateAsUpdate(doc), 'y-indexeddb');
  stored.getText('text').delete(0, 5);
  await reopened.whenSynced;
  await reopened.whenSaved();
  await sees(theirs, 'another life');
});

test('[4] a reader who writes is told why, gets the document back as it is, and keeps the edit as bytes', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  using eve = clientOf(server.url, 'eve', { 'doc:*': 'read' });
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'truth');
  await mine.whenSaved();
  const theirs = eve.document('handbook');
  await theirs.whenSynced;
  expect(theirs.access.get()).toBe('read');
  const errors: string[] = [];
  theirs.on('error', ({ code }) => errors.push(code));
  const before = theirs.doc;
  const reset = nextReset(theirs);
  textOf(theirs).insert(0, 'un');
  const saved = theirs.whenSaved();
  await expect(saved).rejects.toMatchObject({ code: 'read-only' });
  const event = await reset;
  expect(event).toMatchObject({ reason: 'read-only', restoring: false, previous: before });
  expect(theirs.doc).not.toBe(before);
  expect(event.doc).toBe(theirs.doc);
  expect(errors).toContain('read-only');
  await theirs.whenSynced;
  expect(textOf(theirs).toString()).toBe('truth');
  expect(theirs.unsavedChanges.get()).toBe(0);
  // The bytes hold the edit, against the document it was made on.
  const recovered = new Y.Doc();
  Y.applyUpdate(recovered, Y.encodeStateAsUpdate(theirs.doc));
  Y.applyUpdate(recovered, theirs.unsaved ?? new Uint8Array([0, 0]));
  expect(recovered.getText('text').toString()).toBe('untruth');
  expect(textOf(mine).toString()).toBe('truth');
});

test('[4] edits under a client id that belongs to someone else come back under one of our own', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'ada was here');
  await mine.whenSaved();
  const taken = mine.doc.clientID;
  mine.destroy();
  ada.disconnect();
  await using proxy = await startTcpProxy(server.url);
  proxy.cut();
  using bob = clientOf(proxy.url, 'bob');
  // Offline, by chance or by a cloned machine, bob writes under ada's id.
  const theirs = bob.document('handbook');
  theirs.doc.clientID = taken;
  theirs.awareness.clientID = taken;
  textOf(theirs).insert(0, 'bob too, ');
  theirs.doc.getMap('map').set('key', 'value');
  const reset = nextReset(theirs);
  proxy.mend();
  const event = await reset;
  expect(event).toMatchObject({ reason: 'foreign-client-id', restoring: true });
  expect(theirs.doc.clientID).not.toBe(taken);
  await theirs.whenSaved();
  expect(textOf(theirs).toString()).toContain('ada was here');
  expect(textOf(theirs).toString()).toContain('bob too, ');
  expect(theirs.doc.getMap('map').get('key')).toBe('value');
  expect(theirs.unsaved).toBeNull();
  using carl = clientOf(server.url, 'carl');
  const fresh = carl.document('handbook');
  await fresh.whenSynced;
  expect(textOf(fresh).toString()).toBe(textOf(theirs).toString());
});

test('two live documents with one client id: the second takes another, or stops where the caller owns it', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  using other = clientOf(server.url, 'ada');
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'one');
  await mine.whenSaved();
  const doc = new Y.Doc();
  doc.clientID = mine.doc.clientID;
  const empty = other.document('handbook', { doc });
  await empty.whenSynced;
  expect(doc.clientID).not.toBe(mine.doc.clientID);
  expect(empty.awareness.clientID).toBe(doc.clientID);
  textOf(empty).insert(3, ' two');
  await empty.whenSaved();
  await sees(mine, 'one two');
  using third = clientOf(server.url, 'ada');
  const full = new Y.Doc();
  full.clientID = mine.doc.clientID;
  full.getText('text').insert(0, 'clone');
  const clone = third.document('handbook', { doc: full });
  const event = await nextReset(clone);
  expect(event).toMatchObject({ reason: 'id-in-use', restoring: false, doc: full });
  expect(clone.status.get()).toEqual({ state: 'stopped', reason: 'id-in-use' });
  await expect(clone.whenSynced).rejects.toMatchObject({ code: 'id-in-use' });
});

test('a deleted document stops its members with their unsaved bytes; created again, it starts empty', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'old');
  await mine.whenSaved();
  proxy.cut();
  await until(mine.status, ({ state }) => state === 'offline');
  textOf(mine).insert(3, ' and unsaved');
  await server.realtime.documents.delete('handbook');
  const reset = nextReset(mine);
  proxy.mend();
  expect((await reset).reason).toBe('gone');
  expect(mine.status.get()).toEqual({ state: 'stopped', reason: 'gone' });
  expect(mine.unsaved).not.toBeNull();
  expect(textOf(mine).toString()).toBe('old and unsaved');
  await server.realtime.documents.create('handbook');
  mine.connect();
  await mine.whenSynced;
  expect(textOf(mine).toString()).toBe('');
  textOf(mine).insert(0, 'new');
  await mine.whenSaved();
});

test('a document that was deleted and created again meanwhile is not merged with the old content', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'old');
  await mine.whenSaved();
  proxy.cut();
  await until(mine.status, ({ state }) => state === 'offline');
  await server.realtime.documents.delete('handbook');
  await server.realtime.documents.create('handbook', (doc) => doc.getText('text').insert(0, 'seed'));
  const reset = nextReset(mine);
  proxy.mend();
  expect((await reset).reason).toBe('replaced');
  await mine.whenSynced;
  expect(textOf(mine).toString()).toBe('seed');
});

test('access taken and given back: the document stays, and its edits are saved in the end', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const mine = ada.document('handbook');
  textOf(mine).insert(0, 'before');
  await mine.whenSaved();
  const told = new Promise((resolve) => mine.on('access', resolve));
  await server.realtime.revoke('ada', 'doc:handbook');
  expect(await told).toBe('none');
  await until(mine.status, ({ state }) => state === 'refused');
  textOf(mine).insert(6, ' and after');
  expect(mine.unsavedChanges.get()).toBe(1);
  // Told that it may come in again, it comes in by itself.
  await server.realtime.grant('ada', 'doc:handbook', 'write');
  await mine.whenSaved();
  expect(await server.realtime.documents.read('handbook').then((doc) => doc.getText('text').toString())).toBe('before and after');
});

test('a client whose old connection the server still takes for alive resumes its session, and loses nothing', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = clientOf(proxy.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const mine = ada.document('handbook');
  const theirs = bob.document('handbook');
  await Promise.all([mine.whenSynced, theirs.whenSynced]);
  const { doc } = mine;
  const id = doc.clientID;
  textOf(mine).insert(0, 'one');
  proxy.vanish();
  textOf(mine).insert(3, ' two');
  await until(mine.status, ({ state }) => state === 'offline');
  theirs.doc.getMap('map').set('zero', true);
  await Promise.all([mine.whenSaved(), theirs.whenSaved()]);
  await Promise.all([mine.whenSynced, sees(theirs, 'one two')]);
  expect(textOf(mine).toString()).toBe('one two');
  await when(
    (listener) => {
      doc.on('update', listener);
      return () => doc.off('update', listener);
    },
    () => doc.getMap('map').has('zero'),
  );
  expect(mine.doc).toBe(doc);
  expect(doc.clientID).toBe(id);
});

test('edits that are refused after their last handle has gone count until somebody has looked at them', async () => {
  await using server = await startServer();
  const reported: unknown[] = [];
  using ada = clientOf(server.url, 'ada', { '*': 'write' }, { onError: (error) => reported.push(error) });
  const handle = ada.document('handbook');
  await handle.whenSynced;
  ada.disconnect();
  textOf(handle).insert(0, 'typed');
  handle.destroy();
  await server.realtime.grant('ada', 'doc:handbook', 'read');
  await ada.connect();
  await expect.poll(() => reported).toEqual([expect.objectContaining({ code: 'read-only' })]);
  // Longer than a document is kept that nobody has any more.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(ada.unsavedDocuments.get()).toEqual([{ name: 'handbook', unsavedChanges: 1 }]);
  const again = ada.document('handbook');
  const unsaved = new Y.Doc();
  Y.applyUpdate(unsaved, again.unsaved!);
  expect(unsaved.getText('text').toString()).toBe('typed');
  again.forgetUnsaved();
  expect(ada.unsavedDocuments.get()).toEqual([]);
});

test('a listener of the Y.Doc that throws is reported, and keeps no edit from anybody: not the one that it heard of, nor later ones', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const theirs = ada.document('handbook');
  await theirs.whenSynced;
  const reported: unknown[] = [];
  using bob = clientOf(server.url, 'bob', { '*': 'write' }, { onError: (error) => reported.push(error) });
  const mine = bob.document('handbook');
  // Before the SDK's own, and as Yjs cleans up.
  mine.doc.on('update', () => {
    throw new Error('update');
  });
  mine.doc.on('afterTransactionCleanup', () => {
    throw new Error('cleanup');
  });
  await mine.whenSynced;
  textOf(theirs).insert(0, 'a');
  await sees(mine, 'a');
  textOf(mine).insert(1, 'b');
  textOf(mine).insert(2, 'c');
  await sees(theirs, 'abc');
  expect(reported).toContainEqual(new Error('update'));
  expect(reported).toContainEqual(new Error('cleanup'));
});

test('a document that the application destroys, as it does with its own, is still every handle’s', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  const [mine, theirs] = [ada.document('handbook'), bob.document('handbook')];
  await Promise.all([mine.whenSynced, theirs.whenSynced]);
  mine.doc.destroy();
  mine.destroy();
  const again = ada.document('handbook');
  textOf(again).insert(0, 'stone');
  expect(again.unsavedChanges.get()).toBe(1);
  await sees(theirs, 'stone');
  const { doc } = again;
  ada.destroy();
  expect(doc.isDestroyed).toBe(true);
});
