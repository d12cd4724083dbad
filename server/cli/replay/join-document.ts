import * as Y from 'yjs';
import { type Client, createClient } from '../../../client/create-client.ts';
import type { DocumentHandle } from '../../../client/documents/document-handle.ts';
import { AshlarError } from '../../../shared/errors.ts';
import { type Participant, unlessAborted } from './play.ts';
import type { Settling } from './settle.ts';
import { TEXT } from './write-updates.ts';

export interface JoinOptions {
  readonly url: string;
  /** Path of Socket.IO. */
  readonly path: string;
  readonly token: string;
  readonly document: string;
  /** The Yjs client id to write under; undefined: the SDK draws one. */
  readonly clientId: number | undefined;
  /** What people read about this client. */
  readonly label: string;
  /** Told what ends the replay: a refusal, or content that was given up. */
  readonly onFailure: (error: AshlarError) => void;
  /** Told that something came from the server. */
  readonly onActivity: () => void;
  readonly signal: AbortSignal;
}

/** A connected client with one document open, and in sync. */
export interface Joined extends Participant, Settling {
  readonly label: string;
  readonly handle: DocumentHandle;
  close(): void;
}

/** Connects a client of the SDK and opens the document. @throws AshlarError what the server refuses; the signal's reason */
export async function joinDocument(options: JoinOptions): Promise<Joined> {
  const { url, path, token, label, onFailure, onActivity, signal } = options;
  const client: Client = createClient({ url, path, token, transports: ['websocket'] });
  try {
    await unlessAborted(client.connect(), signal);
    const handle = client.document(options.document, options.clientId === undefined ? {} : { doc: docOf(options.clientId) });
    handle.on('reset', ({ reason }) =>
      onFailure(new AshlarError('internal', { detail: `${label} was reset by the server: ${reason}` })),
    );
    // A refusal for now is the SDK's business: it sends again by itself.
    handle.on('error', (error) => {
      if (error.retry !== 'later') onFailure(error);
    });
    handle.on('saved', onActivity);
    handle.doc.on('update', onActivity);
    await unlessAborted(handle.whenSynced, signal);
    return {
      label,
      handle,
      doc: handle.doc,
      whenSaved: () => handle.whenSaved(),
      text: () => handle.doc.getText(TEXT).toString(),
      isAtRest: () => handle.synced && handle.unsavedChanges.get() === 0,
      onChange(listener) {
        handle.doc.on('update', listener);
        const ends = [
          handle.status.subscribe(listener),
          handle.unsavedChanges.subscribe(listener),
          () => handle.doc.off('update', listener),
        ];
        return () => {
          for (const end of ends) end();
        };
      },
      close() {
        handle.destroy();
        client.disconnect();
      },
    };
  } catch (thrown) {
    client.disconnect();
    throw thrown;
  }
}

/** @throws AshlarError `read-only`; `invalid-options` where the document was written before */
export function requireEmpty({ handle }: Joined, document: string): void {
  const access = handle.access.get();
  if (access !== 'write' && access !== 'admin') {
    throw new AshlarError('read-only', {
      detail: `the token gives ${access ?? 'no access'} in doc:${document}; write is needed`,
    });
  }
  if (Y.encodeStateVector(handle.doc).length > 1) {
    throw new AshlarError('invalid-options', { detail: `document ${document} is not empty: choose another with --document` });
  }
}

function docOf(clientId: number): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  return doc;
}
