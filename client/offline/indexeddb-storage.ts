import * as idb from 'lib0/indexeddb';
import { IndexeddbPersistence } from 'y-indexeddb';
import type * as Y from 'yjs';
import type { Place } from '../documents/place.ts';
import type { OfflineStorage, Stored, StoredDocument, StoredEdit, TabMessage } from './offline-storage.ts';

const REGISTRY = 'ashlar';
const LAST_USER = 'last';

/** What the registry holds of a document. */
interface Entry {
  readonly generation: number;
  readonly refused: Uint8Array | null;
}

const NEW_ENTRY: Entry = { generation: 1, refused: null };

/** Keeps documents in the browser's IndexedDB: one database each, and one that knows them all. */
export function indexedDbStorage(): OfflineStorage {
  return {
    lastUser: () => withRegistry(async ({ users }) => (await read<string>(users, LAST_USER)) ?? null),
    setLastUser: (userId) => withRegistry(async ({ users }) => settled(users.put(userId, LAST_USER))),
    async open(userId, room, onFailure) {
      const { generation, refused } = await withRegistry(async ({ documents }) => {
        const entry = await readEntry(documents, userId, room);
        await writeEntry(documents, userId, room, entry);
        return entry;
      });
      return StoredInIndexedDb.open(userId, room, { generation, refused }, onFailure);
    },
    tabs(userId, room, generation, listener) {
      if (typeof BroadcastChannel === 'undefined') return null;
      const channel = new BroadcastChannel(databaseName(userId, room, generation));
      channel.onmessage = ({ data }: MessageEvent<TabMessage>) => listener(data);
      return { send: (message) => channel.postMessage(message), close: () => channel.close() };
    },
    async clear() {
      const names = await withRegistry(async ({ documents, users }) => {
        const entries = await idb.getAllKeysValues(documents);
        await Promise.all([documents, users].map((store) => settled(store.clear())));
        return entries.map(({ k, v }) => databaseName(...(k as [string, string]), (v as Entry).generation));
      });
      // Open tabs give way: their connections close when they hear of it.
      await Promise.all(names.map((name) => idb.deleteDB(name)));
    },
  };
}

/** One document in a database of its own: `updates` and `custom` are y-indexeddb's, `edits` and `place` ours. */
class StoredInIndexedDb implements StoredDocument {
  readonly generation: number;
  readonly #userId: string;
  readonly #room: string;
  readonly #refused: Uint8Array | null;
  readonly #db: IDBDatabase;
  readonly #onFailure: (cause: unknown) => void;
  #persistence: IndexeddbPersistence | null = null;
  #closed = false;

  static async open(userId: string, room: string, entry: Entry, onFailure: (cause: unknown) => void): Promise<StoredInIndexedDb> {
    const db = await idb.openDB(databaseName(userId, room, entry.generation), (fresh) =>
      idb.createStores(fresh, [['updates', { autoIncrement: true }], ['custom'], ['edits'], ['place']]),
    );
    return new StoredInIndexedDb(userId, room, entry, db, onFailure);
  }

  private constructor(userId: string, room: string, entry: Entry, db: IDBDatabase, onFailure: (cause: unknown) => void) {
    this.#userId = userId;
    this.#room = room;
    this.generation = entry.generation;
    this.#refused = entry.refused;
    this.#db = db;
    this.#onFailure = onFailure;
    db.addEventListener('abort', this.#fail);
    // Somebody clears it, or starts it over.
    db.addEventListener('versionchange', () => this.close());
  }

  get origin(): unknown {
    return this.#persistence;
  }

  async load(doc: Y.Doc): Promise<Stored> {
    const persistence = new IndexeddbPersistence(this.#db.name, doc);
    this.#persistence = persistence;
    await persistence.whenSynced;
    // y-indexeddb looks after no write of its own: here one that failed is heard.
    persistence.db?.addEventListener('abort', this.#fail);
    const [places] = idb.transact(this.#db, ['place'], 'readonly');
    const place = (await read<Place>(places!, 'place')) ?? null;
    return { place, edits: await this.readEdits(), refused: this.#refused };
  }

  // The scope of each of our transactions has `updates` in it: IndexedDB runs those that share a store in the order of their making, so
  // that an edit is on disk before the content that has it, and a place after it.
  addEdit({ clientId, ordinal, update }: StoredEdit): void {
    this.#write('edits', (edits) => edits.put(update, [clientId, ordinal]));
  }

  removeEdits(clientId: number, through: number): void {
    this.#write('edits', (edits) => edits.delete(IDBKeyRange.bound([clientId, 0], [clientId, through])));
  }

  async readEdits(): Promise<readonly StoredEdit[]> {
    if (this.#closed) return [];
    const [edits] = idb.transact(this.#db, ['edits'], 'readonly');
    const entries = await idb.getAllKeysValues(edits!);
    return entries.map(({ k, v }) => {
      const [clientId, ordinal] = k as [number, number];
      return { clientId, ordinal, update: v as Uint8Array };
    });
  }

  setPlace(place: Place): void {
    this.#write('place', (places) => places.put(place, 'place'));
  }

  async startOver(refused: Uint8Array | null): Promise<void> {
    this.close();
    await withRegistry(async ({ documents }) => {
      const entry = await readEntry(documents, this.#userId, this.#room);
      const generation = Math.max(entry.generation, this.generation + 1);
      await writeEntry(documents, this.#userId, this.#room, { generation, refused: refused ?? entry.refused });
    });
    idb.deleteDB(this.#db.name).catch(this.#onFailure);
  }

  forgetRefused(): void {
    withRegistry(async ({ documents }) => {
      const { generation } = await readEntry(documents, this.#userId, this.#room);
      // Another tab started it over: what it could not save, nobody has seen here.
      if (generation === this.generation) await writeEntry(documents, this.#userId, this.#room, { generation, refused: null });
    }).catch(this.#onFailure);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#db.close();
    void this.#persistence?.destroy();
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
    if (this.#closed) return;
    // A place that was asked for since would be ahead of its content.
    this.#write('place', (places) => places.delete('place'));
    this.close();
    this.#onFailure(cause instanceof Event ? (cause.target as IDBTransaction).error : cause);
  };
}

function databaseName(userId: string, room: string, generation: number): string {
  return `${REGISTRY}:${JSON.stringify([userId, room, generation])}`;
}

/** One transaction on the registry, with a connection of its own: nothing is left open. */
async function withRegistry<Result>(
  task: (stores: { users: IDBObjectStore; documents: IDBObjectStore }) => Promise<Result>,
): Promise<Result> {
  const db = await idb.openDB(REGISTRY, (fresh) => idb.createStores(fresh, [['users'], ['documents']]));
  try {
    const [users, documents] = idb.transact(db, ['users', 'documents']);
    return await task({ users: users!, documents: documents! });
  } finally {
    db.close();
  }
}

async function readEntry(documents: IDBObjectStore, userId: string, room: string): Promise<Entry> {
  return (await read<Entry>(documents, [userId, room])) ?? NEW_ENTRY;
}

function writeEntry(documents: IDBObjectStore, userId: string, room: string, entry: Entry): Promise<void> {
  return settled(documents.put(entry, [userId, room]));
}

function read<Value>(store: IDBObjectStore, key: IDBValidKey): Promise<Value | undefined> {
  const wish: IDBRequest<Value | undefined> = store.get(key);
  return settled(wish).then(() => wish.result);
}

function settled(wish: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    wish.onsuccess = () => resolve();
    wish.onerror = () => reject(wish.error);
  });
}
