import type { Engine } from './engine.ts';

/** A client that speaks one candidate's wire protocol with as little work of its own as can be. */
export interface DocumentClient {
  /** Sends one Yjs update. */
  send(update: Uint8Array): void;
  /** Shows the others a state of this client's, in y-protocols' awareness encoding; absent: the candidate has no such thing. */
  show?(awareness: Uint8Array): void;
  /** The connection, where rooms and events travel on it as well. */
  readonly events?: Engine;
  /** How far it has got in the document's log, where a candidate has one. */
  position?(): Position;
  close(): void;
}

/** A place in a log. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

export interface DocumentClientOptions {
  readonly port: number;
  readonly document: string;
  /** The user that it belongs to, where a candidate knows users. */
  readonly user: string;
  /** The Yjs client id that it writes under; undefined: it only reads. */
  readonly clientId?: number;
  /** What it holds from before: it comes back for what it lacks. */
  readonly since?: { readonly stateVector: Uint8Array; readonly position?: Position };
  /** Called with each update of others; at a join with the state as one update. */
  readonly onUpdate: (update: Uint8Array) => void;
  /** Called with what others show, in y-protocols' awareness encoding; a server may send back what it was sent. */
  readonly onAwareness?: (awareness: Uint8Array) => void;
  /** Called with events without attachments, as JSON text. */
  readonly onEvent?: (json: string) => void;
  /** Called when this client's updates up to the n-th are saved, where a candidate tells. */
  readonly onSaved?: (count: number) => void;
  /** Whatever makes a round worthless: a refusal, a connection that ended by itself. */
  readonly onFailure: (error: Error) => void;
}

/** Resolves when the client is in the document and has its state. */
export type ConnectDocument = (options: DocumentClientOptions) => Promise<DocumentClient>;
