import { ERRORS, type ErrorCode } from '../shared/errors.ts';
import { backoffMs, jittered } from './backoff.ts';

/**
 * Why there is no connection: `transport` (the network, or nobody answers), `server` (it closed the connection), `closing` (it
 * announced a restart), `refused` (it wants a fresh token, or us to come later), `token` (the token function failed),
 * `browser` (the device says that it is offline).
 */
export type LossCause = 'transport' | 'server' | 'closing' | 'refused' | 'token' | 'browser';

export type ConnectionStatus =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting'; readonly attempt: number }
  | {
      readonly state: 'connected';
      /** The socket's id. */
      readonly id: string;
      /** After a reconnect: whether every room goes on from where it was. True until a room's answer says otherwise. */
      readonly recovered: boolean;
      /** Unix ms. */
      readonly since: number;
    }
  | { readonly state: 'reconnecting'; readonly attempt: number; readonly retryAt: number; readonly cause: LossCause }
  | { readonly state: 'offline'; readonly cause: LossCause }
  | { readonly state: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly state: 'closed' };

/** The status, and what the next decision needs besides. */
export interface Connection {
  readonly status: ConnectionStatus;
  /** Attempts in a row that led to no lasting connection. */
  readonly failures: number;
  /** What the server asked for when it announced its restart. */
  readonly closingAfterMs: number | null;
  /** Whether this client was connected before: rooms have a position to go on from. */
  readonly connectedBefore: boolean;
}

export type ConnectionEvent =
  | { type: 'connect' }
  | { type: 'disconnect' }
  | { type: 'accepted'; id: string }
  | { type: 'missed' }
  | { type: 'closing'; reconnectAfterMs: number }
  | { type: 'lost'; cause: LossCause }
  | { type: 'rejected'; code: ErrorCode; retryAfterMs?: number | undefined }
  | { type: 'retry' }
  | { type: 'online' }
  | { type: 'offline' };

/** What a decision depends on besides state and event. */
export interface ConnectionRules {
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
  readonly online: boolean;
  /** The token is a function: a refused one can be replaced. */
  readonly canRenewToken: boolean;
  /** Failures in a row after which to give up. */
  readonly maxAttempts: number;
}

const OFFLINE: ConnectionStatus = { state: 'offline', cause: 'browser' };

export const NOT_CONNECTED: Connection = { status: { state: 'idle' }, failures: 0, closingAfterMs: null, connectedBefore: false };

// A connection that held this long was a good one; an earlier end counts as another failure, so that a server which accepts and
// then closes is not hammered.
const STABLE_MS = 5_000;

/** The connection's next state. Pure: the caller acts on what changed (opens, closes, arms the retry timer). */
export function reduceConnection(connection: Connection, event: ConnectionEvent, rules: ConnectionRules): Connection {
  const { status } = connection;
  const active = isActive(status);
  switch (event.type) {
    case 'connect':
      return active ? connection : begin({ ...connection, failures: 0 }, rules);
    case 'disconnect':
      return { ...NOT_CONNECTED, status: { state: 'closed' } };
    case 'accepted':
      if (status.state !== 'connecting') return connection;
      return {
        ...connection,
        closingAfterMs: null,
        connectedBefore: true,
        status: { state: 'connected', id: event.id, recovered: connection.connectedBefore, since: rules.now },
      };
    case 'missed':
      if (status.state !== 'connected' || !status.recovered) return connection;
      return { ...connection, status: { ...status, recovered: false } };
    case 'closing':
      return { ...connection, closingAfterMs: event.reconnectAfterMs };
    case 'lost':
      if (status.state !== 'connecting' && status.state !== 'connected') return connection;
      return retry(connection, event.cause, undefined, rules);
    case 'rejected':
      if (status.state !== 'connecting') return connection;
      return isFinal(event.code, rules)
        ? refuse(connection, event.code)
        : retry(connection, 'refused', event.retryAfterMs, rules);
    case 'retry':
      return status.state === 'reconnecting' ? begin(connection, rules) : connection;
    case 'online':
      if (status.state !== 'offline' && status.state !== 'reconnecting') return connection;
      return begin({ ...connection, failures: 0 }, rules);
    case 'offline':
      return active && status.state !== 'offline' ? { ...connection, status: OFFLINE } : connection;
  }
}

/** Whether the connection is there or on its way: `connect` would change nothing. */
export function isActive(status: ConnectionStatus): boolean {
  return status.state !== 'idle' && status.state !== 'closed' && status.state !== 'refused';
}

function isFinal(code: ErrorCode, rules: ConnectionRules): boolean {
  const { retry: hint } = ERRORS[code];
  return hint === 'never' || (hint === 'new-token' && !rules.canRenewToken);
}

function begin(connection: Connection, rules: ConnectionRules): Connection {
  if (!rules.online) return { ...connection, status: OFFLINE };
  return { ...connection, status: { state: 'connecting', attempt: connection.failures + 1 } };
}

function refuse(connection: Connection, code: ErrorCode): Connection {
  return { ...connection, status: { state: 'refused', code, message: ERRORS[code].message } };
}

function retry(connection: Connection, cause: LossCause, afterMs: number | undefined, rules: ConnectionRules): Connection {
  const { status, closingAfterMs } = connection;
  const lasted = status.state === 'connected' && rules.now - status.since >= STABLE_MS;
  const failures = lasted ? 1 : connection.failures + 1;
  const failed: Connection = { ...connection, failures, closingAfterMs: null };
  if (failures > rules.maxAttempts) return refuse(failed, 'not-connected');
  if (!rules.online) return { ...failed, status: OFFLINE };
  const delay = Math.max(jittered(afterMs ?? closingAfterMs ?? 0, rules.random), backoffMs(failures, rules.random));
  return {
    ...failed,
    status: {
      state: 'reconnecting',
      attempt: failures,
      retryAt: rules.now + delay,
      cause: closingAfterMs === null ? cause : 'closing',
    },
  };
}
