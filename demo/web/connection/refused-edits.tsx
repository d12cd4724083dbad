import type { OpenDocument, SaveStatus } from 'ashlar/client';
import { useSaveStatus } from 'ashlar/react';
import { useEffect, useState } from 'react';
import * as Y from 'yjs';
import { useHasStopped } from '../offline/has-stopped.ts';
import { mayWrite, useAccess } from '../offline/remembered-access.ts';
import { sayWhy } from '../shared/say-why.ts';

type Refusal = Extract<SaveStatus, { state: 'refused' }>;

export interface RefusedEditsProps {
  document: OpenDocument;
  title: string;
  /** The content in words. */
  text: (doc: Y.Doc) => string;
}

/** Says what became of edits that the server did not take, on this visit or an earlier one, and offers the text with them for download. */
export function RefusedEdits({ document, title, text }: RefusedEditsProps) {
  const { handle } = document;
  const status = useSaveStatus(document);
  const access = useAccess(document);
  const [left, setLeft] = useState<Uint8Array | null>(null);
  // A document that has stopped stays refused: that one has been told is kept here.
  const hasStopped = useHasStopped(document);
  const [isClosed, setClosed] = useState(false);
  // Told here, and not to the console.
  useEffect(() => handle.on('error', () => {}), [handle]);
  useEffect(() => {
    let wanted = true;
    setLeft(null);
    void handle.whenLoaded.then(() => wanted && setLeft(handle.unsaved));
    return () => {
      wanted = false;
    };
  }, [handle]);
  const refusal = status.state === 'refused' ? status : null;
  const mayEditAgain = isOfAccess(refusal) && mayWrite(access);
  // The refusal is over then; what it took is on offer all the same, and the focus stays where it is.
  const refused = mayEditAgain || (hasStopped && isClosed) ? null : refusal;
  const offered = mayEditAgain ? handle.unsaved : left;
  useEffect(() => {
    if (!mayEditAgain || refusal === null) return;
    setLeft(handle.unsaved);
    refusal.dismiss();
  }, [mayEditAgain, refusal, handle]);
  if (refused === null && offered === null) return null;
  const close = (): void => {
    refusal?.dismiss();
    handle.forgetUnsaved();
    setLeft(null);
    setClosed(hasStopped);
  };
  return (
    <div className={refused === null ? 'banner banner-lost' : 'banner banner-failed'} role="alert">
      <span>
        {refused === null ? 'Earlier changes of yours could not be saved, and are not in this text.' : describe(refused)}
      </span>
      <button
        type="button"
        className="button"
        onClick={() => download(title, text(withUnsaved(document.doc, refused?.unsaved ?? offered)))}
      >
        Download as text
      </button>
      <button type="button" className="button" onClick={close}>
        Close
      </button>
    </div>
  );
}

function isOfAccess(refused: Refusal | null): boolean {
  return refused?.reason === 'read-only' || refused?.reason === 'access-denied';
}

function describe(refused: Refusal): string {
  if (isOfAccess(refused)) return 'You may no longer edit this. What you changed last was not saved.';
  if (refused.unsaved === null && refused.error === null) return `You can no longer edit this: ${sayWhy(refused.reason)}.`;
  return `This could not be saved: ${sayWhy(refused.reason)}.`;
}

/** The document as it would be, had the edits been taken. */
function withUnsaved(doc: Y.Doc, unsaved: Uint8Array | null): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  if (unsaved !== null) Y.applyUpdate(copy, unsaved);
  return copy;
}

function download(title: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/markdown' }));
  const name = `${title.replaceAll(/[^\p{L}\p{N} _-]/gu, '').trim() || 'page'}.md`;
  const link = Object.assign(window.document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}
