import { type Doc, type Transaction, UndoManager } from 'yjs';
import type { Readable } from '../readable.ts';
import { watched } from '../watched.ts';
import { sharedStore } from './shared-store.ts';

export interface UndoState {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

export interface UndoActions {
  /** Takes back the last thing done here. What others did since stays. */
  undo(): void;
  redo(): void;
  /** What follows is a step of its own, however soon it comes. */
  stopCapturing(): void;
}

export interface Undo extends Readable<UndoState>, UndoActions {}

export interface UndoOptions {
  /** Names of the root types whose changes count, such as `['board']`. Default: all. */
  types?: readonly string[] | undefined;
  /** Edits that follow each other within this are one step, ms. Default 500. */
  captureTimeoutMs?: number | undefined;
}

/** What is shown before anything was done. */
export const NOTHING_TO_UNDO: UndoState = { canUndo: false, canRedo: false };

/** The undo of a document that all parts of a page share. */
export function undoOf(doc: Doc, options: UndoOptions = {}): Undo {
  return sharedStore(doc, `undo:${JSON.stringify([options.types, options.captureTimeoutMs])}`, () => createUndo(doc, options));
}

// One's own edits have many origins (none, each editor binding's); what came from elsewhere is told by `transaction.local`.
class AnyOrigin extends Set<unknown> {
  override has(): boolean {
    return true;
  }
}

/** Undoes one's own edits alone. It watches while somebody subscribes, and forgets its steps when all have gone. */
export function createUndo(doc: Doc, { types, captureTimeoutMs = 500 }: UndoOptions = {}): Undo {
  let manager: UndoManager | null = null;
  const counts = (transaction: Transaction): boolean => {
    if (!transaction.local) return false;
    // Looked up anew: a root type is replaced when it is first asked for by its kind.
    return types === undefined || types.some((name) => transaction.changedParentTypes.has(doc.share.get(name) as never));
  };
  const store = watched<UndoState>(NOTHING_TO_UNDO, () => {
    const own = new UndoManager(doc, {
      captureTimeout: captureTimeoutMs,
      trackedOrigins: new AnyOrigin(),
      captureTransaction: counts,
    });
    const show = (): void => store.set({ canUndo: own.canUndo(), canRedo: own.canRedo() });
    manager = own;
    for (const name of ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const) own.on(name, show);
    return [
      () => {
        manager = null;
        own.destroy();
        store.set(NOTHING_TO_UNDO);
      },
    ];
  });
  return {
    get: store.get,
    subscribe: store.subscribe,
    undo: () => void manager?.undo(),
    redo: () => void manager?.redo(),
    stopCapturing: () => manager?.stopCapturing(),
  };
}
