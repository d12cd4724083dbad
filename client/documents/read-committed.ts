import type { ServerFrame } from '../../shared/document-frame.ts';

export interface Committed {
  /** The highest counter of ours that is on disk by it; 0: none. */
  readonly acknowledged: number;
  /** Others' updates that continue what we have. */
  readonly updates: readonly Uint8Array[];
  /** How far we are with them. */
  readonly seq: number;
  /** False: something in between is missing; what follows it is left out. */
  readonly contiguous: boolean;
}

/** What a `committed` frame brings to who has everything up to `seq`. What is known already is passed over. */
export function readCommitted(frame: Extract<ServerFrame, { type: 'committed' }>, seq: number): Committed {
  const updates: Uint8Array[] = [];
  let reached = seq;
  let acknowledged = 0;
  let contiguous = true;
  for (const entry of frame.entries) {
    // On disk is on disk, whatever is missing before it.
    if ('counter' in entry) acknowledged = Math.max(acknowledged, entry.counter);
    if (entry.seq <= reached) continue;
    contiguous &&= entry.seq === reached + 1;
    if (!contiguous) continue;
    reached = entry.seq;
    if ('update' in entry) updates.push(entry.update);
  }
  return { acknowledged, updates, seq: reached, contiguous };
}
