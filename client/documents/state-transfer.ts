import type { ServerFrame } from '../../shared/document-frame.ts';

export type StateFrame = Extract<ServerFrame, { type: 'state' }>;

/** Chunks of one state, gathered in order. */
export interface StateTransfer {
  readonly first: StateFrame;
  readonly chunks: readonly Uint8Array[];
}

/**
 * Takes a chunk. Chunk 0 starts a transfer (a new one ends an older); any other must be the next one of it.
 * @returns the transfer with the chunk; null where the chunk belongs to none
 */
export function takeChunk(transfer: StateTransfer | null, frame: StateFrame): StateTransfer | null {
  if (frame.index === 0) return { first: frame, chunks: [frame.bytes] };
  if (transfer === null || frame.transfer !== transfer.first.transfer || frame.index !== transfer.chunks.length) return null;
  return { first: transfer.first, chunks: [...transfer.chunks, frame.bytes] };
}

export function isWhole(transfer: StateTransfer): boolean {
  return transfer.chunks.length >= transfer.first.count;
}

/** The update that the chunks make. */
export function assemble(transfer: StateTransfer): Uint8Array {
  const whole = new Uint8Array(transfer.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of transfer.chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
