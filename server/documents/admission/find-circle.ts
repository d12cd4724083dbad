import type { ScannedBlock } from './scan-update.ts';

/**
 * Whether structs of several clients wait for each other in a circle: Yjs keeps such structs pending for ever. Walks the
 * blocks as Yjs integrates them, one client at a time, turning to another where a struct refers to it.
 */
export function hasCircle(blocks: readonly ScannedBlock[]): boolean {
  const waiting = new Map<number, Walk>();
  for (const block of blocks) {
    if (block.needs.length > 0) waiting.set(block.clientId, { needs: block.needs, next: 0, onPath: false });
  }
  if (waiting.size < 2) return false;
  for (const start of waiting.values()) {
    const path: Walk[] = [start];
    start.onPath = true;
    for (let walk = path.at(-1); walk !== undefined; walk = path.at(-1)) {
      const target = walk.next < walk.needs.length ? waiting.get(walk.needs[walk.next + 1] as number) : undefined;
      const missing = target !== undefined && integrated(target) <= (walk.needs[walk.next + 2] as number);
      if (missing && target.onPath) return true;
      if (missing) {
        target.onPath = true;
        path.push(target);
        continue;
      }
      walk.next += 3;
      if (walk.next < walk.needs.length && !arrived(path, walk)) continue;
      path.pop();
      walk.onPath = false;
    }
  }
  return false;
}

interface Walk {
  readonly needs: readonly number[];
  /** Index of the first need that is not met. */
  next: number;
  onPath: boolean;
}

/** Everything of the client below this clock is in. */
function integrated(walk: Walk): number {
  return walk.next < walk.needs.length ? (walk.needs[walk.next] as number) : Number.POSITIVE_INFINITY;
}

/** Whether the one before `walk` on the path has what it turned to `walk` for. */
function arrived(path: readonly Walk[], walk: Walk): boolean {
  const asker = path.at(-2);
  return asker !== undefined && integrated(walk) > (asker.needs[asker.next + 2] as number);
}
