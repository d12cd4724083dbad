import type * as Y from 'yjs';
import type { DocumentSession } from './document-session.ts';
import type { ResetReason } from './document-status.ts';

/** An open document as its keeper sees it. */
export interface KeptDocument {
  readonly room: string;
  readonly doc: Y.Doc;
  readonly session: DocumentSession;
  /** The transaction origin of what comes from the server. */
  readonly origin: unknown;
  /** Transaction origins of what is kept already, or is another tab's: no edits of this session. */
  readonly keptOrigins: Set<unknown>;
  /** What an earlier reset could not save. */
  unsaved: Uint8Array | null;
  /** Makes one of the Yjs updates (V1) that one Y.Doc told, in their order: what keeps does not bring a second copy of it, nor a file of its own that both would need. */
  merge(updates: readonly Uint8Array[]): Uint8Array;
  /** It is not wanted any more, here and where it is kept. */
  forgetUnsaved(): void;
  /** Something could not be kept: nothing will be from now on. */
  keepingFailed(cause: unknown): void;
}

/** Keeps a document over reloads, and in step with the other tabs. */
export interface Keeper {
  /** Whose it is. */
  readonly userId: string;
  /** Before each join: takes over what sessions that are gone have left. */
  beforeJoin(): Promise<void>;
  /** The session changed: its place in the log, or what of it is on the server's disk. */
  changed(): void;
  /** Forgets the content; keeps what was not saved, and has the other tabs start over too. This keeper's work ends. */
  startOver(unsaved: Uint8Array | null, reason: ResetReason): Promise<void>;
  /** The unsaved bytes of the last reset are back, or not wanted. */
  forgetUnsaved(): void;
  close(): void;
}

/** A document's keepers, one after the other. */
export interface Keeping {
  /**
   * Resolves once what was kept is in the document, or once nothing can be for now: whose it is must be asked, and nobody answers. Never
   * rejects: a document that cannot be kept works without.
   */
  readonly whenLoaded: Promise<void>;
  /** What was kept is not in the document yet: it must not join. */
  readonly isLoading: boolean;
  /** Whose what was kept is, once it is in the document: it must not come to another user's eyes, nor theirs into it. */
  readonly userId: string | undefined;
  /** Loads into the document's present Y.Doc. */
  load(): void;
  /** To be awaited before a join; null: nothing to wait for. */
  beforeJoin(): Promise<void> | null;
  changed(): void;
  startOver(unsaved: Uint8Array | null, reason: ResetReason): void;
  forgetUnsaved(): void;
  close(): void;
}

/**
 * Finds what keeps a document. Nothing is loaded yet.
 * @param onLoaded called after each load
 */
export type Keep = (document: KeptDocument, onLoaded: () => void) => Keeping;
