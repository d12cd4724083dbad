import * as idb from 'lib0/indexeddb';
import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import type { Place } from '../documents/place.ts';
import type { OfflineStorage, Stored, StoredDocument, StoredEdit, TabMessage } from './offline-storage.ts';

const REGISTRY = 'ashlar';
const LAST_USER = 'last';

/** What the registry holds of a document. */
interface Entry {
  readonly generation: number;
  readonly refused: Uint8Array | null;
}

type Key = [userId: string, room: string];

const NEW_ENTRY: Entry = { generation: 1, refused: null };

/** Keeps documents in the browser's IndexedDB: one database each, and one that knows them all. */
export function indexedDbStorage(): OfflineStorage {
  let clearing = false;
  return {
    lastUser: () => withRegistry(async (_documents, users) => (await idb.rtop(users.get(LAST_USER))) ?? null),
    setLastUser: (userId) => withRegistry((_documents, users) => idb.rtop(users.put(userId, LAST_USER))),
    async open(userId, room, onFailure) {
      const entry = await changeEntry([userId, room], (known) => known);
      const db = await idb.openDB(databaseName([userId, room], entry.generation), (fresh) =>
        idb.createStores(fresh, [['updates', { autoIncrement: true }], ['custom'], ['edits'], ['place']]),
      );
      // The tab that clears need not be told.
      return new StoredInIndexedDb([userId, room], entry, db, (cause) => clearing || onFailure(cause));
    },
    tabs(userId, room, generation, listener) {
      if (typeof BroadcastChannel === 'undefined') return null;
      const channel = new BroadcastChannel(databaseName([userId, room], generation));
      channel.onmessage = ({ data }: MessageEvent<TabMessage>) => listener(data);
      return channel;
    },
    async clear() {
      const names = await withRegistry(async (documents, users) => {
        const entries = await idb.getAllKeysValues(documents);
        await Promise.all([documents, users].map((store) => idb.rtop(store.clear())));
        return entries.map(({ k, v }) => databaseName(k as Key, (v as Entry).generation));
      });
      clearing = true;
      // Open tabs give way: their connections close when they hear of it.
      await Promise.all(names.map((name) => idb.deleteDB(name))).finally(() => (clearing = false));
    },
  };
}

/** One document in a database of its own: `updates` and `custom` are y-indexeddb's, `edits` and `place` ours. */
class StoredInIndexedDb implements StoredDocument {
  readonly #key: Key;
  readonly #entry: Entry;
  readonly #db: IDBDatabase;
  readonly #onFailure: (cause: unknown) => void;
  #persistence: IndexeddbPersistence | null = null;
  #failed = false;
  #closed = false;

  constructor(key: Key, entry: Entry, db: IDBDatabase, onFailure: (cause: unknown) => void) {
    this.#key = key;
    this.#entry = entry;
    this.#db = db;
    this.#onFailure = onFailure;
    // A write fails, the browser takes the database away (some do when they please), or another tab clears it or starts it over.
    db.onabort = this.#fail;
    db.onclose = this.#fail;
    db.onversionchange = this.#fail;
  }

  get generation(): number {
    return this.#entry.generation;
  }

  get origin(): unknown {
    return this.#persistence;
  }

  async load(doc: Y.Doc): Promise<Stored> {
    const persistence = new IndexeddbPersistence(this.#db.name, doc);
    this.#persistence = persistence;
    // Not `whenSynced`, which never comes where it fails: by now it reads, and what shares a store with it waits until it has.
    const db = await persistence._db;
    // y-indexeddb looks after no write of its own: here one that failed is heard.
    db.onabort = this.#fail;
    const [updates, places] = idb.transact(this.#db, ['updates', 'place']);
    let place: Place | null = (await idb.rtop(places!.get('place'))) ?? null;
    if (!persistence.synced) {
      // Damaged: what could be read stays, the server has the rest, and the edits lie beside it.
      place = null;
      updates!.clear();
      updates!.add(Y.encodeStateAsUpdate(doc));
      await idb.rtop(places!.delete('place'));
    }
    return { place, edits: await this.readEdits(), refused: this.#entry.refused };
  }

  // The scope of each of our transactions has `updates` in it: IndexedDB runs those that share a store in the order of their making, so
  // that an edit is on disk before the content that has it, and a place after it.
  addEdit({ clientId, ordinal, update }: StoredEdit, stored: () => void): void {
    this.#write('edits', (edits) => {
      edits.put(update, [clientId, ordinal]);
      edits.transaction.oncomplete = stored;
    });
  }

  removeEdits(clientId: number, through: number): void {
    this.#write('edits', (edits) => edits.delete(IDBKeyRange.bound([clientId, 0], [clientId, through])));
  }

  async readEdits(): Promise<readonly StoredEdit[]> {
    if (this.#closed) return [];
    const [edits] = idb.transact(this.#db, ['edits'], 'readonly');
    const entries = (await idb.getAllKeysValues(edits!)) as { k: [number, number]; v: Uint8Array }[];
    return entries.map(({ k: [clientId, ordinal], v: update }) => ({ clientId, ordinal, update }));
  }

  setPlace(place: Place): void {
    this.#write('place', (places) => places.put(place, 'place'));
  }

  async startOver(unsaved: Uint8Array | null): Promise<void> {
    this.close();
    await changeEntry(this.#key, ({ generation, refused }) => ({
      generation: Math.max(generation, this.generation + 1),
      // Another tab may have left what it could not save.
      refused: refused && unsaved ? Y.mergeUpdates([refused, unsaved]) : (unsaved ?? refused),
    }));
    idb.deleteDB(this.#db.name).catch(this.#onFailure);
  }

  forgetRefused(): void {
    // Another tab started it over: what it could not save, nobody has seen here.
    const forget = (entry: Entry): Entry => (entry.generation === this.generation ? { ...entry, refused: null } : entry);
    changeEntry(this.#key, forget).catch(this.#onFailure);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#db.close();
    if (!this.#persistence) return;
    void this.#persistence.destroy();
    // It may be in the list of those that hear of the present update, and would throw into the edit that made it.
    this.#persistence.db = null;
  }

  #write(store: 'edits' | 'place', change: (store: IDBObjectStore) => unknown): void {
    if (this.#closed) return;
    try {
      const [target] = idb.transact(this.#db, [store, 'updates']);
      // A request that fails aborts its transaction, and that is heard.
      change(target!);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #fail = (cause: unknown): void => {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    // A place that was asked for since would be ahead of its content.
    this.#write('place', (places) => places.delete('place'));
    this.close();
    this.#onFailure(cause instanceof Event ? (cause.target as IDBTransaction).error : cause);
  };
}

function databaseName(key: Key, generation: number): string {
  return `${REGISTRY}:${JSON.stringify([...key, generation])}`;
}

/** One transaction on the registry, with a connection of its own: nothing is left open. */
async function withRegistry<Result>(
  task: (documents: IDBObjectStore, users: IDBObjectStore) => Promise<Result>,
): Promise<Result> {
  const db = await idb.openDB(REGISTRY, (fresh) => idb.createStores(fresh, [['users'], ['documents']]));
  try {
    const [documents, users] = idb.transact(db, ['documents', 'users']);
    return await task(documents!, users!);
  } finally {
    db.close();
  }
}

function changeEntry(key: Key, change: (entry: Entry) => Entry): Promise<Entry> {
  return withRegistry(async (documents) => {
    const entry = change((await idb.rtop(documents.get(key))) ?? NEW_ENTRY);
    await idb.rtop(documents.put(entry, key));
    return entry;
  });
}
