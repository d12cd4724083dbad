import type { DocumentPorts } from './document-ports.ts';

// Whoever joins applies the tail record by record, so that it grows no longer than this, of what makes a new snapshot due.
const LONGEST_TAIL = 4;
/** Items whose places nobody vouches for that a document may have: a thousand cost about half a second in a member's browser at most. */
export const MAX_UNVOUCHED = 1_000;

/** What lies behind a document's newest snapshot. */
export interface TailLength {
  readonly records: number;
  readonly bytes: number;
  /** Items in it whose places nobody vouches for. */
  readonly unvouched: number;
}

/** Whether a document is due for a new snapshot, and whether that can wait where the last one took long. */
export function compactionDue(
  { records, bytes, unvouched }: TailLength,
  { compactAfterRecords, compactAfterBytes }: Pick<DocumentPorts, 'compactAfterRecords' | 'compactAfterBytes'>,
): 'no' | 'can wait' | 'now' {
  const share = Math.max(records / compactAfterRecords, bytes / compactAfterBytes);
  if (share < 1) return 'no';
  // A snapshot vouches for them, off the loop. Without one, the writer waits while the update that brings too many is tried.
  return share < LONGEST_TAIL && unvouched < MAX_UNVOUCHED / 2 ? 'can wait' : 'now';
}
