import * as Y from 'yjs';
import { AshlarError } from '../../../shared/errors.ts';
import { applySingly } from './apply-singly.ts';

/**
 * A snapshot and the updates behind it, applied in order to a fresh Y.Doc, one by one as a member gets them. The caller destroys it.
 * @throws AshlarError `document-damaged`: an update does not apply (its index is named), or something stays pending
 */
export function loadDoc(state: Uint8Array | null, updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc({ gc: true });
  try {
    if (state !== null) Y.applyUpdate(doc, state);
  } catch (error) {
    throw damaged('the snapshot does not apply', error);
  }
  applyBehind(doc, updates);
  return doc;
}

/**
 * Applies the updates that follow, in order, one by one as a member gets them.
 * @throws AshlarError as `loadDoc`; then the document is of no use any more
 */
export function applyBehind(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  let applying = 'the snapshot';
  let failure: { readonly error: unknown } | null = null;
  try {
    doc.transact((transaction) => {
      try {
        applySingly(transaction, updates, (index) => {
          applying = `update ${index} of ${updates.length}`;
        });
      } catch (error) {
        failure = { error };
      }
      // Behind a transaction of somebody else that changes a text which was there before, Yjs deletes redundant formats. A peer tells the
      // others about that; here it would put deletions into the snapshot that no record holds, and members and joiners would differ.
      transaction.local = true;
    });
  } catch (error) {
    failure ??= { error };
  }
  if (failure !== null) throw damaged(`${applying} does not apply`, (failure as { readonly error: unknown }).error);
  const { pendingStructs, pendingDs } = doc.store;
  if (pendingStructs !== null) {
    const missing = [...pendingStructs.missing].slice(0, 5).map(([client, clock]) => `${client}:${clock}`);
    throw damaged(`pending structs, which wait for ${missing.join(', ')}`);
  }
  if (pendingDs !== null) throw damaged('pending deletes of what the log does not have');
}

/** The error of every document that cannot be loaded; `detail` says what is wrong. */
export function damaged(detail: string, cause?: unknown): AshlarError {
  const reason = cause === undefined ? '' : ` (${cause instanceof Error ? cause.message : String(cause)})`;
  return new AshlarError('document-damaged', { detail: `${detail}${reason}`, cause });
}
