import * as Y from 'yjs';
import type { OfflineStorage, Stored, StoredDocument, StoredEdit, TabChannel, TabMessage } from '../../client/index.ts';
import { when } from './sdk.ts';

type Place = NonNullable<Stored['place']>;

/** One write, in the order in which it was asked for. */
export type Write =
  | { kind: 'content'; update: Uint8Array }
  | { kind: 'edit'; edit: StoredEdit }
  | { kind: 'saved'; clientId: number; through: number }
  | { kind: 'place'; place: Place };

interface Kept {
  generation: number;
  refused: Uint8Array | null;
  writes: Write[];
}

/** A browser's storage in memory: it keeps every write, so that a test may let a crash take any of the last ones. */
export class MemoryOfflineStorage implements OfflineStorage {
  readonly documents = new Map<string, Kept>();
  user: string | null = null;
  /** What is open: a page that dies closes nothing and stores nothing any more. */
  #open = new Set<{ alive: boolean; kept: Kept }>();
  readonly #listeners = new Set<() => void>();
  readonly #tabs = new Map<string, Set<(message: TabMessage) => void>>();

  async lastUser(): Promise<string | null> {
    return this.user;
  }

  async setLastUser(userId: string): Promise<void> {
    this.user = userId;
  }

  async open(userId: string, room: string): Promise<StoredDocument> {
    const kept = this.kept(userId, room);
    const page = { alive: true, kept };
    this.#open.add(page);
    const origin = {};
    const generation = kept.generation;
    const write = (entry: Write) => {
      if (!page.alive || kept.generation !== generation) return false;
      kept.writes.push(entry);
      for (const listener of [...this.#listeners]) listener();
      return true;
    };
    return {
      origin,
      generation,
      async load(doc: Y.Doc): Promise<Stored> {
        await Promise.resolve();
        const writes = [...kept.writes];
        doc.on('update', (update: Uint8Array, from: unknown) => {
          if (from !== origin) write({ kind: 'content', update });
        });
        const content = writes.flatMap((entry) => (entry.kind === 'content' ? [entry.update] : []));
        const applyAll = () => {
          for (const update of content) Y.applyUpdate(doc, update);
        };
        Y.transact(doc, applyAll, origin, false);
        const places = writes.flatMap((entry) => (entry.kind === 'place' ? [entry.place] : []));
        return { place: places.at(-1) ?? null, edits: editsOf(writes), refused: kept.refused };
      },
      addEdit: (edit, stored) => {
        if (write({ kind: 'edit', edit })) stored();
      },
      removeEdits: (clientId, through) => write({ kind: 'saved', clientId, through }),
      readEdits: async () => editsOf(kept.writes),
      setPlace: (place) => write({ kind: 'place', place }),
      async startOver(refused) {
        page.alive = false;
        if (kept.generation === generation) {
          kept.generation++;
          kept.writes = [];
        }
        kept.refused = refused && kept.refused ? Y.mergeUpdates([kept.refused, refused]) : (refused ?? kept.refused);
      },
      forgetRefused() {
        kept.refused = null;
      },
      close() {
        page.alive = false;
      },
    };
  }

  tabs(userId: string, room: string, generation: number, listener: (message: TabMessage) => void): TabChannel {
    const name = JSON.stringify([userId, room, generation]);
    const listeners = this.#tabs.get(name) ?? new Set();
    this.#tabs.set(name, listeners);
    listeners.add(listener);
    return {
      postMessage(message) {
        const others = [...listeners].filter((other) => other !== listener);
        queueMicrotask(() => {
          for (const other of others) other(message);
        });
      },
      close: () => listeners.delete(listener),
    };
  }

  async clear(): Promise<void> {
    this.user = null;
    this.documents.clear();
    this.crash();
  }

  /** What is kept of a document. */
  kept(userId: string, room: string): Kept {
    const key = JSON.stringify([userId, room]);
    const kept = this.documents.get(key) ?? { generation: 1, refused: null, writes: [] };
    this.documents.set(key, kept);
    return kept;
  }

  /** Resolves once the last of the writes so far says how far a document's content has come. */
  placeKept(userId: string, room: string): Promise<void> {
    const listen = (listener: () => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    };
    return when(listen, () => this.kept(userId, room).writes.at(-1)?.kind === 'place');
  }

  /** The pages that are open die: they store nothing any more, and hear nothing. */
  crash(): void {
    for (const page of this.#open) page.alive = false;
    this.#open = new Set();
    this.#tabs.clear();
  }

  /** What a crash leaves that takes all but the first `count` writes of each document. */
  after(count: number): MemoryOfflineStorage {
    const copy = new MemoryOfflineStorage();
    copy.user = this.user;
    for (const [key, kept] of this.documents) copy.documents.set(key, { ...kept, writes: kept.writes.slice(0, count) });
    return copy;
  }
}

function editsOf(writes: readonly Write[]): StoredEdit[] {
  let edits: StoredEdit[] = [];
  for (const entry of writes) {
    if (entry.kind === 'edit') edits.push(entry.edit);
    if (entry.kind === 'saved') {
      edits = edits.filter(({ clientId, ordinal }) => clientId !== entry.clientId || ordinal > entry.through);
    }
  }
  return edits;
}
