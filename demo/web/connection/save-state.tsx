import type { OpenDocument } from 'ashlar/client';
import { useSaveStatus, useUnsavedDocuments } from 'ashlar/react';

/** How far the edits of the page at hand have come; without a network, or where nothing is edited, those of all. @param document null: nothing is edited here */
export function SaveState({ document }: { document: OpenDocument | null }) {
  const status = useSaveStatus(document);
  const unsaved = useUnsavedDocuments().length > 0;
  const text = {
    saved: document === null && unsaved ? 'Changes not saved yet' : 'All changes saved',
    saving: 'Saving…',
    // Another tab may have some of its own.
    offline: unsaved ? 'Changes not saved yet' : 'No unsaved changes in this tab',
    refused: 'Not saved',
  }[status.state];
  return (
    <span className={`save save-${status.state}`} role="status" aria-label="Saving">
      {text}
    </span>
  );
}
