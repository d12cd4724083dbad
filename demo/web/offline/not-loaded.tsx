import type { OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';

/** Whether a document waits for a part of the app that did not load. */
export function useIsNotLoaded({ handle }: OpenDocument): boolean {
  return useReadable(handle.status, (status) => status.state === 'refused' && status.error.code === 'not-loaded');
}

/** Says so, in the place of what does not come. */
export function NotLoaded() {
  return <p role="status">A part of this app did not load. It is asked for again; should it stay away, load the app anew.</p>;
}
