import type * as Y from 'yjs';
import { AshlarError } from '../../shared/errors.ts';
import type { DocumentLog } from './worker/compact.ts';
import { loadDoc } from './worker/load-doc.ts';
import { mergeTree } from './worker/merge-tree.ts';

// The one place on the event loop where a Y.Doc is made, and it lives only as long as an edit: the documented exception of invariant 6.

/** What an edit did. */
export interface DocumentEdit<Result> {
  /** Everything that `change` did to the document, as one Yjs update (V1); null where it did nothing. */
  readonly update: Uint8Array | null;
  /** What `change` returned. Types of the document that it holds can be read, but belong to a document that is no more. */
  readonly result: Result;
}

/**
 * Runs `change` on a document, in one transaction.
 * @param edit `clientId`: the Yjs client id that new content is written under: one that nobody else writes under at the same time
 * @throws AshlarError `document-damaged` where the log does not apply, `invalid-options` where `change` is asynchronous or destroys the document; whatever `change` throws
 */
export function editDocument<Result>(
  edit: DocumentLog & { readonly clientId: number; readonly change: (doc: Y.Doc) => Result },
): DocumentEdit<Result> {
  const doc = readDocument(edit);
  try {
    doc.clientID = edit.clientId;
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    const result = doc.transact(() => edit.change(doc));
    // Nobody was told any more of what was written.
    if (doc.isDestroyed)
      throw new AshlarError('invalid-options', { detail: 'an edit must not destroy the document: it is not the caller’s' });
    if (isThenable(result)) {
      result.then(null, () => {}); // told below
      throw new AshlarError('invalid-options', {
        detail: 'an edit of a document must be synchronous: gather what it needs before, and change the document in one go',
      });
    }
    return { update: updates.length === 0 ? null : mergeTree(updates), result };
  } finally {
    doc.destroy();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

/**
 * The document that a snapshot (null: none) and the updates behind it give. The caller destroys it.
 * @throws AshlarError `document-damaged` where they do not apply
 */
export function readDocument({ state, updates }: DocumentLog): Y.Doc {
  return loadDoc(state, updates);
}
