import type { OpenDocument } from 'ashlar/client';
import { useSaveStatus } from 'ashlar/react';

/** How far the edits of the page at hand have come. @param document null: nothing is edited here */
export function SaveState({ document }: { document: OpenDocument | null }) {
  const status = useSaveStatus(document);
  const text = {
    saved: 'All changes saved',
    saving: 'Saving…',
    // Another tab may have some of its own.
    offline: 'changes' in status && status.changes > 0 ? 'Changes not saved yet' : 'No unsaved changes in this tab',
    refused: 'Not saved',
  }[status.state];
  return (
    <span className={`save save-${status.state}`} role="status" aria-label="Saving">
      {text}
    </span>
  );
}
