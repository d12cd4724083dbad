import type { LogRecord } from '../storage/store.ts';

/** Records that follow each other in a log, in runs of one epoch, as a frame carries one: most reads are one run. */
export function* byEpoch(records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let start = 0;
  for (let end = 1; end <= records.length; end++) {
    if (end < records.length && records[end]?.epoch === records[start]?.epoch) continue;
    yield records.slice(start, end);
    start = end;
  }
}

/** Whether two runs of a log are the same objects: what was made of one is that of the other. */
export function isSameRun(left: readonly LogRecord[], right: readonly LogRecord[]): boolean {
  return left.length === right.length && left[0] === right[0] && left[left.length - 1] === right[right.length - 1];
}
