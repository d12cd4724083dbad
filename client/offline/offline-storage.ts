import type * as Y from 'yjs';
import type { ResetReason } from '../documents/document-status.ts';
import type { Place } from '../documents/place.ts';

/** One edit that the server has not on disk: its session's Yjs client id and ordinal there, and a Yjs update (V1). */
export interface StoredEdit {
  readonly clientId: number;
  readonly ordinal: number;
  readonly update: Uint8Array;
}

/** What was kept of a document. Its content is in the Y.Doc that it was loaded into. */
export interface Stored {
  /** Null: none was written yet. */
  readonly place: Place | null;
  /** The outbox: edits of all sessions, oldest first within each. */
  readonly edits: readonly StoredEdit[];
  /** What an earlier reset could not save. */
  readonly refused: Uint8Array | null;
}

/**
 * One document of one user, as it is kept. Its writes and those of the Y.Doc's content become durable in the order in which they were
 * asked for: whatever a crash leaves is a beginning of them.
 */
export interface StoredDocument {
  /** The transaction origin of content that comes out of the storage. Known once `load` was called. */
  readonly origin: unknown;
  /** Keeps apart what a reset has parted: tabs with another one hold other content. */
  readonly generation: number;
  /** Puts the stored content into `doc`, not before this call returned, and then stores what `doc` takes. Called once. */
  load(doc: Y.Doc): Promise<Stored>;
  /** @param stored called once it outlives the page; not where it cannot be stored */
  addEdit(edit: StoredEdit, stored: () => void): void;
  /** The session's edits up to an ordinal are on the server's disk. */
  removeEdits(clientId: number, through: number): void;
  /** The edits that are stored now, those of other tabs too. */
  readEdits(): Promise<readonly StoredEdit[]>;
  setPlace(place: Place): void;
  /** Forgets content, edits and place, unless another tab has already; keeps `refused`, beside what another tab left. The document is closed by it. */
  startOver(refused: Uint8Array | null): Promise<void>;
  /** `refused` is of no use any more; that of another tab that has started the document over since stays. */
  forgetRefused(): void;
  /** Stores nothing any more. */
  close(): void;
}

/** What one tab tells the others of the same document. */
export interface TabMessage {
  readonly clientId: number;
  readonly update: Uint8Array;
  /** Why it has started the document over: what all of them stored is gone, and what they have of it may be refused. */
  readonly startedOver?: ResetReason;
}

export interface TabChannel {
  postMessage(message: TabMessage): void;
  close(): void;
}

/** Where documents are kept over reloads. A browser's is IndexedDB and BroadcastChannel; bring your own for anything else. */
export interface OfflineStorage {
  /** The user whom a server verified last; null: nobody, or signed out. */
  lastUser(): Promise<string | null>;
  setLastUser(userId: string): Promise<void>;
  /** @param onFailure called when something could not be stored: nothing will be from then on */
  open(userId: string, room: string, onFailure: (cause: unknown) => void): Promise<StoredDocument>;
  /** A channel to the other tabs. Null where there is none. */
  tabs(userId: string, room: string, generation: number, listener: (message: TabMessage) => void): TabChannel | null;
  /** Deletes all that is kept, of every user. Documents that are open are stored no longer; those of other tabs are told by `onFailure`. */
  clear(): Promise<void>;
}
