import type * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import type { AshlarError } from '../../shared/errors.ts';
import type { DocumentStatus, ResetReason } from './document-status.ts';

/** What happened to the content of a document, and what became of the edits that were not saved. */
export interface ResetEvent {
  readonly reason: ResetReason;
  /** A Yjs update (V1) of what was not saved, written against `previous`; null: all was saved. */
  readonly unsaved: Uint8Array | null;
  /** The SDK will put the unsaved edits into `doc` by itself. Where they do not fit, a second event says false, with `doc` as `previous`. */
  readonly restoring: boolean;
  readonly previous: Y.Doc;
  /** The document from now on: a fresh one, or `previous` where the SDK stopped. Mount bindings again. */
  readonly doc: Y.Doc;
}

/** A document's events. `status` and `sync` are y-websocket's, as bindings expect them. */
export interface DocumentEvents {
  status: [event: { status: 'connecting' | 'connected' | 'disconnected'; detail: DocumentStatus }];
  sync: [synced: boolean];
  /** Everything that others saved is here. */
  synced: [synced: true];
  /** The server put edits on disk; so many are left. */
  saved: [event: { unsavedChanges: number }];
  access: [access: Access];
  reset: [event: ResetEvent];
  error: [error: AshlarError];
}

/** What a document tells its handles. */
export type DocumentListener = <Name extends keyof DocumentEvents>(name: Name, ...event: DocumentEvents[Name]) => void;
