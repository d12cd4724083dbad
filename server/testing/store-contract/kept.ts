import { beforeEach, describe, expect, test } from 'vitest';
import { type Context, record, textOf } from './context.ts';

/** What is kept with the log: owners, sessions, state values, snapshots, and what a deletion leaves. */
export function keptContract(current: () => Context): void {
  let store: Context['store'];
  let room: Context['room'];
  let other: Context['other'];
  let write: Context['write'];
  let texts: Context['texts'];
  beforeEach(() => {
    ({ store, room, other, write, texts } = current());
  });

  describe('clocks, sessions and states', () => {
    test('owners come with the lease, and a clock only grows', async () => {
      let lease = await store.open(room);
      lease = await write(store, lease, {
        records: [],
        clocks: [
          { clientId: 7, userId: 'anna', clock: 5 },
          { clientId: 2 ** 40, userId: null, clock: 1 },
        ],
      });
      await write(store, lease, { records: [], clocks: [{ clientId: 7, userId: 'anna', clock: 3 }] });
      expect((await store.open(room)).clocks).toEqual([
        { clientId: 7, userId: 'anna', clock: 5 },
        { clientId: 2 ** 40, userId: null, clock: 1 },
      ]);
      expect((await store.open(other)).clocks).toEqual([]);
    });

    test("a session's counter only grows", async () => {
      const mark = { session: 'hash', userId: 'anna', clientId: 7, counter: 5 };
      let lease = await write(store, await store.open(room), { records: [], sessions: [mark] });
      expect(await store.findSession(room, 'hash')).toEqual(mark);
      lease = await write(store, lease, { records: [], sessions: [{ ...mark, counter: 4, clientId: 8 }] });
      expect(await store.findSession(room, 'hash')).toEqual({ ...mark, clientId: 8 });
      await write(store, lease, { records: [], sessions: [{ ...mark, counter: 6 }] });
      expect(await store.findSession(room, 'hash')).toEqual({ ...mark, counter: 6 });
      expect(await store.findSession(room, 'other')).toBeNull();
      expect(await store.findSession(other, 'hash')).toBeNull();
    });

    test('a state value is replaced by the next of its event and key, and removed by null', async () => {
      const state = (event: string, key: string, value: string | null, rev: number) => ({ event, key, value, rev, at: rev });
      let lease = await store.open(room);
      lease = await write(store, lease, {
        records: [],
        states: [state('b', 'k', '1', 1), state('a', 'k', '2', 2), state('a', 'j', '3', 3)],
      });
      expect((await store.open(other)).states).toEqual([]);
      lease = await store.open(room);
      expect(lease.states).toEqual([state('a', 'j', '3', 3), state('a', 'k', '2', 2), state('b', 'k', '1', 1)]);
      await write(store, lease, {
        records: [],
        states: [state('a', 'k', '4', 1), state('a', 'j', null, 5), state('c', 'never', null, 6)],
      });
      expect((await store.open(room)).states).toEqual([state('a', 'k', '4', 1), state('b', 'k', '1', 1)]);
    });
  });

  describe('findById', () => {
    test('finds the first record of a writer and id, in its room alone', async () => {
      await write(store, await store.open(room), {
        records: [
          record('bert', { userId: 'bert', id: 'm1' }),
          record('first', { id: 'm1' }),
          record('again', { id: 'm1' }),
          record('backend', { userId: null, id: 'm2' }),
        ],
      });
      const found = await store.findById(room, 'anna', 'm1');
      expect({ ...found, payload: textOf(found?.payload ?? new Uint8Array()) }).toEqual({
        ...record('first', { id: 'm1' }),
        payload: 'first',
        seq: 2,
        epoch: store.epoch,
      });
      expect(await store.findById(room, 'bert', 'm1')).toMatchObject({ seq: 1 });
      expect(await store.findById(room, 'anna', 'm2')).toBeNull();
      expect(await store.findById(other, 'anna', 'm1')).toBeNull();
    });
  });

  describe('snapshots', () => {
    const snapshot = (seq: number, text = `state ${seq}`) => ({
      seq,
      epoch: 'e',
      state: new Uint8Array(Buffer.from(text)),
      stateVector: new Uint8Array([seq]),
    });

    test('the newest is kept, an older one is ignored', async () => {
      await write(store, await store.open(room), { records: [record('1'), record('2'), record('3')] });
      await store.writeSnapshot(room, snapshot(2));
      expect(await store.readSnapshot(room)).toEqual(snapshot(2));
      await store.writeSnapshot(room, snapshot(1));
      expect(await store.readSnapshot(room)).toEqual(snapshot(2));
      await store.writeSnapshot(room, snapshot(3));
      expect(await store.readSnapshot(room)).toEqual(snapshot(3));
      expect((await store.open(room)).snapshotSeq).toBe(3);
      await store.writeSnapshot(room, snapshot(3, 'smaller'));
      expect(await store.readSnapshot(room)).toEqual(snapshot(3, 'smaller'));
    });

    test('a snapshot ahead of the log is our mistake', async () => {
      await write(store, await store.open(room), { records: [record('1')] });
      await expect(store.writeSnapshot(room, snapshot(2))).rejects.toMatchObject({ code: 'internal' });
    });

    test('bytes are copied on the way in and out', async () => {
      await write(store, await store.open(room), { records: [record('1')] });
      const mine = snapshot(1, 'x'.repeat(100_000));
      await store.writeSnapshot(room, mine);
      expect(mine.state.length).toBe(100_000);
      mine.state.fill(0);
      expect((await store.readSnapshot(room))?.state[0]).toBe('x'.charCodeAt(0));
    });

    test('of a room that was deleted meanwhile it is ignored, also when the room was made anew', async () => {
      let lease = await write(store, await store.open(room), { records: [record('1'), record('2')] });
      lease = await write(store, lease, { records: [], lifecycle: { change: 'deleted', incarnation: 'gone' } });
      await store.writeSnapshot(room, snapshot(2));
      expect(await store.readSnapshot(room)).toBeNull();
      await write(store, lease, { records: [record('3')], lifecycle: { change: 'created', incarnation: 'new' } });
      await store.writeSnapshot(room, snapshot(2));
      expect(await store.readSnapshot(room)).toBeNull();
      await store.writeSnapshot(room, snapshot(3));
      expect(await store.readSnapshot(room)).toEqual(snapshot(3));
    });

    test('of a room that was never written it is ignored', async () => {
      await store.writeSnapshot(room, snapshot(1));
      expect(await store.readSnapshot(room)).toBeNull();
    });
  });

  describe('lifecycle', () => {
    test('a deleted room keeps its numbers and a tombstone, nothing else', async () => {
      const first = await store.open(room);
      let lease = await write(store, first, {
        records: [record('1', { id: 'm' }), record('2')],
        clocks: [{ clientId: 1, userId: 'anna', clock: 2 }],
        sessions: [{ session: 's', userId: 'anna', clientId: 1, counter: 2 }],
        states: [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }],
      });
      await store.writeSnapshot(room, { seq: 2, epoch: store.epoch, state: new Uint8Array(3), stateVector: new Uint8Array(1) });
      await store.writeGrant(room, 'bert', 'write', 1);
      lease = await write(store, lease, { records: [], lifecycle: { change: 'deleted', incarnation: 'gone' } });

      const opened = await store.open(room);
      expect(opened).toEqual({
        head: 2,
        headEpoch: store.epoch,
        trimmedTo: 2,
        trimmedEpoch: store.epoch,
        fence: expect.any(Number),
        clocks: [],
        states: [],
        incarnation: 'gone',
        deleted: true,
        snapshotSeq: 0,
      });
      expect(await texts()).toEqual([]);
      expect(await store.findById(room, 'anna', 'm')).toBeNull();
      expect(await store.findSession(room, 's')).toBeNull();
      expect(await store.readSnapshot(room)).toBeNull();
      expect(await store.listRooms(room, null, 10)).toEqual([]);
      expect(await store.readGrant(room, 'bert')).toBe('write');

      await write(store, opened, { records: [record('3')], lifecycle: { change: 'created', incarnation: 'second' } });
      expect(await store.open(room)).toMatchObject({
        head: 3,
        trimmedTo: 2,
        deleted: false,
        incarnation: 'second',
        clocks: [],
        states: [],
      });
      expect(await store.read(room, { limit: 10 })).toMatchObject([{ seq: 3 }]);
      expect(await store.listRooms(room, null, 10)).toEqual([room]);
      expect(first.incarnation).not.toBe('second');
    });

    test('a room that was never written can be deleted', async () => {
      await write(store, await store.open(room), { records: [], lifecycle: { change: 'deleted', incarnation: 'gone' } });
      expect(await store.open(room)).toMatchObject({ head: 0, trimmedTo: 0, trimmedEpoch: null, deleted: true });
    });

    test('deleting twice, and an already trimmed log, keep the mark', async () => {
      let lease = await write(store, await store.open(room), { records: [record('1'), record('2'), record('3')] });
      await store.trim(room, { maxRecords: 1 });
      for (const incarnation of ['a', 'b']) {
        lease = await write(store, lease, { records: [], lifecycle: { change: 'deleted', incarnation } });
        expect(await store.open(room)).toMatchObject({ head: 3, trimmedTo: 3, trimmedEpoch: store.epoch, incarnation });
        lease = { ...lease, fence: (await store.open(room)).fence };
      }
    });

    test('creating a room that is there changes its incarnation alone', async () => {
      await write(store, await store.open(room), {
        records: [record('seed')],
        lifecycle: { change: 'created', incarnation: 'one' },
      });
      expect(await store.open(room)).toMatchObject({ head: 1, trimmedTo: 0, incarnation: 'one', deleted: false });
      expect(await texts()).toEqual(['seed']);
    });
  });
}
