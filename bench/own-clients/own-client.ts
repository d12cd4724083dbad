import type * as Y from 'yjs';

/** A document in the client library that a candidate's users have, all defaults. */
export interface OwnClient {
  /** Of the Yjs that the library itself uses: two of them in one document do not go together. */
  readonly doc: Y.Doc;
  /** Resolves when everything typed is told saved; absent: the library tells no such thing. */
  whenSaved?(): Promise<void>;
}

export interface OwnClientOptions {
  readonly port: number;
  readonly document: string;
  /** The user that it belongs to, where a candidate knows users. */
  readonly user: string;
  /** Whatever makes a round worthless: a refusal, a connection that ended by itself. */
  readonly onFailure: (error: Error) => void;
}

/** Resolves when the library says that the document is synced. */
export type OpenOwnClient = (options: OwnClientOptions) => Promise<OwnClient>;
