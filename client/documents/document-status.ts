import type { AshlarError, ErrorCode } from '../../shared/errors.ts';

export type DocumentStatus =
  /** No connection, or the handle was told to disconnect. Edits wait. */
  | { readonly state: 'offline' }
  | { readonly state: 'joining' }
  /** The state is on its way: `received` of `total` parts (0 of 0 before the first). */
  | { readonly state: 'syncing'; readonly received: number; readonly total: number }
  /** Everything that others saved before the join is here; what they do from now on comes as it happens. */
  | { readonly state: 'synced' }
  /** The server does not let this user in; tried again at the next connection. `not-loaded`: a part of the page did not come; asked for again by itself. */
  | { readonly state: 'refused'; readonly error: AshlarError }
  /** The content here and on the server went apart, and the SDK must not decide: see the `reset` event. */
  | { readonly state: 'stopped'; readonly reason: ResetReason };

/** One object: each edit asks whether the status is still the same. */
export const SYNCED: DocumentStatus = { state: 'synced' };

/**
 * Why the content of a document was given up: an error code (`read-only`, `foreign-client-id`, `invalid-update`, `too-large`, …),
 * `gone` (deleted), `replaced` (deleted and created again), `other-user` (somebody else signed in), `quarantined` (the server took records out), or what a newer server says.
 */
export type ResetReason = ErrorCode | 'gone' | 'replaced' | 'quarantined' | 'other-user' | (string & {});

/** A status by y-websocket's three words. */
export function bindingStatus({ state }: DocumentStatus): 'connecting' | 'connected' | 'disconnected' {
  if (state === 'synced' || state === 'syncing') return 'connected';
  return state === 'joining' ? 'connecting' : 'disconnected';
}
