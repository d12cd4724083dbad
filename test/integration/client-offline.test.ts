import { expect, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { type ClientOptions, createClient, type DocumentHandle, type ResetEvent } from '../../client/index.ts';
import { MemoryOfflineStorage } from '../support/memory-offline-storage.ts';
import { until, when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const NOWHERE = 'http://127.0.0.1:1';

/** A page of a browser whose storage is `offlineStorage`. */
function page(url: string, offlineStorage: MemoryOfflineStorage, user: string | null, options: Partial<ClientOptions> = {}) {
  const token = user === null ? () => Promise.reject(new Error('no network')) : () => Promise.resolve(tokenFor(user));
  const client = createClient({ url, token, offlineStorage, onError: () => {}, ...options });
  void client.connect();
  onTestFinished(() => client.disconnect());
  const open = (name = 'notes') => client.document(name, { offline: true });
  return { client, open, leave: () => client.disconnect() };
}

const textOf = ({ doc }: DocumentHandle) => doc.getText('text');
const read = (handle: DocumentHandle) => textOf(handle).toString();

function sees(handle: DocumentHandle, passes: (text: string) => boolean): Promise<void> {
  const { doc } = handle;
  return when(
    (listener) => {
      doc.on('update', listener);
      return () => doc.off('update', listener);
    },
    () => passes(doc.getText('text').toString()),
  );
}

/** A page of ada's that had the document, was reloaded without a network, written in, and closed. */
async function writeOffline(url: string, storage: MemoryOfflineStorage, token: () => Promise<string>, at: number, text: string) {
  const first = page(url, storage, 'ada', { token });
  await first.open().whenSynced;
  await storage.placeKept('ada', 'doc:notes');
  first.leave();
  storage.crash();
  const offline = page(NOWHERE, storage, null);
  const cut = offline.open();
  await cut.whenLoaded;
  textOf(cut).insert(at, text);
  offline.leave();
  storage.crash();
}

/** What a user with nothing stored sees. */
async function stored(url: string, name = 'notes') {
  const client = createClient({ url, token: tokenFor('reader') });
  void client.connect();
  onTestFinished(() => client.disconnect());
  const handle = client.document(name);
  await handle.whenSynced;
  return handle;
}

test('what was read online opens without a network, without a token; what is written there is there in the next page, and on the server in the end', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const first = page(server.url, storage, 'ada');
  const online = first.open();
  await online.whenSynced;
  textOf(online).insert(0, 'online');
  await online.whenSaved();
  first.leave();
  storage.crash();

  const second = page(NOWHERE, storage, null);
  const offline = second.open();
  await offline.whenLoaded;
  expect(read(offline)).toBe('online');
  textOf(offline).insert(6, ', offline');
  second.leave();
  storage.crash();

  const third = page(NOWHERE, storage, null);
  const again = third.open();
  await again.whenLoaded;
  expect(read(again)).toBe('online, offline');
  expect(again.unsavedChanges.get()).toBe(1);
  textOf(again).insert(0, '> ');
  third.leave();
  storage.crash();

  const fourth = page(server.url, storage, 'ada');
  const back = fourth.open();
  await back.whenLoaded;
  expect(read(back)).toBe('> online, offline');
  await back.whenSaved();
  await back.whenSynced;
  expect(read(back)).toBe('> online, offline');
  expect(read(await stored(server.url))).toBe('> online, offline');
  // Nothing is left to send, also after a reload.
  fourth.leave();
  storage.crash();
  const fifth = page(NOWHERE, storage, null).open();
  await fifth.whenLoaded;
  expect(fifth.unsavedChanges.get()).toBe(0);
});

test('a document that was made and written offline from the first reaches the server, with those of three pages that are gone', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  storage.user = 'ada';
  for (const word of ['one ', 'two ', 'three ']) {
    const gone = page(NOWHERE, storage, null);
    const handle = gone.open();
    await handle.whenLoaded;
    textOf(handle).insert(textOf(handle).length, word);
    handle.doc.getMap('words').set(word, true);
    handle.doc.getMap('words').delete('one ');
    gone.leave();
    storage.crash();
  }
  const resets: ResetEvent[] = [];
  const back = page(server.url, storage, 'ada').open();
  back.on('reset', (event) => resets.push(event));
  await back.whenLoaded;
  await back.whenSaved();
  const reader = await stored(server.url);
  expect(read(reader)).toBe('one two three ');
  expect([...reader.doc.getMap('words').keys()].sort()).toEqual(['three ', 'two ']);
  expect(resets).toEqual([]);
});

test('edits that hundreds of pages left, one each, reach the server with the next page', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const { writes } = storage.kept('ada', 'doc:notes');
  for (let clientId = 1; clientId <= 300; clientId++) {
    const left = new Y.Doc();
    left.clientID = clientId;
    left.getMap('pages').set(String(clientId), true);
    writes.push({ kind: 'edit', edit: { clientId, ordinal: 1, update: Y.encodeStateAsUpdate(left) } });
  }
  const handle = page(server.url, storage, 'ada').open();
  const resets: ResetEvent[] = [];
  handle.on('reset', (event) => resets.push(event));
  await handle.whenLoaded;
  await handle.whenSaved();
  expect(resets).toEqual([]);
  expect((await stored(server.url)).doc.getMap('pages').size).toBe(300);
});

test('what a page typed and left goes as runs of text, not as keystrokes, which a day of would be more than a server takes in one update', async () => {
  await using server = await startServer({ limits: { structsPerUpdate: 50 } as never });
  const storage = new MemoryOfflineStorage();
  const gone = page(server.url, storage, 'ada');
  const left = gone.open();
  await left.whenSynced;
  await storage.placeKept('ada', 'doc:notes');
  gone.leave();
  for (let key = 0; key < 200; key++) textOf(left).insert(key, 'x');
  storage.crash();
  const handle = page(server.url, storage, 'ada').open();
  const resets: ResetEvent[] = [];
  handle.on('reset', (event) => resets.push(event));
  await handle.whenLoaded;
  await handle.whenSaved().catch(() => {});
  expect(resets).toEqual([]);
  expect(read(await stored(server.url))).toBe('x'.repeat(200));
});

test('only what is missing travels, both ways', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const first = page(server.url, storage, 'ada');
  const handle = first.open();
  await handle.whenSynced;
  textOf(handle).insert(0, 'x'.repeat(100_000));
  await handle.whenSaved();
  await storage.placeKept('ada', 'doc:notes');
  first.leave();
  storage.crash();
  const other = await stored(server.url);
  other.doc.getText('text').insert(0, 'bob ');
  await other.whenSaved();

  await using proxy = await startTcpProxy(server.url);
  const back = page(proxy.url, storage, 'ada').open();
  await back.whenLoaded;
  textOf(back).insert(100_000, ' ada');
  await back.whenSaved();
  await back.whenSynced;
  expect(read(back)).toBe(`bob ${'x'.repeat(100_000)} ada`);
  await sees(other, (text) => text.endsWith(' ada'));
  expect(proxy.bytes).toBeLessThan(20_000);
});

test('[2] a crash may take any of the last writes: all that was typed before is there afterwards, once, and deletes stay deleted', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const other = await stored(server.url);
  other.doc.getText('text').insert(0, '0123456789');
  await other.whenSaved();
  const first = page(server.url, storage, 'ada');
  const handle = first.open();
  await handle.whenSynced;
  other.doc.getText('text').delete(0, 2);
  await other.whenSaved();
  await sees(handle, (text) => text === '23456789');
  textOf(handle).insert(0, 'a');
  await handle.whenSaved();
  await storage.placeKept('ada', 'doc:notes');
  first.leave();
  const offline = page(NOWHERE, storage, null);
  const cut = offline.open();
  await cut.whenLoaded;
  textOf(cut).insert(0, 'b');
  textOf(cut).delete(4, 1);
  textOf(cut).insert(0, 'c');
  offline.leave();
  const { writes } = storage.kept('ada', 'doc:notes');
  expect(writes.map(({ kind }) => kind)).toContain('place');
  storage.crash();
  // By how many of the edits were stored; the first one was on the server by then.
  const texts = ['a23456789', 'a23456789', 'ba23456789', 'ba2356789', 'cba2356789'];
  for (let count = 0; count <= writes.length; count++) {
    const left = storage.after(count);
    const typed = writes.slice(0, count).filter(({ kind }) => kind === 'edit').length;
    const back = page(server.url, left, 'ada');
    const reopened = back.open();
    const resets: unknown[] = [];
    reopened.on('reset', (event) => resets.push(event));
    await reopened.whenSynced;
    await reopened.whenSaved();
    expect(read(reopened), `after ${count} writes`).toBe(texts[typed]);
    await sees(other, (text) => text === texts[typed]);
    expect(resets).toEqual([]);
    back.leave();
  }
  expect(read(await stored(server.url))).toBe('cba2356789');
});

test('an editor that writes as it mounts, for a reader, is reset ever more slowly', async () => {
  await using server = await startServer();
  await server.realtime.documents.create('notes', (doc) => doc.getText('text').insert(0, 'to read'));
  const token = () => Promise.resolve(tokenFor('emil', { access: { 'doc:*': 'read' } }));
  const handle = page(server.url, new MemoryOfflineStorage(), 'emil', { token }).open();
  const times: number[] = [];
  const third = new Promise<void>((resolve) => {
    const write = () => {
      times.push(performance.now());
      if (times.length === 4) resolve();
      // As an editor does that brings what it holds into the shape of its schema.
      else void handle.whenSynced.then(() => textOf(handle).insert(0, ' '));
    };
    handle.on('reset', write);
    write();
  });
  await third;
  const [, first, second, last] = times as [number, number, number, number];
  expect(second - first, 'once at once: it may have been an edit').toBeLessThan(1_000);
  expect(last - second).toBeGreaterThan(1_000);
});

test('another user of the same browser sees nothing of it: not online, not where the server was not asked yet, not on a live client', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const ada = page(server.url, storage, 'ada');
  const hers = ada.open('diary');
  await hers.whenSynced;
  textOf(hers).insert(0, 'secret');
  await hers.whenSaved();
  ada.leave();
  storage.crash();

  // No network, and a token in hand that names somebody else.
  const bob = page(NOWHERE, storage, 'bob');
  const his = bob.open('diary');
  textOf(his).insert(0, 'of bob');
  await until(bob.client.status, ({ state }) => state === 'reconnecting');
  expect(read(his)).toBe('of bob');
  bob.leave();

  // A token that nobody can read: the last user's document opens, until the server says who this is.
  await using proxy = await startTcpProxy(server.url);
  proxy.cut();
  let asked = 0;
  const opaque = page(proxy.url, storage, null, {
    token: () =>
      asked++ === 0 ? Promise.reject(new Error('no network')) : Promise.resolve(tokenFor('bob', { access: { '*': 'admin' } })),
  });
  const shown = opaque.open('diary');
  await shown.whenLoaded;
  expect(read(shown)).toBe('secret');
  textOf(shown).insert(6, ' of hers');
  const reset = new Promise<ResetEvent>((resolve) => shown.on('reset', resolve));
  proxy.mend();
  expect(await reset).toMatchObject({ reason: 'other-user', unsaved: null, restoring: false });
  expect(read(shown)).toBe('');
  expect(shown.unsaved).toBeNull();
  opaque.leave();
  storage.crash();

  // Hers waits for her.
  const again = page(server.url, storage, 'ada').open('diary');
  await again.whenSynced;
  await again.whenSaved();
  expect(read(await stored(server.url, 'diary'))).toContain('secret of hers');
});

test('[4] a page that knows its user opens nobody else’s documents offline, whatever the token function cannot say', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const ada = page(server.url, storage, 'ada', { userId: 'ada' });
  const hers = ada.open();
  await hers.whenSynced;
  textOf(hers).insert(0, 'dear diary');
  await hers.whenSaved();
  ada.leave();
  storage.crash();

  const before = [...storage.kept('ada', 'doc:notes').writes];
  const ben = page(NOWHERE, storage, null, { userId: 'ben' });
  const his = ben.open();
  await his.whenLoaded;
  expect(read(his)).toBe('');
  textOf(his).insert(0, 'from Ben');
  expect(storage.kept('ada', 'doc:notes').writes).toEqual(before);
  ben.leave();
  storage.crash();

  // The last one was she: her own page waits for nobody.
  const again = page(NOWHERE, storage, null, { userId: 'ada' }).open();
  await again.whenLoaded;
  expect(read(again)).toBe('dear diary');
});

test('[4] a page opens the documents of the user whom the server named to it, whoever connected later in another tab', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const storage = new MemoryOfflineStorage();
  const first = page(server.url, storage, 'ada');
  for (const name of ['diary', 'plans']) {
    const hers = first.open(name);
    await hers.whenSynced;
    textOf(hers).insert(0, `${name} of ada`);
    await hers.whenSaved();
  }
  first.leave();
  const ada = page(proxy.url, storage, 'ada');
  await ada.client.connect();
  const his = page(server.url, storage, 'bob').open('diary');
  await his.whenSynced;
  await expect.poll(() => storage.user).toBe('bob');

  proxy.cut();
  await until(ada.client.status, ({ state }) => state === 'reconnecting');
  const diary = ada.open('diary');
  await diary.whenLoaded;
  expect(read(diary)).toBe('diary of ada');
  // Signed in as somebody whom no server has named yet: hers no longer.
  void ada.client.connect({ token: 'a word that names nobody' });
  const plans = ada.open('plans');
  await plans.whenLoaded;
  expect([read(plans), plans.everSynced.get()]).toEqual(['', false]);
});

test('[4] a page that was wrong about its user shows the other one’s document from the moment on that the server says so', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const ada = page(server.url, storage, 'ada');
  const hers = ada.open();
  await hers.whenSynced;
  textOf(hers).insert(0, 'dear diary');
  await hers.whenSaved();
  await storage.placeKept('ada', 'doc:notes');
  ada.leave();
  storage.crash();

  await using proxy = await startTcpProxy(server.url);
  proxy.cut();
  let network = false;
  const token = () => (network ? Promise.resolve(tokenFor('ben')) : Promise.reject(new Error('no network')));
  const wrong = page(proxy.url, storage, null, { userId: 'ada', token });
  const handle = wrong.open();
  await handle.whenLoaded;
  expect(read(handle)).toBe('dear diary');
  textOf(handle).insert(0, 'unsaved, ');
  const told = new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));
  network = true;
  proxy.mend();
  expect(await told).toMatchObject({ reason: 'other-user', unsaved: null });
  await handle.whenSynced;
  expect(read(handle)).toBe('dear diary');
  // What he opens from here on is his, though the page was told of her.
  proxy.cut();
  await until(wrong.client.status, ({ state }) => state !== 'connected');
  const other = wrong.open('other');
  await other.whenLoaded;
  textOf(other).insert(0, 'by Ben');
  expect(storage.kept('ben', 'doc:other').writes.some(({ kind }) => kind === 'edit')).toBe(true);
  expect(storage.kept('ada', 'doc:other').writes).toEqual([]);
});

test('where nothing is kept and nobody answers, loading ends, and the empty document does not pass for the real one', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const writer = page(server.url, new MemoryOfflineStorage(), 'ada').open();
  await writer.whenSynced;
  expect(writer.everSynced.get()).toBe(true);
  textOf(writer).insert(0, 'full');
  await writer.whenSaved();

  proxy.cut();
  const storage = new MemoryOfflineStorage();
  const first = page(proxy.url, storage, 'ada');
  const handle = first.open();
  await handle.whenLoaded;
  expect(read(handle)).toBe('');
  expect(handle.everSynced.get()).toBe(false);
  textOf(handle).insert(0, 'not ');
  proxy.mend();
  await until(handle.everSynced, (known) => known);
  await handle.whenSaved();
  expect(read(handle)).toContain('full');
  await storage.placeKept('ada', 'doc:notes');
  first.leave();
  storage.crash();

  const later = page(NOWHERE, storage, null);
  const known = later.open();
  await known.whenLoaded;
  expect(known.everSynced.get()).toBe(true);
  const never = later.open('never');
  await never.whenLoaded;
  expect(never.everSynced.get()).toBe(false);
});

test('signing out clears what is stored', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const ada = page(server.url, storage, 'ada');
  const handle = ada.open();
  await handle.whenSynced;
  textOf(handle).insert(0, 'secret');
  await handle.whenSaved();
  await ada.client.clearOffline();
  ada.leave();
  textOf(handle).insert(0, 'more ');
  expect(storage.documents.size).toBe(0);
  expect(await storage.lastUser()).toBeNull();
});

test('two tabs see each other’s edits with the server gone, and all of it arrives, once, when it is back; one tab was closed by then', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const storage = new MemoryOfflineStorage();
  const [left, right] = [page(proxy.url, storage, 'ada'), page(proxy.url, storage, 'ada')];
  const [one, two] = [left.open(), right.open()];
  await Promise.all([one.whenSynced, two.whenSynced]);
  proxy.cut();
  await Promise.all([one, two].map(({ status }) => until(status, ({ state }) => state === 'offline')));
  for (let index = 0; index < 20; index++) {
    textOf(one).insert(0, 'l');
    await sees(two, (text) => text.length === 2 * index + 1);
    textOf(two).insert(textOf(two).length, 'r');
    await sees(one, (text) => text.length === 2 * index + 2);
  }
  expect(read(one)).toBe(read(two));
  // The first one is gone with edits that only it had in its outbox; the second has built on them.
  left.leave();
  proxy.mend();
  await two.whenSaved();
  await two.whenSynced;
  expect(read(two)).toBe('l'.repeat(20) + 'r'.repeat(20));
  expect(read(await stored(server.url))).toBe('l'.repeat(20) + 'r'.repeat(20));
});

test('two tabs that come back at once send the same edits, and the server takes each once', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  proxy.cut();
  const storage = new MemoryOfflineStorage();
  storage.user = 'ada';
  const [one, two] = [page(proxy.url, storage, 'ada').open(), page(proxy.url, storage, 'ada').open()];
  await Promise.all([one.whenLoaded, two.whenLoaded]);
  const resets: unknown[] = [];
  for (const handle of [one, two]) handle.on('reset', (event) => resets.push(event));
  for (let index = 0; index < 10; index++) {
    textOf(one).insert(0, 'l');
    textOf(two).insert(textOf(two).length, 'r');
  }
  await sees(two, (text) => text.length === 20);
  textOf(two).insert(10, '|');
  await sees(one, (text) => text.length === 21);
  proxy.mend();
  await Promise.all([one.whenSynced, two.whenSynced]);
  await Promise.all([one.whenSaved(), two.whenSaved()]);
  expect(resets).toEqual([]);
  expect(read(one)).toBe(read(two));
  expect(read(one)).toHaveLength(21);
  expect(read(await stored(server.url))).toBe(read(one));
});

test('a document that was deleted meanwhile stops, its unsaved edits stay readable over a reload, and its name begins anew', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const first = page(server.url, storage, 'ada');
  const handle = first.open();
  await handle.whenSynced;
  textOf(handle).insert(0, 'old');
  await handle.whenSaved();
  first.leave();
  storage.crash();
  await server.realtime.documents.delete('notes');
  const second = page(NOWHERE, storage, null);
  const offline = second.open();
  await offline.whenLoaded;
  textOf(offline).insert(3, ' and unsaved');
  second.leave();
  storage.crash();

  const third = page(server.url, storage, 'ada');
  const back = third.open();
  const reset = await new Promise<ResetEvent>((resolve) => back.on('reset', resolve));
  expect(reset).toMatchObject({ reason: 'gone', restoring: false });
  expect(reset.unsaved).not.toBeNull();
  expect(back.unsaved).toEqual(reset.unsaved);
  third.leave();
  storage.crash();
  await server.realtime.documents.create('notes');

  const fourth = page(server.url, storage, 'ada').open();
  await fourth.whenSynced;
  expect(read(fourth)).toBe('');
  expect(fourth.unsaved).toEqual(reset.unsaved);
  fourth.forgetUnsaved();
  expect(fourth.unsaved).toBeNull();
  expect(storage.kept('ada', 'doc:notes').refused).toBeNull();
  expect(read(await stored(server.url))).toBe('');
});

test('what a reader wrote offline is refused once: the server’s content takes its place, and the edits stay readable', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const token = () => Promise.resolve(tokenFor('ada', { access: { '*': 'read' } }));
  const author = await stored(server.url);
  author.doc.getText('text').insert(0, 'stone');
  await author.whenSaved();
  await writeOffline(server.url, storage, token, 5, 'mason');

  const back = page(server.url, storage, 'ada', { token });
  const handle = back.open();
  const reset = await new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));
  expect(reset).toMatchObject({ reason: 'read-only', restoring: false });
  await handle.whenSynced;
  expect(read(handle)).toBe('stone');
  expect(handle.unsavedChanges.get()).toBe(0);
  back.leave();
  storage.crash();
  const again = page(NOWHERE, storage, null).open();
  await again.whenLoaded;
  expect(again.unsaved).toEqual(reset.unsaved);
  expect(again.unsavedChanges.get()).toBe(0);
});

test('where one tab starts over, the others do: none shows what was refused, nor keeps its edits where nobody looks', async () => {
  await using server = await startServer();
  const writer = page(server.url, new MemoryOfflineStorage(), 'ben').open();
  await writer.whenSynced;
  textOf(writer).insert(0, 'stone');
  await writer.whenSaved();
  const storage = new MemoryOfflineStorage();
  const token = () => Promise.resolve(tokenFor('ada', { access: { 'doc:*': 'read' } }));
  const tabs = [page(server.url, storage, 'ada', { token }), page(server.url, storage, 'ada', { token })] as const;
  const [one, other] = [tabs[0].open(), tabs[1].open()];
  await Promise.all([one.whenSynced, other.whenSynced]);
  const reset = new Promise<ResetEvent>((resolve) => {
    other.on('reset', resolve);
  });
  textOf(one).insert(0, 'refused ');
  expect(await reset).toMatchObject({ reason: 'read-only', unsaved: null });
  await until(other.status, ({ state }) => state === 'synced');
  expect(read(other)).toBe('stone');

  await server.realtime.grant('ada', 'doc:notes', 'write');
  await until(other.access, (access) => access === 'write');
  for (const { leave } of tabs) leave();
  textOf(other).insert(5, ' kept');
  storage.crash();
  const next = page(NOWHERE, storage, null).open();
  await next.whenLoaded;
  expect([read(next), next.unsavedChanges.get()]).toEqual(['stone kept', 1]);
});

test('edits that were refused are forgotten also while the page loads anew what is kept, and not before anyone has seen them', async () => {
  await using server = await startServer();
  const storage = new MemoryOfflineStorage();
  const token = () => Promise.resolve(tokenFor('ada', { access: { '*': 'read' } }));
  await writeOffline(server.url, storage, token, 0, 'mason');

  const back = page(server.url, storage, 'ada', { token });
  const refused = back.open();
  await new Promise<ResetEvent>((resolve) => refused.on('reset', resolve));
  back.leave();
  storage.crash();
  expect(storage.kept('ada', 'doc:notes').refused).not.toBeNull();
  const seen = page(server.url, storage, 'ada', { token });
  const handle = seen.open();
  // Nobody has seen them.
  handle.forgetUnsaved();
  await handle.whenSynced;
  expect(handle.unsaved).not.toBeNull();
  textOf(handle).insert(0, 'again');
  await new Promise<void>((resolve) => handle.on('reset', () => resolve()));
  handle.forgetUnsaved();
  await handle.whenSynced;
  expect(handle.unsaved).toBeNull();
  expect(storage.kept('ada', 'doc:notes').refused).toBeNull();
});

test.each([1, 2, 3, 4])('[2] whatever pages, crashes and cuts come: every edit arrives, once (seed %i)', async (seed) => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  const storage = new MemoryOfflineStorage();
  storage.user = 'ada';
  let state = seed * 7_919;
  const draw = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  let pages: { leave(): void; handle: DocumentHandle }[] = [];
  const resets: unknown[] = [];
  const expected: string[] = [];
  const open = async () => {
    const opened = page(proxy.url, storage, 'ada');
    const handle = opened.open();
    handle.on('reset', ({ reason }) => resets.push(reason));
    await handle.whenLoaded;
    pages.push({ leave: opened.leave, handle });
  };
  await open();
  for (let step = 0; step < 60; step++) {
    const turn = draw(10);
    if (turn === 0) proxy.cut();
    else if (turn === 1) proxy.mend();
    else if (turn === 2 && pages.length < 3) await open();
    else if (turn === 3) {
      for (const { leave } of pages) leave();
      storage.crash();
      pages = [];
      await open();
    } else if (turn === 4) await new Promise((resolve) => setImmediate(resolve));
    else {
      const { handle } = pages[draw(pages.length)]!;
      const list = handle.doc.getArray<string>('list');
      const token = `${seed}-${step}`;
      list.insert(draw(list.length + 1), [token]);
      expected.push(token);
      if (draw(3) === 0) await Promise.resolve();
    }
  }
  proxy.mend();
  for (const { leave } of pages) leave();
  storage.crash();
  pages = [];
  await open();
  const { handle } = pages[0]!;
  await handle.whenSynced;
  await handle.whenSaved();
  const reader = await stored(server.url);
  expect(resets).toEqual([]);
  expect(reader.doc.getArray<string>('list').toArray().sort()).toEqual(expected.sort());
  expect(handle.doc.getArray('list').toArray()).toEqual(reader.doc.getArray('list').toArray());
});

test('a document of the caller’s own is not kept by the SDK, and one that is open without storage stays so', async () => {
  const { client } = page(NOWHERE, new MemoryOfflineStorage(), null);
  const plain = client.document('plain');
  expect(() => client.document('plain', { offline: true })).toThrow(expect.objectContaining({ code: 'invalid-options' }));
  expect(() => client.document('mine', { doc: plain.doc, offline: true })).toThrow(
    expect.objectContaining({ code: 'invalid-options' }),
  );
  await plain.whenLoaded;
});
