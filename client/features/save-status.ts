import type { AshlarError } from '../../shared/errors.ts';
import type { DocumentHandle } from '../documents/document-handle.ts';
import type { ResetEvent } from '../documents/document-listener.ts';
import type { ResetReason } from '../documents/document-status.ts';
import type { Readable } from '../readable.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';
import { sharedStore } from './shared-store.ts';

export type SaveStatus =
  /** Everything that was edited here is on the server's disk. */
  | { readonly state: 'saved' }
  /** `changes` are on their way. */
  | { readonly state: 'saving'; readonly changes: number }
  /** Nothing can be saved now; `changes` wait. */
  | { readonly state: 'offline'; readonly changes: number }
  /** The server does not take what was edited, or lets this user in no longer. */
  | {
      readonly state: 'refused';
      readonly reason: ResetReason;
      readonly error: AshlarError | null;
      /** What was not saved, a Yjs update (V1): offer it for download. Null: nothing. */
      readonly unsaved: Uint8Array | null;
      /** The user has been told. */
      readonly dismiss: () => void;
    };

/** What is shown before anything is known. */
export const SAVED: SaveStatus = { state: 'saved' };

/** The save status of a handle that all parts of a page share: what is dismissed in one is so in the others. */
export function saveStatusOf(client: Pick<FeatureClient, 'status'>, handle: DocumentHandle): Readable<SaveStatus> {
  return sharedStore(handle, 'save-status', () => createSaveStatus(client, handle));
}

/** How far a document's edits have come. Making one does nothing; it lives while somebody subscribes. */
export function createSaveStatus(client: Pick<FeatureClient, 'status'>, handle: DocumentHandle): Readable<SaveStatus> {
  /** The refusal that the user has been told of. */
  let told: AshlarError | null = null;
  let refused: Pick<ResetEvent, 'reason' | 'unsaved'> | null = null;
  const store = watched<SaveStatus>(SAVED, () => {
    show();
    return [
      handle.status.subscribe(show),
      handle.unsavedChanges.subscribe(show),
      client.status.subscribe(show),
      handle.on('reset', ({ reason, unsaved, restoring }) => {
        if (unsaved !== null && !restoring) refused = { reason, unsaved };
        show();
      }),
    ];
  });
  return store;

  function show(): void {
    store.set(current());
  }

  function current(): SaveStatus {
    const status = handle.status.get();
    const changes = handle.unsavedChanges.get();
    if (status.state === 'stopped') return refusal(status.reason, null, handle.unsaved);
    if (status.state === 'refused' && changes > 0) {
      if (told !== status.error) return refusal(status.error.code, status.error, null);
      return { state: 'offline', changes };
    }
    if (refused !== null) return refusal(refused.reason, null, refused.unsaved);
    const connection = client.status.get();
    // Opening a page is no reason to speak of the network; that a lost connection is tried again is none to call it back.
    const first = connection.state === 'connecting' && connection.attempt === 1;
    const coming = connection.state === 'connected' || connection.state === 'idle' || first;
    if (!coming) return { state: 'offline', changes };
    return changes === 0 ? SAVED : { state: 'saving', changes };
  }

  function refusal(reason: ResetReason, error: AshlarError | null, unsaved: Uint8Array | null): SaveStatus {
    return { state: 'refused', reason, error, unsaved, dismiss };
  }

  function dismiss(): void {
    const status = handle.status.get();
    if (status.state === 'refused') told = status.error;
    refused = null;
    show();
  }
}
