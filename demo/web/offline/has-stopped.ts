import type { OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';

/** Whether a document takes nothing any more, such as one that was deleted: what is written into it reaches nobody. */
export function useHasStopped({ handle }: Pick<OpenDocument, 'handle'>): boolean {
  return useReadable(handle.status, ({ state }) => state === 'stopped');
}
