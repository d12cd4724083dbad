import type { Events } from '../shared/catalog.ts';
import type { DocumentHandle } from './documents/document-handle.ts';
import {
  DOCUMENTS_OPTIONS,
  type DocumentOptions,
  Documents,
  type DocumentsOptions,
  type UnsavedDocument,
} from './documents/documents.ts';
import { buildEventClient, type EventClient, type EventClientOptions } from './event-client.ts';
import type { Readable } from './readable.ts';

export interface ClientOptions<Own extends Events = []> extends EventClientOptions<Own>, DocumentsOptions {}

/** The whole SDK: events, rooms, presence, and co-edited documents. */
export interface Client<Own extends Events = []> extends EventClient<Own> {
  /**
   * Opens a document, `doc:<name>`. Handles of one name share one document and one subscription; each needs its `destroy`.
   * Editable at once, also offline: edits wait until saved.
   * @throws AshlarError `invalid-room` for a bad name, `invalid-options` where an option is wrong or unknown, or the name is open with
   *   another Y.Doc
   */
  document(name: string, options?: DocumentOptions): DocumentHandle;
  /**
   * Deletes everything that documents with `offline` have kept in this browser, unsaved edits too: for signing out. Documents that are open
   * stay as they are, and are kept no longer.
   * @returns resolves once it is deleted
   */
  clearOffline(): Promise<void>;
  /**
   * The documents that this client has open with edits that are not on the server's disk, in the order in which they were opened:
   * what signing out, or `destroy`, would lose. Those whose handles are destroyed are among them until they are saved.
   */
  readonly unsavedDocuments: Readable<readonly UnsavedDocument[]>;
}

/**
 * A client: one connection for events and documents.
 * @throws AshlarError `invalid-options` where an option is wrong or unknown, or an event declared twice; its detail names it
 * @example
 * const client = createClient({ url: 'https://app.example.com', token: () => fetchToken() });
 * void client.connect();
 * const { doc, awareness } = client.document('handbook');
 */
export function createClient<const Own extends Events = []>(options: ClientOptions<Own>): Client<Own> {
  const { client, core } = buildEventClient(options, DOCUMENTS_OPTIONS);
  const documents = new Documents(core, options);
  return {
    ...client,
    document: (name, documentOptions) => documents.open(name, documentOptions ?? {}),
    clearOffline: () => documents.clearOffline(),
    unsavedDocuments: documents.unsaved,
    destroy() {
      documents.destroy();
      client.destroy();
    },
  };
}
