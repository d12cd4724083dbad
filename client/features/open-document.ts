import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Client } from '../create-client.ts';
import type { DocumentHandle } from '../documents/document-handle.ts';
import type { ResetEvent } from '../documents/document-listener.ts';
import type { DocumentOptions } from '../documents/documents.ts';
import type { Readable } from '../readable.ts';
import { watched } from '../watched.ts';

/** A document as it is mounted: another object after each reset, so that bindings mount again. */
export interface OpenDocument {
  readonly name: string;
  /** Grows with each reset: the `key` of an editor that must mount again. */
  readonly generation: number;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** Status, access, unsaved changes, events. */
  readonly handle: DocumentHandle;
  /** What the last reset did, and what it could not save; null: there was none. */
  readonly reset: ResetEvent | null;
}

/**
 * A document that is open while somebody subscribes; null until then. Making one does nothing. Where the page has it open otherwise (with
 * another `doc`, not `offline`) with edits that are not saved, it is shown as it is until they are, and then opened with these options.
 */
export function watchedDocument(
  client: Pick<Client, 'document'>,
  name: string,
  options: DocumentOptions = {},
): Readable<OpenDocument | null> {
  let generation = 0;
  return watched<OpenDocument | null>(null, (store, isFirst) => {
    let handle: DocumentHandle;
    const show = (reset: ResetEvent | null): void =>
      store.set({ name, generation: generation++, doc: handle.doc, awareness: handle.awareness, handle, reset });
    const open = (wanted?: DocumentOptions): void => {
      handle = client.document(name, wanted);
      handle.on('reset', show);
      show(null);
    };
    const begin = (): void => {
      try {
        open(options);
      } catch (error) {
        if (isFirst) throw error;
        open();
        if (handle.unsavedChanges.get() === 0) {
          end();
          throw error;
        }
        handle.on('saved', ({ unsavedChanges }) => {
          if (unsavedChanges > 0) return;
          end();
          begin();
        });
      }
    };
    const end = (): void => {
      handle.destroy();
      store.set(null);
    };
    begin();
    return [end];
  });
}
