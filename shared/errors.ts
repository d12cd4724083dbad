/** What a client should do about an error. */
export type Retry =
  /** The same message will be refused again. */
  | 'never'
  /** Send it again after `retryAfterMs`, or with backoff where none is given. */
  | 'later'
  /** Fetch a fresh token and connect again with it. */
  | 'new-token'
  /** Join the room again, without a position. */
  | 'rejoin';

/**
 * Every error code, its sentence, and what the receiver should do. The code is the contract; the sentence is for people.
 * docs/protocol.md prints this table, with the HTTP status of each.
 */
export const ERRORS = {
  'auth-required': { message: 'Authentication required', retry: 'new-token' },
  'invalid-token': { message: 'Invalid token', retry: 'new-token' },
  'token-expired': { message: 'Invalid token', retry: 'new-token' },
  'keys-pending': { message: 'The keys that tokens are checked with are being fetched', retry: 'later' },
  'protocol-too-old': {
    message: 'This client is too old for this server: upgrade the ashlar package in the client',
    retry: 'never',
  },
  'protocol-too-new': {
    message: 'This client is too new for this server: upgrade the server first',
    retry: 'never',
  },
  'origin-refused': { message: 'Origin not allowed', retry: 'never' },
  'access-denied': { message: 'Access denied', retry: 'never' },
  'access-check-failed': {
    message: 'Access could not be checked',
    retry: 'later',
  },
  'rate-limited': { message: 'Rate limit exceeded', retry: 'later' },
  'too-many-rooms': { message: 'Too many rooms on this connection', retry: 'later' },
  'invalid-room': { message: 'Invalid room name', retry: 'never' },
  'not-a-member': { message: 'Join the room first', retry: 'rejoin' },
  'wrong-room': { message: 'This event does not belong to that room', retry: 'never' },
  'unknown-event': { message: 'Unknown event', retry: 'never' },
  'unknown-message': { message: 'Unknown message', retry: 'never' },
  'invalid-payload': { message: 'Invalid payload', retry: 'never' },
  'too-large': { message: 'Message too large', retry: 'never' },
  'malformed-frame': { message: 'Malformed frame', retry: 'never' },
  'invalid-update': { message: 'Invalid document update', retry: 'never' },
  'foreign-client-id': {
    message: 'The update holds content of a Yjs client id that belongs to another user',
    retry: 'never',
  },
  'id-in-use': {
    message: 'Another live connection uses this Yjs client id: take a new one',
    retry: 'rejoin',
  },
  'counter-gap': {
    message: 'An earlier update is missing or was refused: send again from there',
    retry: 'later',
  },
  'read-only': { message: 'You may read this document, not change it', retry: 'never' },
  gone: { message: 'This document was deleted', retry: 'never' },
  'document-damaged': {
    message: 'This document cannot be loaded at the moment',
    retry: 'later',
  },
  'idempotency-conflict': {
    message: 'This id (Idempotency-Key, meta.id) was used for something else',
    retry: 'never',
  },
  'not-found': { message: 'Not found', retry: 'never' },
  'method-not-allowed': { message: 'Method not allowed', retry: 'never' },
  'unsupported-media-type': { message: 'Unsupported content type', retry: 'never' },
  'storage-full': { message: 'Storage is full: nothing can be saved', retry: 'later' },
  'storage-unavailable': {
    message: 'Storage is unavailable: nothing was confirmed as saved',
    retry: 'later',
  },
  'storage-locked': {
    message: 'Another process is using this data folder',
    retry: 'never',
  },
  'storage-damaged': { message: 'The stored data is damaged', retry: 'never' },
  'server-closing': { message: 'The server is restarting', retry: 'later' },
  'not-ready': { message: 'The server is starting', retry: 'later' },
  'not-connected': { message: 'Not connected', retry: 'later' },
  'queue-full': { message: 'Too much is waiting to be sent', retry: 'later' },
  timeout: { message: 'No answer in time', retry: 'later' },
  'not-loaded': { message: 'A part of the page could not be loaded: what needs it waits', retry: 'later' },
  'client-closed': { message: 'The client was closed', retry: 'never' },
  'invalid-options': { message: 'Invalid options', retry: 'never' },
  internal: { message: 'Internal error', retry: 'later' },
} as const satisfies Record<string, { message: string; retry: Retry }>;

/** A stable, kebab-case error code. */
export type ErrorCode = keyof typeof ERRORS;

/** An error as it travels: in acks, in the `error` event, in HTTP bodies and in `connect_error`'s `data`. */
export interface WireError {
  code: ErrorCode;
  message: string;
  /** Wait at least this long before sending again. */
  retryAfterMs?: number;
  /** The room that the refused message named. */
  room?: string;
  /** What exactly is wrong, for people: never needed to handle the error. */
  detail?: string;
}

export interface AshlarErrorOptions {
  cause?: unknown;
  detail?: string | undefined;
  retryAfterMs?: number | undefined;
  room?: string | undefined;
}

/** The only error class that Ashlar throws, rejects with and sends. */
export class AshlarError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly room: string | undefined;

  constructor(code: ErrorCode, options: AshlarErrorOptions = {}) {
    const { message } = ERRORS[code];
    super(options.detail === undefined ? message : `${message}: ${options.detail}`, { cause: options.cause });
    this.name = 'AshlarError';
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.room = options.room;
  }

  /** What the receiver should do about it. */
  get retry(): Retry {
    return ERRORS[this.code].retry;
  }

  /** The form that travels. `message` is the table's sentence, so that frontends can compare it. */
  toWire(): WireError {
    return {
      code: this.code,
      message: ERRORS[this.code].message,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.room === undefined ? {} : { room: this.room }),
      ...(this.detail === undefined ? {} : { detail: this.detail }),
    };
  }

  /** Reads an error that came over the wire; anything unknown becomes `internal`. */
  static fromWire(value: unknown): AshlarError {
    const wire: Partial<WireError> = Object(value);
    const code = typeof wire.code === 'string' && Object.hasOwn(ERRORS, wire.code) ? wire.code : 'internal';
    return new AshlarError(code, {
      detail: typeof wire.detail === 'string' ? wire.detail : undefined,
      retryAfterMs: typeof wire.retryAfterMs === 'number' ? wire.retryAfterMs : undefined,
      room: typeof wire.room === 'string' ? wire.room : undefined,
    });
  }

  /** Any thrown value as an `AshlarError`: itself, or `internal` with the value as its cause. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): AshlarError {
    return thrown instanceof AshlarError ? thrown : new AshlarError(code, { cause: thrown });
  }
}

/**
 * Stops us before wrong bytes are stored. A client's mistake is an `AshlarError`; this is ours.
 * @throws AshlarError `internal` when `condition` is false
 */
export function invariant(condition: unknown, sentence: string, facts: object = {}): asserts condition {
  if (!condition) throw new AshlarError('internal', { detail: `broken invariant: ${sentence} ${JSON.stringify(facts)}` });
}
