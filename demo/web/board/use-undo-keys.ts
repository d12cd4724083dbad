import { useEffect } from 'react';

/** Ctrl+Z and Shift+Ctrl+Z (⌘ on a Mac) for the page, but for its text fields, which have an undo of their own. */
export function useUndoKeys(undo: () => void, redo: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target, key } = event;
      if (!(event.ctrlKey || event.metaKey) || event.altKey || key.toLowerCase() !== 'z') return;
      if (target instanceof HTMLElement && (target.isContentEditable || target.matches('input, select, textarea'))) return;
      event.preventDefault();
      if (event.shiftKey) redo();
      else undo();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [undo, redo]);
}
