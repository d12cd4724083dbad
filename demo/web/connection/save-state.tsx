import type { OpenDocument } from 'ashlar/client';
import { useSaveStatus } from 'ashlar/react';
import { useEffect } from 'react';

/** How far the edits of the page at hand have come. @param document null: nothing is edited here */
export function SaveState({ document }: { document: OpenDocument | null }) {
  const status = useSaveStatus(document);
  const changes = 'changes' in status ? `${status.changes} ${status.changes === 1 ? 'change' : 'changes'}` : '';
  const text = {
    saved: 'All changes saved',
    saving: 'Saving…',
    offline: changes.startsWith('0 ') ? 'Nothing to save' : `${changes} not saved yet`,
    refused: 'Not saved',
  }[status.state];
  return (
    <span className={`save save-${status.state}`} role="status" aria-label="Saving">
      {text}
    </span>
  );
}

/** Says what became of edits that the server did not take, and offers them for download. */
export function RefusedEdits({ document }: { document: OpenDocument | null }) {
  const status = useSaveStatus(document);
  // Told here, and not to the console.
  useEffect(() => document?.handle.on('error', () => {}), [document]);
  if (status.state !== 'refused') return null;
  const { unsaved, error, dismiss } = status;
  const text =
    status.reason === 'read-only' || status.reason === 'access-denied'
      ? 'You may no longer edit this page. What you wrote last was not saved.'
      : `This could not be saved: ${error?.message ?? status.reason}`;
  return (
    <div className="banner banner-failed" role="alert">
      <span>{text}</span>
      {unsaved === null ? null : (
        <button type="button" className="button" onClick={() => download(unsaved)}>
          Download it
        </button>
      )}
      <button type="button" className="button" onClick={dismiss}>
        Close
      </button>
    </div>
  );
}

function download(update: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(update)]));
  const link = Object.assign(window.document.createElement('a'), { href: url, download: 'unsaved-changes.yjs' });
  link.click();
  URL.revokeObjectURL(url);
}
