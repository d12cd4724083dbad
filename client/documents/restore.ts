import * as Y from 'yjs';
import { rewriteClientId } from './rewrite-client-id.ts';
import type { Unsaved } from './unsaved.ts';

/** The transaction origin under which unsaved edits come back: a local edit like any other. */
export const RESTORE_ORIGIN = 'ashlar:restore';

/**
 * Puts unsaved edits into a fresh document that has the server's state, under the document's own client id.
 * @returns false where they do not fit (they build on something that the server does not have): the document is untouched
 */
export function restoreUnsaved(doc: Y.Doc, { update, clientId }: Pick<Unsaved, 'update' | 'clientId'>): boolean {
  const clock = Y.getState(doc.store, doc.clientID);
  let rewritten: Uint8Array;
  try {
    rewritten = rewriteClientId(update, { from: clientId, to: doc.clientID, clock });
  } catch {
    return false;
  }
  // Under any other id nobody can tell whether the server has the same content there.
  for (const client of Y.parseUpdateMeta(rewritten).to.keys()) if (client !== doc.clientID) return false;
  // Yjs keeps what does not fit as pending, for ever: try it on a copy.
  const copy = new Y.Doc();
  try {
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
    Y.applyUpdate(copy, rewritten);
    if (copy.store.pendingStructs !== null || copy.store.pendingDs !== null) return false;
  } catch {
    return false;
  } finally {
    copy.destroy();
  }
  Y.transact(
    doc,
    (transaction) => {
      Y.applyUpdate(doc, rewritten);
      // A local edit: Yjs takes structs of our own id in a remote one for another client's, and changes doc.clientID.
      transaction.local = true;
    },
    RESTORE_ORIGIN,
  );
  return true;
}
