import * as Y from 'yjs';

// Merging one long list is about quadratic (24,000 small updates: 24.5 s); as a tree with this fan-in it takes 0.3 s.
const FAN_IN = 64;

/**
 * Merges updates (V1) as bytes, without a Y.Doc: nothing is garbage-collected, and gaps stay gaps.
 * @returns one update; that of an empty document for an empty list, the update itself for a list of one
 */
export function mergeTree(updates: readonly Uint8Array[]): Uint8Array {
  let level: readonly Uint8Array[] = updates;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let start = 0; start < level.length; start += FAN_IN) next.push(Y.mergeUpdates(level.slice(start, start + FAN_IN)));
    level = next;
  }
  return level[0] ?? Uint8Array.of(0, 0);
}

/** A snapshot and the updates behind it as one update. The snapshot, mostly the largest by far, is read once only. */
export function mergeState(state: Uint8Array | null, updates: readonly Uint8Array[]): Uint8Array {
  if (state === null) return mergeTree(updates);
  return updates.length === 0 ? state : Y.mergeUpdates([state, mergeTree(updates)]);
}
