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

/** A document that is open while somebody subscribes; null until then. Making one does nothing. */
export function watchedDocument(
  client: Pick<Client, 'document'>,
  name: string,
  options: DocumentOptions = {},
): Readable<OpenDocument | null> {
  let generation = 0;
  return watched<OpenDocument | null>(null, (store) => {
    const handle = client.document(name, options);
    const show = (reset: ResetEvent | null): void =>
      store.set({ name, generation: generation++, doc: handle.doc, awareness: handle.awareness, handle, reset });
    show(null);
    return [handle.on('reset', show), () => handle.destroy(), () => store.set(null)];
  });
}
