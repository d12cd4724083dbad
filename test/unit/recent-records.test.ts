import { expect, test } from 'vitest';
import { RecentRecords } from '../../server/rooms/recent-records.ts';
import type { LogRecord } from '../../server/storage/store.ts';

function record(seq: number, bytes = 10): LogRecord {
  const about = { at: 0, userId: 'anna', kind: 'doc:update', version: 1, id: null, session: null, counter: 0 };
  return { ...about, seq, epoch: 'epoch', payload: new Uint8Array(bytes) };
}

const seqs = (records: readonly LogRecord[] | null) => records?.map(({ seq }) => seq);

test('records read from disk are kept where they reach up to the head, or to those that are held', () => {
  const recent = new RecentRecords(10_000);
  recent.prepend([record(3), record(4)], 5);
  expect(recent.after(2, 10)).toBeNull();
  recent.prepend([record(4), record(5)], 5);
  expect(seqs(recent.after(3, 10))).toEqual([4, 5]);
  recent.prepend([record(2)], 5);
  expect(recent.after(1, 10)).toBeNull();
  recent.prepend([record(2), record(3)], 5);
  recent.add(record(6));
  expect(seqs(recent.after(1, 10))).toEqual([2, 3, 4, 5, 6]);
});

test('[2] what was read from disk while a record was being added, and has it too, does not stand there twice', () => {
  const recent = new RecentRecords(10_000);
  recent.add(record(3));
  recent.prepend([record(1), record(2), record(3)], 3);
  recent.add(record(4));
  expect(seqs(recent.after(2, 10))).toEqual([3, 4]);
  expect(recent.at(4)?.seq).toBe(4);
});

test('what is read from disk never drives out what is newer', () => {
  const recent = new RecentRecords(1_000);
  recent.add(record(10, 500));
  recent.prepend([record(9, 500)], 10);
  expect(recent.after(8, 10)).toBeNull();
  expect(seqs(recent.after(9, 10))).toEqual([10]);
});
