import { expect, test } from 'vitest';
import { admitEvent, newCursor, startFrom } from '../../client/room-cursor.ts';
import { auditEntry, auditLevel } from '../support/audit-events.ts';

const log = (seq: number, epoch = 'one') => ({ room: 'audit:1', at: 0, seq, epoch });
const state = (rev: number, epoch = 'one') => ({ room: 'audit:1', at: 0, rev, epoch });

test('[2] a log event is handed on once, and the position follows it', () => {
  const cursor = newCursor();
  startFrom(cursor, { epoch: 'one', seq: 4 });
  const news = [4, 5, 6, 6, 5, 7].map((seq) => admitEvent(cursor, auditEntry, { entry: seq }, log(seq)));
  expect(news).toEqual([false, true, true, false, false, true]);
  expect(cursor.position).toEqual({ epoch: 'one', seq: 7 });
});

test('[2] the position is that of the newest record, under its own epoch, and never goes back', () => {
  const cursor = newCursor();
  startFrom(cursor, { epoch: 'one', seq: 4 });
  admitEvent(cursor, auditEntry, { entry: 5 }, log(5, 'two'));
  expect(cursor.position).toEqual({ epoch: 'two', seq: 5 });
  admitEvent(cursor, auditEntry, { entry: 3 }, log(3));
  expect(cursor.position).toEqual({ epoch: 'two', seq: 5 });
  admitEvent(cursor, auditEntry, { entry: 6 }, { ...log(6, 'two'), position: { epoch: 'two', seq: 9 } });
  expect(cursor.position).toEqual({ epoch: 'two', seq: 9 });
});

test('[2] where a join says that the log went back, its events are news again from there on', () => {
  const cursor = newCursor();
  startFrom(cursor, { epoch: 'one', seq: 4 });
  admitEvent(cursor, auditEntry, { entry: 9 }, log(9));
  startFrom(cursor, { epoch: 'two', seq: 3 });
  expect([3, 4, 5].map((seq) => admitEvent(cursor, auditEntry, { entry: seq }, log(seq, 'two')))).toEqual([false, true, true]);
  expect(cursor.position).toEqual({ epoch: 'two', seq: 5 });
});

test('[2] an older state value is dropped within one epoch, and taken from another', () => {
  const cursor = newCursor();
  const admit = (level: number, rev: number, epoch?: string) =>
    admitEvent(cursor, auditLevel, { key: 'load', level }, state(rev, epoch));
  expect([admit(1, 3), admit(2, 2), admit(3, 3), admit(4, 4), admit(5, 1, 'two')]).toEqual([true, false, false, true, true]);
  expect(admitEvent(cursor, auditLevel, { key: 'other', level: 1 }, state(1))).toBe(true);
  expect([...cursor.values.values()].map(({ payload }) => payload)).toEqual([
    { key: 'load', level: 5 },
    { key: 'other', level: 1 },
  ]);
});
