import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { AshlarError } from '../../../shared/errors.ts';
import type { DocumentLog } from './compact.ts';
import { mergeState } from './merge-tree.ts';

// 100,000 clients in their longest form: far above what documents have.
const MAX_STATE_VECTOR_BYTES = 1_600_000;

/**
 * What a client with this state vector lacks: its missing structs and, as always in Yjs, all deletions. An empty vector gets everything.
 * @param log merged as bytes; a log that was compacted gives garbage-free answers
 * @throws AshlarError `malformed-frame` where the state vector is none
 */
export function diff(log: DocumentLog, stateVector: Uint8Array): Uint8Array {
  const size = checkStateVector(stateVector);
  const merged = mergeState(log.state, log.updates);
  return size === 0 ? merged : Y.diffUpdate(merged, stateVector);
}

/**
 * Reads a state vector that a client sent, believing no length in it.
 * @returns its number of clients
 */
function checkStateVector(bytes: Uint8Array): number {
  if (bytes.length > MAX_STATE_VECTOR_BYTES) throw malformed('too long');
  try {
    const decoder = decoding.createDecoder(bytes);
    const size = decoding.readVarUint(decoder);
    if (size * 2 > bytes.length) throw malformed(`${size} clients in ${bytes.length} bytes`);
    for (let entry = 0; entry < size * 2; entry += 1) decoding.readVarUint(decoder);
    if (decoding.hasContent(decoder)) throw malformed('bytes behind its end');
    return size;
  } catch (error) {
    throw AshlarError.from(error, 'malformed-frame');
  }
}

function malformed(detail: string): AshlarError {
  return new AshlarError('malformed-frame', { detail: `state vector: ${detail}` });
}
