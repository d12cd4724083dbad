import type * as Y from 'yjs';
import type { QuarantinedUpdate } from './documents.ts';

/** Server-side access to documents. */
export interface ServerDocuments {
  /** Edits a document in one Yjs transaction; resolves with what `change` returned once the edit is on disk and sent. @throws AshlarError `gone`, `document-damaged`, `storage-…` */
  transact<Result>(name: string, change: (doc: Y.Doc) => Result): Promise<Result>;
  /** A copy of a document as it is on disk; destroy it when done. @throws AshlarError `gone`, `document-damaged` */
  read(name: string): Promise<Y.Doc>;
  /** Names that start with `prefix`, of all documents ever written or created and not deleted. */
  list(prefix?: string): Promise<string[]>;
  /** Creates a document (or opens a deleted one's name again) and seeds it once, where it is still empty. */
  create(name: string, seed?: (doc: Y.Doc) => void): Promise<{ created: boolean }>;
  /** Updates that were set aside because they damaged the document, with who wrote them. They may not load. */
  quarantined(name: string): Promise<QuarantinedUpdate[]>;
  /** Deletes a document and leaves a tombstone: joiners get `gone` until it is created again. */
  delete(name: string): Promise<void>;
}
