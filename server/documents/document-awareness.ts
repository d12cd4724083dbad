import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { AshlarError } from '../../shared/errors.ts';
import type { PublicUser } from '../../shared/user.ts';
import { payloadDepth } from '../guard/payload-depth.ts';
import { SmallMap } from '../small-map.ts';
import { readCursor } from './read-cursor.ts';

/** Largest awareness state, UTF-8 bytes of its JSON. */
export const MAX_AWARENESS_BYTES = 4_096;
/** Deepest awareness state. */
export const MAX_AWARENESS_DEPTH = 8;

/** What an entry's numbers take at most. */
const ENVELOPE_BYTES = 64;

/** What one socket shows to others in one document. */
export interface AwarenessEntry {
  readonly clientId: number;
  readonly clock: number;
  /** JSON; `null` where it was taken back. */
  readonly json: string;
}

/**
 * Reads what a client says of itself, in y-protocols' encoding: exactly one entry, under its own client id.
 * @returns the state, or null where the client takes it back. Its clock is not believed.
 * @throws AshlarError `malformed-frame`, `too-large`, `foreign-client-id`, `invalid-payload`
 */
export function readAwareness(update: Uint8Array, clientId: number): object | null {
  if (update.length > MAX_AWARENESS_BYTES + ENVELOPE_BYTES) throw tooLarge();
  let id: number;
  let json: string;
  try {
    const decoder = decoding.createDecoder(update);
    if (decoding.readVarUint(decoder) !== 1) throw new Error('one entry');
    id = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    const length = decoding.readVarUint(decoder);
    if (length !== update.length - decoder.pos) throw new Error('length');
    if (length > MAX_AWARENESS_BYTES) throw tooLarge();
    json = new TextDecoder('utf-8', { fatal: true }).decode(decoding.readUint8Array(decoder, length));
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError('malformed-frame', { detail: 'awareness: one entry, and nothing behind it', cause: error });
  }
  if (id !== clientId) throw new AshlarError('foreign-client-id', { detail: 'awareness of another client id' });
  let state: unknown;
  try {
    state = JSON.parse(json, refuseProto);
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError('invalid-payload', { detail: 'awareness: not JSON', cause: error });
  }
  if (state === null) return null;
  if (typeof state !== 'object' || Array.isArray(state)) {
    throw new AshlarError('invalid-payload', { detail: 'awareness: an object or null' });
  }
  if (payloadDepth(state, MAX_AWARENESS_DEPTH) > MAX_AWARENESS_DEPTH) {
    throw new AshlarError('invalid-payload', { detail: `awareness: at most ${MAX_AWARENESS_DEPTH} levels` });
  }
  // As it goes out: `1e20` is read as a number and written as 21 digits.
  if (Buffer.byteLength(JSON.stringify(state)) > MAX_AWARENESS_BYTES) throw tooLarge();
  return 'cursor' in state ? { ...state, cursor: readCursor(state.cursor) } : state;
}

const tooLarge = () => new AshlarError('too-large', { detail: 'awareness: at most 4 kB' });

// Harmless as JSON, and not in the hands of an editor that copies the state into an object of its own.
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new AshlarError('invalid-payload', { detail: 'awareness: the key __proto__' });
  return value;
}

/** Encodes entries as y-protocols does. */
export function encodeAwareness(entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, entries.length);
  for (const entry of entries) {
    encoding.writeVarUint(encoder, entry.clientId);
    encoding.writeVarUint(encoder, entry.clock);
    encoding.writeVarString(encoder, entry.json);
  }
  return encoding.toUint8Array(encoder);
}

/** Everyone's awareness in one document: identity from the token, clocks from the server, one entry per client id. */
export class DocumentAwareness {
  readonly #entries = new SmallMap<number, AwarenessEntry>();
  /** Last clock given, so that it grows even when the wall clock steps back. */
  #clock = 0;

  /**
   * Sets or takes back one client's state.
   * @param now Unix ms: clocks start there, so that they go on growing over a restart
   * @returns the entry to send to the others; null: there was nothing to take back
   */
  set(clientId: number, state: object | null, user: PublicUser, now: number): AwarenessEntry | null {
    if (state === null && !this.#entries.has(clientId)) return null;
    this.#clock = Math.max(this.#clock + 1, now);
    const stamped = state === null ? null : { ...state, user: { id: user.id, name: user.name, color: user.color } };
    const entry = { clientId, clock: this.#clock, json: JSON.stringify(stamped) };
    if (state === null) this.#entries.delete(clientId);
    else this.#entries.set(clientId, entry);
    return entry;
  }

  /** All who show something. */
  entries(): readonly AwarenessEntry[] {
    return [...this.#entries.values()];
  }
}
