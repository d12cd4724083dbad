import * as Y from 'yjs';
import type { DocumentSession } from '../documents/document-session.ts';
import type { ResetReason } from '../documents/document-status.ts';
import type { Keeper, KeptDocument } from '../documents/keeper.ts';
import type { Environment } from '../environment.ts';
import { inTime } from './in-time.ts';
import type { OfflineStorage, StoredDocument, StoredEdit, TabChannel } from './offline-storage.ts';

// A place that lags behind its content costs a few records once more.
const PLACE_LAG_MS = 200;

/** Edits of another session in our outbox. */
interface Adopted extends Omit<StoredEdit, 'update'> {
  /** Theirs up to `ordinal` are saved once ours up to this one are. */
  readonly through: number;
}

/**
 * Keeps one document of one user. Every Y.Doc has a client id and a session of its own, drawn at random and never stored: what a tab that is
 * gone could not send is sent by another as it is, under the id that it was written under, and the server takes each struct once,
 * whoever brings it. So nobody can write other content at a clock that is taken, and no tab has to wait for another.
 */
export class DocumentKeeper implements Keeper {
  readonly userId: string;
  readonly #document: KeptDocument;
  readonly #stored: StoredDocument;
  readonly #env: Environment;
  readonly #doc: Y.Doc;
  readonly #session: DocumentSession;
  /** The transaction origin of what other tabs wrote, and of what they left. */
  readonly #tabOrigin = {};
  #channel: TabChannel | null = null;
  #adopted: Adopted[] = [];
  readonly #adoptedThrough = new Map<number, number>();
  #removedThrough = 0;
  #cancelPlace: (() => void) | null = null;
  /** Some place is kept: a page that opens this knows that the content was the server's once. */
  #hasPlace = false;
  #closed = false;

  constructor(userId: string, document: KeptDocument, stored: StoredDocument, env: Environment) {
    this.userId = userId;
    this.#document = document;
    this.#doc = document.doc;
    this.#session = document.session;
    this.#stored = stored;
    this.#env = env;
  }

  /** Puts what is kept into the document. */
  async load(storage: OfflineStorage): Promise<void> {
    const { room, keptOrigins } = this.#document;
    const session = this.#session;
    keptOrigins.add(this.#tabOrigin);
    // Before y-indexeddb listens: an edit is stored ahead of the content that has it.
    this.#doc.on('update', this.#onUpdate);
    const early = session.outbox.merged();
    this.#channel = storage.tabs(this.userId, room, this.#stored.generation, ({ clientId, update, startedOver }) => {
      if (this.#closed) return;
      if (startedOver) session.fail(startedOver);
      else {
        session.formerIds.add(clientId);
        this.#take(update);
      }
    });
    // Other tabs that have read what is stored wait for what this one was first to write: all that follows builds on it.
    if (early) this.#keep(early);
    const loading = this.#stored.load(this.#doc);
    keptOrigins.add(this.#stored.origin);
    const { place, edits, refused } = await loading;
    if (this.#closed) return;
    session.resume(place, this.#doc.store.clients.size > 0);
    this.#hasPlace = !!place;
    this.#adopt(edits);
    this.#document.unsaved ??= refused;
  }

  async beforeJoin(): Promise<void> {
    if (this.#closed) return;
    try {
      const edits = await inTime(this.#env, this.#stored.readEdits());
      if (!this.#closed) this.#adopt(edits);
    } catch (cause) {
      if (this.#closed) return;
      // Not waited for again.
      this.#stored.close();
      this.#document.keepingFailed(cause);
    }
  }

  changed(): void {
    if (this.#closed) return;
    const { savedThrough } = this.#session.outbox;
    if (savedThrough > this.#removedThrough) {
      this.#removedThrough = savedThrough;
      this.#stored.removeEdits(this.#doc.clientID, savedThrough);
      for (const { clientId, ordinal, through } of this.#adopted) {
        if (through <= savedThrough) this.#stored.removeEdits(clientId, ordinal);
      }
      this.#adopted = this.#adopted.filter(({ through }) => through > savedThrough);
    }
    if (!this.#hasPlace) this.#storePlace();
    this.#cancelPlace ??= this.#env.after(PLACE_LAG_MS, () => this.#storePlace());
  }

  startOver(unsaved: Uint8Array | null, reason: ResetReason): Promise<void> {
    // With an update that holds nothing.
    this.#channel?.postMessage({ clientId: this.#doc.clientID, update: new Uint8Array(2), startedOver: reason });
    this.#end();
    return this.#stored.startOver(unsaved);
  }

  forgetUnsaved(): void {
    if (!this.#closed) this.#stored.forgetRefused();
  }

  close(): void {
    if (this.#closed) return;
    this.#storePlace();
    this.#end();
    this.#stored.close();
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this.#document.origin && !this.#document.keptOrigins.has(origin)) this.#keep(update);
  };

  #keep(update: Uint8Array): void {
    const clientId = this.#doc.clientID;
    // Not before it is stored: what another tab shows of it would be saved by nobody, should this one end.
    this.#stored.addEdit({ clientId, ordinal: this.#session.outbox.added, update }, () => {
      if (!this.#closed) this.#channel?.postMessage({ clientId, update });
    });
  }

  /** Content and place are read in one go: all that the place speaks of has been given to the storage by now. */
  #storePlace(): void {
    this.#cancelPlace?.();
    this.#cancelPlace = null;
    const { place } = this.#session;
    if (!place) return;
    this.#hasPlace = true;
    this.#stored.setPlace(place);
  }

  /** Takes over edits of other sessions, gone or not: one that is alive sends them too, and the server takes them once. */
  #adopt(edits: readonly StoredEdit[]): void {
    const session = this.#session;
    const bySession = new Map<number, StoredEdit[]>();
    for (const edit of edits) {
      const known = edit.clientId === this.#doc.clientID || edit.ordinal <= (this.#adoptedThrough.get(edit.clientId) ?? 0);
      if (known) continue;
      const theirs = bySession.get(edit.clientId);
      if (theirs) theirs.push(edit);
      else bySession.set(edit.clientId, [edit]);
    }
    for (const [clientId, theirs] of bySession) {
      const update = this.#document.merge(theirs.map((edit) => edit.update));
      const { ordinal } = theirs.at(-1)!;
      session.formerIds.add(clientId);
      // A crash may have left an edit without its content.
      this.#take(update);
      session.localUpdate(update, true);
      this.#adoptedThrough.set(clientId, ordinal);
      this.#adopted.push({ clientId, ordinal, through: session.outbox.added });
    }
  }

  #take(update: Uint8Array): void {
    Y.applyUpdate(this.#doc, update, this.#tabOrigin);
  }

  #end(): void {
    this.#closed = true;
    this.#doc.off('update', this.#onUpdate);
    this.#channel?.close();
    this.#cancelPlace?.();
  }
}
