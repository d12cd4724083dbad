import type { Connection } from './connection.ts';

// Long enough for a process manager to start the next process, short enough to go unnoticed.
const RECONNECT_AFTER_MS = 500;
// To come back costs the next process about so much: a crowd gets a slot each, in the order in which it came.
const RECONNECT_SLOT_MS = 1.5;

/** Tells every client that the server closes, and when to come back. */
export function tellClosing(connections: Iterable<Connection>): void {
  for (const [slot, connection] of [...connections].entries()) {
    connection.tell('server:closing', { reconnectAfterMs: Math.round(RECONNECT_AFTER_MS + slot * RECONNECT_SLOT_MS) });
  }
}
