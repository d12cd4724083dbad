import type { OpenDocument } from 'ashlar/client';
import { useConnectionStatus, useReadable } from 'ashlar/react';
import { type ReactNode, useCallback, useSyncExternalStore } from 'react';
import type * as Y from 'yjs';
import { sayWhy } from '../shared/say-why.ts';
import { NotLoaded, useIsNotLoaded } from './not-loaded.tsx';

/** Documents that were here whole at some time: an empty one is empty then, and not missing. */
const seenWhole = new WeakSet<Y.Doc>();

/** Shows a document's content once it is on this device, and says until then what one waits for. @param what such as `page` */
export function WhenHere({ document, what, children }: { document: OpenDocument; what: string; children: ReactNode }) {
  const here = useIsHere(document);
  const mayCome = useConnectionStatus(({ state }) => state === 'connected' || state === 'connecting' || state === 'idle');
  const isNotLoaded = useIsNotLoaded(document);
  const stopped = useReadable(document.handle.status, (status) => (status.state === 'stopped' ? status.reason : null));
  if (here) return children;
  if (stopped !== null)
    return (
      <p className="empty" role="status" data-focus-home>
        This {what} cannot be opened: {sayWhy(stopped)}.
      </p>
    );
  if (isNotLoaded)
    return (
      <div className="empty">
        <NotLoaded />
      </div>
    );
  if (mayCome) return <p className="empty">Opening…</p>;
  return (
    <div className="empty">
      <p>
        <strong>This {what} has not been loaded on this device yet.</strong>
      </p>
      <p>It opens by itself when the connection is back.</p>
    </div>
  );
}

function useIsHere({ doc, handle }: OpenDocument): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const onStatus = (): void => {
        if (handle.synced) seenWhole.add(doc);
        changed();
      };
      const stop = handle.status.subscribe(onStatus);
      doc.on('update', changed);
      onStatus();
      return () => {
        stop();
        doc.off('update', changed);
      };
    },
    [doc, handle],
  );
  return useSyncExternalStore(subscribe, () => doc.store.clients.size > 0 || handle.synced || seenWhole.has(doc));
}
