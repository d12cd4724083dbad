import 'fake-indexeddb/auto';
import { forceCloseDatabase, IDBDatabase, IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import * as idb from 'lib0/indexeddb';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import * as Y from 'yjs';
import { createClient, type OfflineStorage, type StoredDocument } from '../../client/index.ts';
import { indexedDbStorage } from '../../client/offline/indexeddb-storage.ts';

const place = { epoch: 'e', seq: 7, incarnation: 'i' };
let storage: OfflineStorage;

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  storage = indexedDbStorage();
});
afterEach(() => vi.restoreAllMocks());

async function open(user = 'ada', room = 'doc:notes', onUpdate: (document: StoredDocument) => void = () => {}) {
  const failures: unknown[] = [];
  const document = await storage.open(user, room, (cause) => failures.push(cause));
  const doc = new Y.Doc();
  doc.on('update', () => onUpdate(document));
  const stored = await document.load(doc);
  onTestFinished(() => document.close());
  return { document, doc, stored, failures, text: doc.getText('text') };
}

/** Resolves once everything that was asked for before is on disk. */
const settled = (document: StoredDocument) => document.readEdits();

/** The first store of each transaction that writes, from here on, in the order in which they are on disk. */
function watchWrites(): string[] {
  const done: string[] = [];
  const begin = IDBDatabase.prototype.transaction;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    const transaction = begin.apply(this, args);
    const [stores] = args;
    if (args[1] === 'readwrite') transaction.addEventListener('complete', () => done.push(String([stores].flat()[0])));
    return transaction;
  });
  return done;
}

const edit = (ordinal: number, clientId = 1) => ({ clientId, ordinal, update: new Uint8Array([ordinal]) });

test('content, edits and place are there in the next page, and nobody else’s', async () => {
  const first = await open();
  expect(first.stored).toEqual({ place: null, edits: [], refused: null });
  first.text.insert(0, 'stone');
  for (const entry of [edit(1), edit(2), edit(3), edit(1, 2)]) first.document.addEdit(entry, () => {});
  first.document.removeEdits(1, 2);
  first.document.setPlace(place);
  await settled(first.document);
  first.document.close();
  first.text.insert(0, 'not kept ');

  const second = await open();
  expect(second.text.toString()).toBe('stone');
  expect(second.stored).toEqual({ place, edits: [edit(3), edit(1, 2)], refused: null });
  expect((await open('eve')).text.toString()).toBe('');
  expect((await open('ada', 'doc:other')).text.toString()).toBe('');
});

test('the last user is remembered', async () => {
  expect(await storage.lastUser()).toBeNull();
  await storage.setLastUser('ada');
  await storage.setLastUser('bob');
  expect(await storage.lastUser()).toBe('bob');
});

test('[2] an edit is on disk before the content that has it, and a place after the content it speaks of', async () => {
  const { document, doc, text } = await open();
  const done = watchWrites();
  // In the order of the keeper: an edit is noted while Yjs tells of it, ahead of y-indexeddb's own listener.
  for (let ordinal = 1; ordinal <= 3; ordinal++) {
    document.addEdit(edit(ordinal), () => {});
    text.insert(0, 'x');
    document.setPlace({ ...place, seq: ordinal });
  }
  await settled(document);
  await vi.waitFor(() => expect(done).toHaveLength(9));
  expect(done).toEqual(['edits', 'updates', 'place', 'edits', 'updates', 'place', 'edits', 'updates', 'place']);
  doc.destroy();
});

test('[2] content waits for its edit, however long that is being written', async () => {
  const { document, doc, text } = await open();
  const done = watchWrites();
  const put = IDBObjectStore.prototype.put;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args) {
    const request = put.apply(this, args);
    let left = 100;
    const goOn = (): void => {
      if (left-- > 0) this.count().addEventListener('success', goOn);
    };
    request.addEventListener('success', goOn);
    return request;
  });
  document.addEdit(edit(1), () => {});
  text.insert(0, 'x');
  await vi.waitFor(() => expect(done).toHaveLength(2));
  expect(done).toEqual(['edits', 'updates']);
  doc.destroy();
});

test('[2] content that could not be stored takes the place with it, is told, and nothing is stored from then on', async () => {
  const { document, text, failures } = await open();
  text.insert(0, 'kept');
  document.setPlace(place);
  await settled(document);
  const add = IDBObjectStore.prototype.add;
  vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(function (this: IDBObjectStore, ...args) {
    const request = add.apply(this, args);
    this.transaction.abort();
    return request;
  });
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  text.insert(4, ' and lost');
  document.setPlace({ ...place, seq: 8 });
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  vi.restoreAllMocks();
  document.addEdit(edit(1), () => {});
  const { stored, text: again } = await open();
  expect(again.toString()).toBe('kept');
  expect(stored).toEqual({ place: null, edits: [], refused: null });
  process.off('unhandledRejection', unhandled);
});

test('a document that starts over is empty, keeps what was refused, and takes no more from a tab that has not heard of it', async () => {
  const [mine, other] = [await open(), await open()];
  mine.text.insert(0, 'old');
  mine.document.setPlace(place);
  await settled(mine.document);
  await mine.document.startOver(new Uint8Array([9]));
  other.text.insert(0, 'more of the old ');
  other.document.addEdit(edit(1), () => {});
  const fresh = await open();
  expect(fresh.document.generation).toBe(2);
  expect(fresh.text.toString()).toBe('');
  expect(fresh.stored).toEqual({ place: null, edits: [], refused: new Uint8Array([9]) });
  fresh.text.insert(0, 'new');
  await settled(fresh.document);
  // The other tab comes to the same end: what is new stays, and what it has not seen.
  other.document.forgetRefused();
  await other.document.startOver(null);
  const again = await open();
  expect(again.document.generation).toBe(2);
  expect(again.text.toString()).toBe('new');
  expect(again.stored.refused).toEqual(new Uint8Array([9]));
  again.document.forgetRefused();
  await vi.waitFor(async () => expect((await open()).stored.refused).toBeNull());
});

test('what two tabs could not save is kept of both', async () => {
  const [mine, other] = [await open(), await open()];
  const refusedOf = (content: string) => {
    const doc = new Y.Doc();
    doc.getMap('refused').set(content, true);
    return Y.encodeStateAsUpdate(doc);
  };
  await mine.document.startOver(refusedOf('mine'));
  await other.document.startOver(refusedOf('other'));
  const { refused } = (await open()).stored;
  const kept = new Y.Doc();
  Y.applyUpdate(kept, refused!);
  expect(kept.getMap('refused').toJSON()).toEqual({ mine: true, other: true });
});

test('a database that the browser takes away is told, once, and no edit throws, whether it said so or not', async () => {
  const databases: IDBDatabase[] = [];
  const begin = IDBDatabase.prototype.transaction;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    databases.push(this);
    return begin.apply(this, args);
  });
  const takeAway = {
    told: (db: IDBDatabase) => forceCloseDatabase(db as never),
    silently: (db: IDBDatabase) => db.close(),
  };
  for (const [how, close] of Object.entries(takeAway)) {
    // As a keeper does, before y-indexeddb hears of the edit.
    const { text, failures } = await open(how, 'doc:notes', (document) => document.addEdit(edit(1), () => {}));
    for (const db of new Set(databases)) if (db.name.includes(how)) close(db);
    text.insert(0, 'x');
    text.insert(0, 'y');
    expect([text.toString(), failures.length]).toEqual(['yx', 1]);
  }
});

test('an edit that cannot be stored is not told as stored', async () => {
  const { document, failures } = await open();
  const stored: number[] = [];
  document.addEdit(edit(1), () => stored.push(1));
  await vi.waitFor(() => expect(stored).toEqual([1]));
  // No key: the put throws, as does one for which there is no room.
  document.addEdit({ ...edit(2), ordinal: Number.NaN }, () => stored.push(2));
  document.addEdit(edit(3), () => stored.push(3));
  expect(failures).toHaveLength(1);
  await storage.lastUser();
  expect(stored).toEqual([1]);
});

test('content that is damaged is left out, whole from then on, and takes neither the edits nor the document with it', async () => {
  const { document, text } = await open();
  text.insert(0, 'stone');
  document.addEdit(edit(1), () => {});
  document.setPlace(place);
  const db = await idb.openDB('ashlar:["ada","doc:notes",1]', () => {});
  const [updates] = idb.transact(db, ['updates']);
  await idb.rtop(updates!.add(new Uint8Array([1, 2, 3])));
  db.close();
  document.close();
  // y-indexeddb looks after no failure of its own.
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => {});
  const damaged = await open();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
  expect(damaged.stored).toEqual({ place: null, edits: [edit(1)], refused: null });
  damaged.text.insert(damaged.text.length, ' again');
  damaged.document.setPlace(place);
  await settled(damaged.document);
  const text2 = damaged.text.toString();
  damaged.document.close();
  const whole = await open();
  expect([whole.text.toString(), whole.stored.place]).toEqual([text2, place]);
});

test('a tab hears that another one cleared what it stores; the one that clears does not', async () => {
  const here = await open();
  const other = indexedDbStorage();
  const failures: unknown[] = [];
  const elsewhere = await other.open('ada', 'doc:notes', (cause) => failures.push(cause));
  await elsewhere.load(new Y.Doc());
  await storage.clear();
  expect([here.failures.length, failures.length]).toEqual([0, 1]);
});

test('clearing deletes everything of everyone; open documents go on without storage', async () => {
  await storage.setLastUser('ada');
  const [ada, eve] = [await open(), await open('eve')];
  ada.text.insert(0, 'secret');
  await storage.clear();
  ada.text.insert(0, 'more ');
  eve.text.insert(0, 'more ');
  ada.document.addEdit(edit(1), () => {});
  expect(await storage.lastUser()).toBeNull();
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(['ashlar']);
  expect((await open()).text.toString()).toBe('');
});

test('tabs of one user, document and generation hear each other, and nobody else does', async () => {
  const heard: string[] = [];
  const listen = (user: string, generation: number, name: string) => {
    const channel = storage.tabs(user, 'doc:notes', generation, ({ clientId }) => heard.push(`${name} ${clientId}`));
    onTestFinished(() => channel?.close());
    return channel!;
  };
  const mine = listen('ada', 1, 'mine');
  listen('ada', 1, 'second');
  listen('ada', 2, 'fresh');
  listen('eve', 1, 'eve');
  mine.postMessage({ clientId: 5, update: new Uint8Array([1]) });
  mine.postMessage({ clientId: 6, update: new Uint8Array([1]) });
  await vi.waitFor(() => expect(heard).toEqual(['second 5', 'second 6']));
});

test('a client keeps a document in IndexedDB without being told how; where there is none, it says so and works without', async () => {
  await storage.setLastUser('ada');
  const page = () => {
    const errors: unknown[] = [];
    const client = createClient({ url: 'http://127.0.0.1:1', token: () => Promise.reject(new Error('none')), onError: () => {} });
    void client.connect();
    onTestFinished(() => client.disconnect());
    const handle = client.document('notes', { offline: true });
    handle.on('error', (error) => errors.push(error.code));
    return { handle, errors };
  };
  const first = page();
  await first.handle.whenLoaded;
  first.handle.doc.getText('text').insert(0, 'offline');
  await vi.waitFor(async () => expect((await open()).stored.edits).toHaveLength(1));
  const second = page();
  await second.handle.whenLoaded;
  expect(second.handle.doc.getText('text').toString()).toBe('offline');
  expect(second.handle.unsavedChanges.get()).toBe(1);

  vi.stubGlobal('indexedDB', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  const without = page();
  await without.handle.whenLoaded;
  without.handle.doc.getText('text').insert(0, 'in memory');
  expect(without.errors).toEqual(['storage-unavailable']);
});
