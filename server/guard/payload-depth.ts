/**
 * How deeply a value nests: 0 for a plain value, 1 for `{}` or `[]`, 2 for `[[]]`. Stops counting beyond `max`, and does not
 * recurse: a payload of 5,000 levels overflows the stack of whatever walks it by recursion. Cyclic values end too.
 * @returns the depth, or `max + 1` where it is more than `max`
 */
export function payloadDepth(value: unknown, max: number): number {
  let depth = 0;
  // Level by level; a set, so that an object that occurs often is walked once per level.
  let level = new Set<object>();
  addNested(level, value);
  while (level.size > 0) {
    depth++;
    if (depth > max) return depth;
    const next = new Set<object>();
    for (const parent of level) {
      for (const child of Array.isArray(parent) ? parent : Object.values(parent)) addNested(next, child);
    }
    level = next;
  }
  return depth;
}

/** Bytes are one value, however many: a Buffer's million indices are no structure. */
function addNested(level: Set<object>, value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
  level.add(value);
}
