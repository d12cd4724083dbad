import * as Y from 'yjs';

// Y.mergeUpdates over one long list is quadratic (24,000 updates: 24.5 s, as a tree with this fan-in 0.3 s).
const MERGE_FAN_IN = 64;

/** Merges Yjs updates (V1), in the order given. */
export function mergeInTree(updates: readonly Uint8Array[]): Uint8Array {
  let level = [...updates];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let start = 0; start < level.length; start += MERGE_FAN_IN) {
      next.push(Y.mergeUpdates(level.slice(start, start + MERGE_FAN_IN)));
    }
    level = next;
  }
  return level[0] ?? new Uint8Array([0, 0]);
}
