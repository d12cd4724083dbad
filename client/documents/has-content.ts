import type * as Y from 'yjs';

/** Whether a document holds anything at all, deletions included. */
export function hasContent(doc: Y.Doc): boolean {
  return doc.store.clients.size > 0 || doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}
