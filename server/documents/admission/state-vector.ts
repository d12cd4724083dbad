import * as encoding from 'lib0/encoding';
import { AshlarError } from '../../../shared/errors.ts';
import { Refusal } from './refusal.ts';
import { WireReader } from './wire-reader.ts';

/** No clock of Yjs's is beyond this. */
export const MAX_CLOCK = 2 ** 32;

/** A Yjs state vector, V1, as Yjs itself writes it: highest client id first. `clocks` is the next clock per client id. */
export function encodeStateVector(clocks: ReadonlyMap<number, number>): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, clocks.size);
  for (const [clientId, clock] of [...clocks].sort(([a], [b]) => b - a)) {
    encoding.writeVarUint(encoder, clientId);
    encoding.writeVarUint(encoder, clock);
  }
  return encoding.toUint8Array(encoder);
}

/**
 * The next clock per client id.
 * @param maxClients more are refused
 * @throws AshlarError `malformed-frame`: a count that the bytes cannot hold, a client named twice, a clock above 2^32, anything left over
 */
export function decodeStateVector(bytes: Uint8Array, maxClients: number): Map<number, number> {
  const reader = new WireReader(bytes);
  const clocks = new Map<number, number>();
  try {
    const count = reader.uint();
    if (count > maxClients) throw malformed(`${count} clients, at most ${maxClients}`);
    if (count > reader.left / 2) throw malformed('more clients than bytes');
    for (let index = 0; index < count; index++) {
      const clientId = reader.uint();
      const clock = reader.uint();
      if (clock > MAX_CLOCK) throw malformed('a clock above 2^32');
      if (clocks.has(clientId)) throw malformed('a client named twice');
      clocks.set(clientId, clock);
    }
  } catch (error) {
    throw error instanceof Refusal ? malformed(error.detail) : error;
  }
  if (reader.left > 0) throw malformed('something follows its last client');
  return clocks;
}

function malformed(detail: string): AshlarError {
  return new AshlarError('malformed-frame', { detail: `state vector: ${detail}` });
}
