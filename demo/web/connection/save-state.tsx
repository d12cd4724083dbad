import type { OpenDocument, SaveStatus } from 'ashlar/client';
import { useSaveStatus, useUnsavedDocuments } from 'ashlar/react';
import { useEffect, useState } from 'react';

/** Somebody who types is always saving: what flips with each key says nothing, aloud least of all. */
const SETTLED_MS = 700;

/** How far the edits of the page at hand have come; without a network, or where nothing is edited, those of all. @param document null: nothing is edited here */
export function SaveState({ document }: { document: OpenDocument | null }) {
  const { state } = useSaveStatus(document);
  const unsaved = useUnsavedDocuments().length > 0;
  const shown = useSettled(state);
  const text = {
    saved: document === null && unsaved ? 'Changes not saved yet' : 'All changes saved',
    saving: 'Saving…',
    // Another tab may have some of its own.
    offline: unsaved ? 'Changes not saved yet' : 'No unsaved changes in this tab',
    refused: 'Not saved',
  }[shown];
  return (
    <span className={`save save-${shown}`} role="status" aria-label="Saving">
      {text}
    </span>
  );
}

/** `saved` only once nothing was edited for a moment; all else at once. */
function useSettled(state: SaveStatus['state']): SaveStatus['state'] {
  const [wasSaving, setSaving] = useState(false);
  if (state !== 'saved' && wasSaving !== (state === 'saving')) setSaving(state === 'saving');
  useEffect(() => {
    if (state !== 'saved') return;
    const timer = setTimeout(() => setSaving(false), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return state === 'saved' && wasSaving ? 'saving' : state;
}
