import type { ResetReason } from './document-status.ts';

/** Unsaved edits that a reset took out of a document, to be put into the fresh one. */
export interface Unsaved {
  readonly update: Uint8Array;
  /** The client id that they were written under. */
  readonly clientId: number;
  /** Local transactions in them. */
  readonly edits: number;
  readonly reason: ResetReason;
}

/** Whether the edits themselves are fine, and only the id that they were written under was refused. */
export function mayRestore(reason: ResetReason): boolean {
  return reason === 'foreign-client-id' || reason === 'id-in-use';
}
