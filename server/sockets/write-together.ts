/** What gathers frames to write them at once. */
interface Gatherer {
  writeGathered(): void;
}

let gatherers: Set<Gatherer> | null = null;
/** What was last joined: most receivers get the same frames. */
let last: { readonly parts: readonly Uint8Array[]; readonly frames: Uint8Array } | null = null;

/**
 * All frames that `task` has written to a connection leave in one write at its end, in the same order: a system call costs more than
 * all that is done for a frame before. For tasks that do not wait.
 */
export function writeTogether(task: () => void): void {
  if (gatherers !== null) {
    task();
    return;
  }
  const gathered = new Set<Gatherer>();
  gatherers = gathered;
  try {
    task();
  } finally {
    gatherers = null;
    for (const gatherer of gathered) gatherer.writeGathered();
    last = null;
  }
}

/** @returns whether frames are gathered now; then `gatherer` is asked for them at the end */
export function gathers(gatherer: Gatherer): boolean {
  gatherers?.add(gatherer);
  return gatherers !== null;
}

/** Frames behind one another, as one; those that were joined last are not copied again. @param parts at least one */
export function joinFrames(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts as [Uint8Array];
  if (parts.length === 1) return first;
  if (last === null || last.parts.length !== parts.length || !last.parts.every((part, index) => part === parts[index])) {
    last = { parts, frames: Buffer.concat(parts) };
  }
  return last.frames;
}
