import type * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import type { AshlarError } from '../../shared/errors.ts';
import type { DocumentStatus, ResetReason } from './document-status.ts';

/** What happened to the content of a document, and what became of the edits that were not saved. */
export interface ResetEvent {
  readonly reason: ResetReason;
  /** A Yjs update (V1) of what was not saved, written against `previous`; null: all was saved. */
  readonly unsaved: Uint8Array | null;
  /** The SDK will put the unsaved edits into `doc` by itself. */
  readonly restoring: boolean;
  readonly previous: Y.Doc;
  /** The document from now on: a fresh one, or `previous` where the SDK stopped. Mount bindings again. */
  readonly doc: Y.Doc;
}

/** What a document tells its handles. */
export interface DocumentListener {
  status(status: DocumentStatus): void;
  sync(synced: boolean): void;
  saved(unsavedChanges: number): void;
  access(access: Access): void;
  reset(event: ResetEvent): void;
  error(error: AshlarError): void;
}
