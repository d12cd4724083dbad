import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../storage/store.ts';
import { type Context, record } from './context.ts';

/** Reading and trimming the log. */
export function logContract(current: () => Context): void {
  let home: Context['home'];
  let store: Context['store'];
  let room: Context['room'];
  let other: Context['other'];
  let write: Context['write'];
  beforeEach(() => {
    ({ home, store, room, other, write } = current());
  });

  describe('read', () => {
    beforeEach(async () => {
      const records = Array.from({ length: 10 }, (_, index) =>
        record(`r${index + 1}`, {
          kind: index % 2 === 0 ? 'odd' : 'even',
          payload: Buffer.from(`r${index + 1}`.padEnd(10, '.')),
        }),
      );
      await write(store, await store.open(room), { records });
    });
    const seqs = async (range: Partial<Parameters<Store['read']>[1]>) =>
      (await store.read(room, { limit: 100, ...range })).map((entry) => entry.seq);

    test('from the oldest, or the newest, always in order', async () => {
      expect(await seqs({ limit: 3 })).toEqual([1, 2, 3]);
      expect(await seqs({ limit: 3, from: 'oldest' })).toEqual([1, 2, 3]);
      expect(await seqs({ limit: 3, from: 'newest' })).toEqual([8, 9, 10]);
      expect(await seqs({ limit: 0 })).toEqual([]);
    });

    test('after and before leave out the record that they name', async () => {
      expect(await seqs({ after: 7 })).toEqual([8, 9, 10]);
      expect(await seqs({ before: 4 })).toEqual([1, 2, 3]);
      expect(await seqs({ after: 3, before: 6 })).toEqual([4, 5]);
      expect(await seqs({ after: 5, before: 6 })).toEqual([]);
      expect(await seqs({ after: 10 })).toEqual([]);
      expect(await seqs({ after: 99 })).toEqual([]);
      expect(await seqs({ before: 1 })).toEqual([]);
      expect(await seqs({ after: 2, before: 9, limit: 2, from: 'newest' })).toEqual([7, 8]);
    });

    test('of one kind', async () => {
      expect(await seqs({ kind: 'odd', limit: 2 })).toEqual([1, 3]);
      expect(await seqs({ kind: 'even', limit: 2, from: 'newest' })).toEqual([8, 10]);
      expect(await seqs({ kind: 'none' })).toEqual([]);
    });

    test('stops once maxBytes are gathered, and gives one record at least', async () => {
      expect(await seqs({ maxBytes: 1 })).toEqual([1]);
      expect(await seqs({ maxBytes: 0 })).toEqual([1]);
      expect(await seqs({ maxBytes: 20 })).toEqual([1, 2]);
      expect(await seqs({ maxBytes: 21 })).toEqual([1, 2, 3]);
      expect(await seqs({ maxBytes: 11, from: 'newest' })).toEqual([9, 10]);
    });
  });

  describe('trim', () => {
    beforeEach(async () => {
      const records = Array.from({ length: 10 }, (_, index) =>
        record('ten bytes.', { at: 100 * (index + 1), id: `id${index + 1}` }),
      );
      await write(store, await store.open(room), { records });
    });
    const left = async () => (await store.read(room, { limit: 100 })).map((entry) => entry.seq);

    test('by count', async () => {
      expect(await store.trim(room, { maxRecords: 4 })).toBe(6);
      expect(await left()).toEqual([7, 8, 9, 10]);
      expect(await store.trim(room, { maxRecords: 4 })).toBe(0);
      expect(await store.trim(room, { maxRecords: 400 })).toBe(0);
    });

    test('by age', async () => {
      expect(await store.trim(room, { before: 100 })).toBe(0);
      expect(await store.trim(room, { before: 301 })).toBe(3);
      expect(await left()).toEqual([4, 5, 6, 7, 8, 9, 10]);
    });

    test('by age cuts only the beginning: what stands behind a younger record stays', async () => {
      const lease = await store.open(room);
      await write(store, lease, { records: [record('late', { at: 5 })] });
      expect(await store.trim(room, { before: 500 })).toBe(4);
      expect(await left()).toEqual([5, 6, 7, 8, 9, 10, 11]);
    });

    test('by bytes: keeps the newest until they come to more', async () => {
      expect(await store.trim(room, { keepBytes: 25 })).toBe(7);
      expect(await left()).toEqual([8, 9, 10]);
      expect(await store.trim(room, { keepBytes: 20 })).toBe(0);
      expect(await store.trim(room, { keepBytes: 0 })).toBe(2);
      expect(await left()).toEqual([10]);
    });

    test('never beyond upTo, and the strictest of several counts', async () => {
      expect(await store.trim(room, { maxRecords: 0, upTo: 3 })).toBe(3);
      expect(await left()).toEqual([4, 5, 6, 7, 8, 9, 10]);
      expect(await store.trim(room, { maxRecords: 6, before: 701, upTo: 99 })).toBe(4);
      expect(await left()).toEqual([8, 9, 10]);
      expect(await store.trim(room, {})).toBe(0);
    });

    test('keeps a mark with the epoch of the last record cut', async () => {
      const before = await store.open(room);
      const second = await home.open();
      const lease = await second.open(room);
      await write(second, { ...lease, head: before.head }, { records: [record('newer epoch')] });

      expect(await store.trim(room, { maxRecords: 1 })).toBe(10);
      const opened = await store.open(room);
      expect(opened).toMatchObject({ head: 11, headEpoch: second.epoch, trimmedTo: 10, trimmedEpoch: store.epoch });
      expect(await store.epochAt(room, 9)).toBeNull();
      expect(await store.epochAt(room, 10)).toBe(store.epoch);
      expect(await store.epochAt(room, 11)).toBe(second.epoch);
      expect(await store.epochAt(room, 12)).toBeNull();
      expect(await store.epochAt(room, 0)).toBeNull();
      expect(await store.epochAt(other, 1)).toBeNull();
    });

    test('a log that was cut whole keeps its head', async () => {
      expect(await store.trim(room, { maxRecords: 0 })).toBe(10);
      const lease = await store.open(room);
      expect(lease).toMatchObject({ head: 10, headEpoch: store.epoch, trimmedTo: 10 });
      await write(store, lease, { records: [record('eleven')] });
      expect(await left()).toEqual([11]);
    });

    test('records that were cut are found no longer', async () => {
      expect(await store.findById(room, 'anna', 'id3')).toMatchObject({ seq: 3 });
      await store.trim(room, { maxRecords: 5 });
      expect(await store.findById(room, 'anna', 'id3')).toBeNull();
      expect(await store.findById(room, 'anna', 'id6')).toMatchObject({ seq: 6 });
      expect(await store.read(room, { limit: 10, before: 6 })).toEqual([]);
    });

    test('a lease lives on', async () => {
      const lease = await store.open(room);
      await store.trim(room, { maxRecords: 0 });
      await write(store, lease, { records: [record('on')] });
      expect(await left()).toEqual([11]);
    });

    test('a room that was never written has nothing to cut', async () => {
      expect(await store.trim(other, { maxRecords: 0 })).toBe(0);
    });
  });
}
