import * as Y from 'yjs';
import type { Report } from '../report.ts';

/** A document's content as its session sees it. */
export interface Replica {
  readonly clientId: number;
  stateVector(): Uint8Array;
  /** Applies others' updates, as one transaction. Throws where they do not apply; what observers throw is reported: the content stands. */
  apply(updates: readonly Uint8Array[]): void;
  /**
   * A full step: all that the server's state vector lacks, with all deletions, and nothing that is still pending here.
   * @param known an update that holds the server's deletions; null is returned where there is nothing beyond it
   */
  missing(serverStateVector: Uint8Array, known?: Uint8Array): Uint8Array | null;
  /** Whether the content holds anything written under `clientId`. */
  hasOwnContent(): boolean;
  /** Takes another client id, in place: only where there is no own content. */
  takeClientId(clientId: number): void;
}

/** The transaction origin of everything that the SDK applies to `doc`. */
export type ReplicaOrigin = object;

export function createReplica(doc: Y.Doc, origin: ReplicaOrigin, onNewClientId: () => void, report: Report): Replica {
  return {
    get clientId() {
      return doc.clientID;
    },
    stateVector: () => Y.encodeStateVector(doc),
    apply(updates) {
      let applied = false;
      const applyAll = () => {
        for (const update of updates) Y.applyUpdate(doc, update, origin);
        applied = true;
      };
      try {
        Y.transact(doc, applyAll, origin, false);
      } catch (error) {
        // Observers run once all is applied. An editor binding that throws (y-tiptap does, on some selections) damages no document.
        if (!applied) throw error;
        report(error, 'observer of a document');
      }
    },
    missing(serverStateVector, known) {
      const update = encodeWithoutPending(doc, serverStateVector);
      const { structs, ds } = Y.decodeUpdate(update);
      if (structs.length > 0) return update;
      if (known === undefined) return ds.clients.size === 0 ? null : update;
      const theirs = Y.decodeUpdate(known).ds;
      return countDeleted(theirs) === countDeleted(theirs, ds) ? null : update;
    },
    hasOwnContent: () => Y.getState(doc.store, doc.clientID) > 0,
    takeClientId(clientId) {
      doc.clientID = clientId;
      onNewClientId();
    },
  };
}

// Yjs adds what is pending, structs whose predecessors are missing: the server could not tell them from a gap.
function encodeWithoutPending(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
  const { store } = doc;
  const { pendingStructs, pendingDs } = store;
  store.pendingStructs = null;
  store.pendingDs = null;
  try {
    return Y.encodeStateAsUpdate(doc, stateVector);
  } finally {
    store.pendingStructs = pendingStructs;
    store.pendingDs = pendingDs;
  }
}

type DeleteSet = ReturnType<typeof Y.decodeUpdate>['ds'];

/** How many clocks are deleted in one or the other. */
function countDeleted(...sets: DeleteSet[]): number {
  const ranges = [...Y.mergeDeleteSets(sets).clients.values()].flat();
  return ranges.reduce((sum, { len }) => sum + len, 0);
}
