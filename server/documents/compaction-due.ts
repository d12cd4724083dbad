import type { DocumentPorts } from './document-ports.ts';

// Whoever joins applies the tail record by record, so that it grows no longer than this, of what makes a new snapshot due.
const LONGEST_TAIL = 4;
/** Items whose places nobody vouches for that a document may have: a thousand cost about half a second in a member's browser at most. */
export const MAX_UNVOUCHED = 1_000;
/**
 * Items that a document may have which were vouched for in the order of its log alone. In the order of the merged bytes, which only whole checks
 * load, their places may take longer to find.
 */
export const MAX_UNPROVEN = 8 * MAX_UNVOUCHED;

/** What lies behind a document's newest snapshot. */
export interface TailLength {
  readonly records: number;
  readonly bytes: number;
  /** Whether it holds many items whose places only a snapshot vouches for. */
  readonly proofDue: boolean;
}

/** Whether a document is due for a new snapshot, and whether that can wait where the last one took long. */
export function compactionDue(
  { records, bytes, proofDue }: TailLength,
  { compactAfterRecords, compactAfterBytes }: Pick<DocumentPorts, 'compactAfterRecords' | 'compactAfterBytes'>,
): 'no' | 'can wait' | 'now' {
  const share = Math.max(records / compactAfterRecords, bytes / compactAfterBytes);
  if (share < 1) return 'no';
  // Without a snapshot, the writer waits while the update that brings too many is tried.
  return share < LONGEST_TAIL && !proofDue ? 'can wait' : 'now';
}
