import { useMemo } from 'react';
import { NOTHING_TO_UNDO, type UndoActions, type UndoOptions, type UndoState, undoOf } from '../features/undo.ts';
import { constant } from '../watched.ts';
import type { DocumentSource } from './use-document.ts';
import { useStable, useStore } from './use-store.ts';

const nothing = (): void => {};
const NO_UNDO = { ...constant(NOTHING_TO_UNDO), undo: nothing, redo: nothing, stopCapturing: nothing };

/**
 * Takes back what was done here, and nothing that others did. Components with the same options share their steps, which are kept
 * while one of them is mounted. An editor that brings an undo of its own has no need of it.
 */
export function useUndo(document: DocumentSource, options: UndoOptions = {}): UndoState & UndoActions {
  const doc = document?.doc;
  const types = useStable(options.types);
  const { captureTimeoutMs } = options;
  const undo = useMemo(
    () => (doc === undefined ? NO_UNDO : undoOf(doc, { types, captureTimeoutMs })),
    [doc, types, captureTimeoutMs],
  );
  const state = useStore(undo, NOTHING_TO_UNDO);
  return useMemo(() => ({ ...state, undo: undo.undo, redo: undo.redo, stopCapturing: undo.stopCapturing }), [state, undo]);
}
