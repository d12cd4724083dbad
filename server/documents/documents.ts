import type * as Y from 'yjs';
import { AshlarError } from '../../shared/errors.ts';
import { DOCUMENT_PREFIX, documentRoom, type RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ClientClock, NewRecord, Store } from '../storage/store.ts';
import { admitUpdate } from './admission/admit-update.ts';
import { type DocumentRoom, UPDATE_KIND } from './document-room.ts';
import { editDocument, readDocument } from './edit-document.ts';
import { loadDocument } from './load-document.ts';
import type { DocumentLog } from './worker/compact.ts';

/** An update that was set aside. */
export interface QuarantinedUpdate {
  readonly seq: number;
  /** When it was written, Unix ms. */
  readonly at: number;
  /** null: the backend. */
  readonly userId: string | null;
  /** A Yjs update, V1. */
  readonly update: Uint8Array;
  /** Why it was set aside. */
  readonly reason: string;
  /** Unix ms. */
  readonly quarantinedAt: number;
}

/** What an edit by the backend wrote: to be committed under these clocks. */
interface WrittenUpdate {
  /** A Yjs update, V1, admitted. */
  readonly update: Uint8Array;
  readonly clocks: readonly ClientClock[];
}

/** `written` null: the edit changed nothing. */
interface Written<Result> {
  readonly written: WrittenUpdate | null;
  readonly result: Result;
}

const EMPTY: DocumentLog = { state: null, updates: [] };

/** Server-side access to documents: for seeds, imports, exports and edits by the backend. */
export class Documents {
  readonly #rooms: Rooms;
  readonly #store: Store;
  readonly #clock: Clock;
  /** Edits of one document run one after the other. */
  readonly #turns = new Map<RoomName, Promise<unknown>>();
  /** One client id per room and process: 20,000 edits under fresh ids would leave 456 kB of state. */
  readonly #clientIds = new Map<RoomName, number>();

  readonly #held: (room: RoomName, ms: number) => void;

  /** @param options `held`: told how long a read or an edit held the event loop, in ms */
  constructor(options: { rooms: Rooms; store: Store; clock: Clock; held?: (room: RoomName, ms: number) => void }) {
    this.#held = options.held ?? (() => {});
    this.#rooms = options.rooms;
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /**
   * Edits a document on the server, in one Yjs transaction.
   * @param name the document's name, without `doc:`
   * @param change called with the document as it is on disk; it must not keep the doc, nor be async
   * @returns what `change` returned, once the edit is on disk and sent
   * @throws AshlarError `gone`, `document-damaged`, `storage-unavailable`, `storage-full`; whatever `change` throws (then nothing is stored)
   */
  transact<Result>(name: string, change: (doc: Y.Doc) => Result): Promise<Result> {
    return this.#inTurn(documentRoom(name), async (document) => {
      if (document.room.deleted) throw new AshlarError('gone', { room: document.room.name });
      return this.#edit(document, change);
    });
  }

  /**
   * A document as it is on disk: a copy of its own, which the caller destroys when done.
   * @throws AshlarError `gone`, `document-damaged`
   */
  read(name: string): Promise<Y.Doc> {
    return this.#inTurn(documentRoom(name), async (document) => {
      if (document.room.deleted) throw new AshlarError('gone', { room: document.room.name });
      const content = await loadDocument(document);
      return this.#metered(content.room, () => readDocument(content));
    });
  }

  /**
   * Creates a document, or opens a deleted one's name again.
   * @param seed fills it; applied only where the document is still empty, so that it is never seeded twice
   * @returns whether it was empty (and so seeded)
   * @throws AshlarError `storage-unavailable`, `storage-full`; whatever `seed` throws. Then nothing is created: a deleted one stays `gone`
   */
  create(name: string, seed?: (doc: Y.Doc) => void): Promise<{ created: boolean }> {
    return this.#inTurn(documentRoom(name), async (document) => {
      const { room, writers } = document;
      await room.settled();
      // Nothing is awaited from here on: what is empty now is empty at the commit that the seed goes into.
      const empty = room.head.seq === room.trimmedTo && document.snapshotSeq === 0;
      if (!room.deleted && !empty) return { created: false };
      requireKnown(room);
      // Somebody's first update is on its way to the disk.
      if (!room.deleted && writers.known.size > 0) return { created: false };
      const incarnation = room.deleted ? toHex(this.#clock.randomBytes(12)) : room.incarnation;
      // Before anything of the document is stored, so that a seed that throws leaves none; and with it in one commit, so that a crash does not either.
      const { written } = seed === undefined ? { written: null } : this.#write(document, EMPTY, seed);
      await this.#submit(document, written, { change: 'created', incarnation });
      return { created: true };
    });
  }

  /**
   * Deletes a document. Its members are told `gone` and keep their unsaved bytes; the name stays closed until `create`.
   * @throws AshlarError `storage-unavailable`, `storage-full`
   */
  delete(name: string): Promise<void> {
    return this.#inTurn(documentRoom(name), async (document) => {
      const { room } = document;
      if (room.deleted) return;
      // From here on nothing is taken: it would stand behind the tombstone.
      room.deleted = true;
      await new Promise<void>((resolve, reject) =>
        room.submit({
          durable: true,
          lifecycle: { change: 'deleted', incarnation: room.incarnation },
          leave: () => {
            document.deleted();
            resolve();
          },
          fail: reject,
        }),
      ).catch((error: unknown) => {
        room.deleted = false;
        throw error;
      });
      this.#clientIds.delete(document.room.name);
    });
  }

  /** Names of the documents that were ever written or created and are not deleted, in order. @param prefix of the name */
  async list(prefix = ''): Promise<string[]> {
    const names: string[] = [];
    for (let after: RoomName | null = null; ; ) {
      const page: readonly RoomName[] = await this.#store.listRooms(DOCUMENT_PREFIX + prefix, after, 1_000);
      for (const room of page) names.push(room.slice(DOCUMENT_PREFIX.length));
      after = page[page.length - 1] ?? null;
      if (page.length < 1_000) return names;
    }
  }

  /**
   * Updates that were set aside because they damaged the document, oldest first, with who wrote them: for their authors, and for whoever looks
   * into it. They may not load.
   */
  async quarantined(name: string): Promise<QuarantinedUpdate[]> {
    const records = await this.#store.readQuarantined(documentRoom(name));
    return records.map(({ seq, at, userId, payload, reason, quarantinedAt }) => ({
      seq,
      at,
      userId,
      update: payload,
      reason,
      quarantinedAt,
    }));
  }

  #metered<Result>(room: RoomName, work: () => Result): Result {
    const startedAt = this.#clock.monotonic();
    try {
      return work();
    } finally {
      this.#held(room, this.#clock.monotonic() - startedAt);
    }
  }

  async #edit<Result>(document: DocumentRoom, change: (doc: Y.Doc) => Result): Promise<Result> {
    const { written, result } = this.#write(document, await loadDocument(document), change);
    if (written !== null) await this.#submit(document, written);
    return result;
  }

  /** Runs `change` on a document's content, and looks at what it did. Nothing is stored, and nothing of it is known to the room. */
  #write<Result>(document: DocumentRoom, content: DocumentLog, change: (doc: Y.Doc) => Result): Written<Result> {
    const { room, writers } = document;
    requireKnown(room);
    const clientId = this.#clientId(document);
    const { update, result } = this.#metered(room.name, () => editDocument({ ...content, clientId, change }));
    if (update === null) return { written: null, result };
    const admission = admitUpdate(update, {
      known: writers.known,
      ownerOf: (id) => (id === clientId ? 'self' : 'other'),
      full: false,
      maxStructs: Number.MAX_SAFE_INTEGER,
      subdocuments: true,
    });
    if (admission.verdict !== 'admitted') {
      const detail = admission.verdict === 'refused' ? admission.detail : admission.verdict;
      throw new AshlarError('invalid-update', { detail, room: room.name });
    }
    if (document.blocked) throw new AshlarError('document-damaged', { retryAfterMs: 1_000, room: room.name });
    const clocks = admission.clocks.map((entry) => ({ ...entry, userId: null }));
    return { written: { update: admission.update, clocks }, result };
  }

  /** Commits what an edit wrote (null: nothing), a document's creation, or both at once; resolves once that is on disk and sent. */
  async #submit(
    document: DocumentRoom,
    written: WrittenUpdate | null,
    lifecycle?: { readonly change: 'created'; readonly incarnation: string },
  ): Promise<void> {
    const { room, writers } = document;
    await new Promise<void>((resolve, reject) => {
      room.submit({
        durable: true,
        ...(lifecycle === undefined ? {} : { lifecycle }),
        ...(written === null ? {} : { record: this.#recordOf(written.update), clocks: written.clocks }),
        leave: (record) => {
          if (lifecycle !== undefined) {
            document.created(lifecycle.incarnation);
            // A deleted name forgets all writers as it is opened again, and this one with them.
            if (written !== null) writers.take(written.clocks);
          }
          if (record !== null) document.updateCommitted(record);
          resolve();
        },
        fail: reject,
      });
      if (written !== null) writers.take(written.clocks);
    });
  }

  #recordOf(update: Uint8Array): NewRecord {
    return {
      at: this.#clock.now(),
      userId: null,
      kind: UPDATE_KIND,
      payload: update,
      version: 1,
      id: null,
      session: null,
      counter: 0,
    };
  }

  #clientId(document: DocumentRoom): number {
    const { name } = document.room;
    let id = this.#clientIds.get(name);
    while (id === undefined || id === 0) {
      const candidate = new DataView(this.#clock.randomBytes(4).buffer).getUint32(0);
      if (!document.writers.known.has(candidate)) id = candidate;
    }
    this.#clientIds.set(name, id);
    return id;
  }

  #inTurn<Result>(name: RoomName, task: (document: DocumentRoom) => Promise<Result>): Promise<Result> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(async () => {
      const room = await this.#rooms.open(name);
      const document = room.content as DocumentRoom;
      document.working += 1;
      try {
        return await task(document);
      } catch (error) {
        // What does not load is looked into at once, not when there are records enough.
        if (AshlarError.from(error).code === 'document-damaged') document.ports.compact(document);
        throw error;
      } finally {
        document.working -= 1;
      }
    });
    const settled = turn.catch(() => {});
    this.#turns.set(name, settled);
    void settled.then(() => {
      if (this.#turns.get(name) === settled) this.#turns.delete(name);
    });
    return turn;
  }
}

/**
 * What is known of the writers is ahead of the log, until the room was read anew: what is written now would be taken for known.
 * @throws AshlarError `storage-unavailable`
 */
function requireKnown({ fenced, name }: Room): void {
  if (fenced) throw new AshlarError('storage-unavailable', { retryAfterMs: 1_000, room: name });
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
