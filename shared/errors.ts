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
 * Every error code, its sentence, what the receiver should do, and the HTTP status it travels under.
 * The code is the contract; the sentence is for people. docs/protocol.md prints this table.
 */
export const ERRORS = {
  'auth-required': { message: 'Authentication required', retry: 'new-token', status: 401 },
  'invalid-token': { message: 'Invalid token', retry: 'new-token', status: 401 },
  'token-expired': { message: 'Invalid token', retry: 'new-token', status: 401 },
  'keys-pending': { message: 'The keys that tokens are checked with are being fetched', retry: 'later', status: 503 },
  'protocol-too-old': {
    message: 'This client is too old for this server: upgrade the ashlar package in the client',
    retry: 'never',
    status: 400,
  },
  'protocol-too-new': {
    message: 'This client is too new for this server: upgrade the server first',
    retry: 'never',
    status: 400,
  },
  'origin-refused': { message: 'Origin not allowed', retry: 'never', status: 403 },
  'access-denied': { message: 'Access denied', retry: 'never', status: 403 },
  'access-check-failed': {
    message: 'Access could not be checked',
    retry: 'later',
    status: 503,
  },
  'rate-limited': { message: 'Rate limit exceeded', retry: 'later', status: 429 },
  'too-many-rooms': { message: 'Too many rooms on this connection', retry: 'never', status: 429 },
  'invalid-room': { message: 'Invalid room name', retry: 'never', status: 400 },
  'not-a-member': { message: 'Join the room first', retry: 'rejoin', status: 409 },
  'wrong-room': { message: 'This event does not belong to that room', retry: 'never', status: 400 },
  'unknown-event': { message: 'Unknown event', retry: 'never', status: 404 },
  'unknown-message': { message: 'Unknown message', retry: 'never', status: 404 },
  'invalid-payload': { message: 'Invalid payload', retry: 'never', status: 400 },
  'too-large': { message: 'Message too large', retry: 'never', status: 413 },
  'malformed-frame': { message: 'Malformed frame', retry: 'never', status: 400 },
  'invalid-update': { message: 'Invalid document update', retry: 'never', status: 400 },
  'foreign-client-id': {
    message: 'The update holds content of a Yjs client id that belongs to another user',
    retry: 'never',
    status: 403,
  },
  'id-in-use': {
    message: 'Another live connection uses this Yjs client id: take a new one',
    retry: 'rejoin',
    status: 409,
  },
  'counter-gap': {
    message: 'An earlier update is missing or was refused: send again from there',
    retry: 'later',
    status: 409,
  },
  'read-only': { message: 'You may read this document, not change it', retry: 'never', status: 403 },
  gone: { message: 'This document was deleted', retry: 'never', status: 410 },
  'document-damaged': {
    message: 'This document cannot be loaded at the moment',
    retry: 'later',
    status: 503,
  },
  'idempotency-conflict': {
    message: 'This Idempotency-Key was used with another body',
    retry: 'never',
    status: 422,
  },
  'not-found': { message: 'Not found', retry: 'never', status: 404 },
  'method-not-allowed': { message: 'Method not allowed', retry: 'never', status: 405 },
  'unsupported-media-type': { message: 'Unsupported content type', retry: 'never', status: 415 },
  'storage-full': { message: 'Storage is full: nothing can be saved', retry: 'later', status: 507 },
  'storage-unavailable': {
    message: 'Storage is unavailable: nothing was confirmed as saved',
    retry: 'later',
    status: 503,
  },
  'storage-locked': {
    message: 'Another process is using this data folder',
    retry: 'never',
    status: 503,
  },
  'storage-damaged': { message: 'The stored data is damaged', retry: 'never', status: 503 },
  'server-closing': { message: 'The server is restarting', retry: 'later', status: 503 },
  'not-ready': { message: 'The server is starting', retry: 'later', status: 503 },
  'not-connected': { message: 'Not connected', retry: 'later', status: 503 },
  'queue-full': { message: 'Too much is waiting to be sent', retry: 'later', status: 503 },
  timeout: { message: 'No answer in time', retry: 'later', status: 504 },
  'client-closed': { message: 'The client was closed', retry: 'never', status: 499 },
  'invalid-options': { message: 'Invalid options', retry: 'never', status: 400 },
  internal: { message: 'Internal error', retry: 'later', status: 500 },
} as const satisfies Record<string, { message: string; retry: Retry; status: number }>;

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
    const wire = typeof value === 'object' && value !== null ? (value as Partial<WireError>) : {};
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
