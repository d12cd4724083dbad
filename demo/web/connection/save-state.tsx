import type { OpenDocument, SaveStatus } from 'ashlar/client';
import { useSaveStatus } from 'ashlar/react';
import { useEffect, useState } from 'react';

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

/** Says what became of edits that the server did not take, on this visit or an earlier one, and offers them for download. */
export function RefusedEdits({ document }: { document: OpenDocument | null }) {
  const status = useSaveStatus(document);
  const handle = document?.handle;
  const [left, setLeft] = useState<Uint8Array | null>(null);
  // Told here, and not to the console.
  useEffect(() => handle?.on('error', () => {}), [handle]);
  useEffect(() => {
    let wanted = true;
    setLeft(null);
    void handle?.whenLoaded.then(() => wanted && setLeft(handle.unsaved));
    return () => {
      wanted = false;
    };
  }, [handle]);
  const refused = status.state === 'refused' ? status : null;
  if (refused === null && left === null) return null;
  const unsaved = refused?.unsaved ?? left;
  const close = (): void => {
    refused?.dismiss();
    handle?.forgetUnsaved();
    setLeft(null);
  };
  return (
    <div className="banner banner-failed" role="alert">
      <span>{refused === null ? 'Changes of an earlier visit could not be saved.' : describe(refused)}</span>
      {unsaved === null ? null : (
        <button type="button" className="button" onClick={() => download(unsaved)}>
          Download them
        </button>
      )}
      <button type="button" className="button" onClick={close}>
        Close
      </button>
    </div>
  );
}

function describe({ reason, error }: Extract<SaveStatus, { state: 'refused' }>): string {
  if (reason === 'read-only' || reason === 'access-denied')
    return 'You may no longer edit this. What you changed last was not saved.';
  return `This could not be saved: ${error?.message ?? reason}`;
}

function download(update: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(update)]));
  const link = Object.assign(window.document.createElement('a'), { href: url, download: 'unsaved-changes.yjs' });
  link.click();
  URL.revokeObjectURL(url);
}
