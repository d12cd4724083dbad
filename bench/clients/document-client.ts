/** A client that speaks one candidate's wire protocol with as little work of its own as can be. */
export interface DocumentClient {
  /** Sends one Yjs update. */
  send(update: Uint8Array): void;
  close(): void;
}

export interface DocumentClientOptions {
  readonly port: number;
  readonly document: string;
  /** The user that it belongs to, where a candidate knows users. */
  readonly user: string;
  /** The Yjs client id that it writes under; undefined: it only reads. */
  readonly clientId?: number;
  /** Called with each update of others; at a join with the state as one update. */
  readonly onUpdate: (update: Uint8Array) => void;
  /** Called when this client's updates up to the n-th are saved, where a candidate tells. */
  readonly onSaved?: (count: number) => void;
  /** Whatever makes a round worthless: a refusal, a connection that ended by itself. */
  readonly onFailure: (error: Error) => void;
}

/** Resolves when the client is in the document and has its state. */
export type ConnectDocument = (options: DocumentClientOptions) => Promise<DocumentClient>;
