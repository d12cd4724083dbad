import type * as Y from 'yjs';
import { AshlarError } from '../../shared/errors.ts';
import type { UnderWay } from '../under-way.ts';
import type { Documents, QuarantinedUpdate } from './documents.ts';

/** Server-side access to documents. @throws AshlarError (each of them) `invalid-room`, `not-ready`, `server-closing` */
export interface ServerDocuments {
  /** Edits a document in one Yjs transaction; resolves with what `change` returned once the edit is on disk and sent. @throws AshlarError `gone`, `document-damaged`, `storage-…` */
  transact<Result>(name: string, change: (doc: Y.Doc) => Result): Promise<Result>;
  /** A copy of a document as it is on disk; destroy it when done. @throws AshlarError `gone`, `document-damaged` */
  read(name: string): Promise<Y.Doc>;
  /** Names that start with `prefix`, of all documents ever written or created and not deleted. */
  list(prefix?: string): Promise<string[]>;
  /**
   * Creates a document (or opens a deleted one's name again) and seeds it once, where it is still empty: both in one commit.
   * @throws AshlarError `storage-…`; whatever `seed` throws. Then nothing was created, and a deleted document stays `gone`
   */
  create(name: string, seed?: (doc: Y.Doc) => void): Promise<{ created: boolean }>;
  /** Updates that were set aside because they damaged the document, with who wrote them. They may not load. */
  quarantined(name: string): Promise<QuarantinedUpdate[]>;
  /** Deletes a document and leaves a tombstone: joiners get `gone` until it is created again. */
  delete(name: string): Promise<void>;
}

/**
 * The documents as a product gets them. But for code that gives no function where one belongs, what is refused is a promise that rejects:
 * a timer of the product that meets a name of a user's, or a server that closes, has a `catch` there.
 * @param documents throws while the server takes nothing
 * @param underWay follows what changes them, so that a close waits for it
 */
export function serverDocuments(documents: () => Documents, underWay: UnderWay): ServerDocuments {
  const follow = async <Result>(work: () => Promise<Result>): Promise<Result> => underWay.follow(work());
  return {
    transact: (name, change) => {
      requireFunction('transact', change);
      return follow(() => documents().transact(name, change));
    },
    read: async (name) => documents().read(name),
    list: async (prefix) => documents().list(prefix),
    create: (name, seed) => {
      if (seed !== undefined) requireFunction('create', seed);
      return follow(() => documents().create(name, seed));
    },
    quarantined: async (name) => documents().quarantined(name),
    delete: (name) => follow(() => documents().delete(name)),
  };
}

function requireFunction(of: string, change: unknown): void {
  if (typeof change !== 'function')
    throw new AshlarError('invalid-options', { detail: `documents.${of}(name, …): a function that is given the Y.Doc` });
}
