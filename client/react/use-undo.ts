import { useMemo } from 'react';
import { NOTHING_TO_UNDO, type UndoActions, type UndoOptions, type UndoState, undoOf } from '../features/undo.ts';
import type { DocumentSource } from './use-document.ts';
import { useStable, useStore } from './use-store.ts';

/**
 * Takes back what was done here, and nothing that others did. Components with the same options share their steps, which are kept
 * while one of them is mounted. An editor that brings an undo of its own has no need of it.
 */
export function useUndo(document: DocumentSource, options: UndoOptions = {}): UndoState & UndoActions {
  const doc = document?.doc;
  const types = useStable(options.types);
  const { captureTimeoutMs } = options;
  const store = useMemo(
    () => (doc === undefined ? null : undoOf(doc, { types, captureTimeoutMs })),
    [doc, types, captureTimeoutMs],
  );
  const state = useStore(store, NOTHING_TO_UNDO);
  return useMemo(
    () => ({
      ...state,
      undo: () => store?.undo(),
      redo: () => store?.redo(),
      stopCapturing: () => store?.stopCapturing(),
    }),
    [state, store],
  );
}
