import { expect, test } from 'vitest';
import { judgePosition } from '../../server/rooms/judge-position.ts';
import type { Position } from '../../shared/position.ts';

/** A log whose records 1 to 4 were cut, 5 to 7 written by one process and 8 to 10 by the next. */
const log = (seq: number, overflowRecords = 100) => ({
  head: { epoch: 'second', seq: 10 },
  trimmedTo: 4,
  epochAtSeq: seq < 4 || seq > 10 ? null : seq < 8 ? 'first' : 'second',
  overflowRecords,
});

test.each<[Position | null, string, string]>([
  [null, 'new', 'without a position'],
  [{ epoch: 'second', seq: 10 }, 'recovered', 'at the head'],
  [{ epoch: 'first', seq: 7 }, 'recovered', 'at the last record of an earlier process'],
  [{ epoch: 'first', seq: 4 }, 'recovered', 'at the trim mark'],
  [{ epoch: 'first', seq: 3 }, 'expired', 'before the trim mark'],
  [{ epoch: 'second', seq: 0 }, 'expired', 'at the beginning of a log that was trimmed'],
  [{ epoch: 'second', seq: 7 }, 'epoch', 'at a record that another process wrote'],
  [{ epoch: 'first', seq: 10 }, 'epoch', 'at the head, under the epoch of a log that went back and on again'],
  [{ epoch: 'second', seq: 11 }, 'epoch', 'beyond the head'],
  [{ epoch: 'third', seq: 8 }, 'epoch', 'of a log that nobody knows'],
])('[2] a position %j is %s: %s', (position, verdict) => {
  expect(judgePosition(position, log(position?.seq ?? 0))).toBe(verdict);
});

test('[2] at the place before the first record nothing can have gone back', () => {
  const fresh = { head: { epoch: 'second', seq: 3 }, trimmedTo: 0, epochAtSeq: null, overflowRecords: 100 };
  expect(judgePosition({ epoch: 'first', seq: 0 }, fresh)).toBe('recovered');
});

test('[2] who missed more than the bound is told so', () => {
  expect(judgePosition({ epoch: 'first', seq: 6 }, log(6, 4))).toBe('recovered');
  expect(judgePosition({ epoch: 'first', seq: 5 }, log(5, 4))).toBe('overflow');
});
