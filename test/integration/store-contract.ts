import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppendResult, NewRecord, RoomAppend, RoomLease, Store } from '../../server/storage/store.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';
import { openMemoryStore } from '../support/memory-store.ts';

/** A place where records live; every handle opened on it sees the same data. Disposing closes what is still open. */
export interface StoreHome extends AsyncDisposable {
  open(): Promise<Store>;
}

function record(text: string, more: Partial<NewRecord> = {}): NewRecord {
  return {
    at: 1_000,
    userId: 'anna',
    kind: 'doc:update',
    payload: Buffer.from(text),
    version: 1,
    id: null,
    session: null,
    counter: 0,
    ...more,
  };
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** What every Store must do: run it on each implementation. */
export function storeContract(name: string, makeHome: () => Promise<StoreHome>): void {
  describe(`the Store contract on ${name}`, () => {
    let home: StoreHome;
    let store: Store;
    let tests = 0;
    let room: RoomName;
    let other: RoomName;
    /** One home for all, as opening takes longer than most tests; each has rooms and users of its own. */
    let own: string;
    beforeAll(async () => {
      home = await makeHome();
      store = await home.open();
    });
    afterAll(async () => {
      await home[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      tests += 1;
      own = `t${tests}-`;
      room = parseRoomName(`doc:${own}room`);
      other = parseRoomName(`chat:${own}room`);
    });

    /** Appends under a lease and moves it on, as the one writer of a room does. */
    async function write(store: Store, lease: RoomLease, append: Omit<RoomAppend, 'room' | 'fence' | 'expectedHead'>, at = room) {
      const [result] = await store.append({ appends: [{ room: at, fence: lease.fence, expectedHead: lease.head, ...append }] });
      expect(result).toMatchObject({ ok: true });
      return { ...lease, head: lease.head + append.records.length };
    }

    const texts = async (range: Partial<Parameters<Store['read']>[1]> = {}, at = room) =>
      (await store.read(at, { limit: 100, ...range })).map((entry) => textOf(entry.payload));

    describe('open', () => {
      test('a room that was never written is empty', async () => {
        expect(await store.open(room)).toEqual({
          head: 0,
          headEpoch: store.epoch,
          trimmedTo: 0,
          trimmedEpoch: null,
          fence: expect.any(Number),
          clocks: [],
          states: [],
          incarnation: expect.any(String),
          deleted: false,
          snapshotSeq: 0,
        });
        expect(await store.read(room, { limit: 10 })).toEqual([]);
        expect(await store.readSnapshot(room)).toBeNull();
      });

      test('each lease has a higher fence, and opening changes nothing else', async () => {
        const first = await store.open(room);
        const second = await store.open(room);
        expect(second.fence).toBeGreaterThan(first.fence);
        expect({ ...second, fence: 0 }).toEqual({ ...first, fence: 0 });
      });

      test('the epoch of each handle is its own', async () => {
        const second = await home.open();
        expect(second.epoch).not.toBe(store.epoch);
        expect(second.epoch).toMatch(/^[\w-]{22}$/);
      });
    });

    describe('append', () => {
      test('numbers records from 1, without a gap, and keeps every field', async () => {
        const lease = await store.open(room);
        const full = record('second', {
          at: 2_000,
          userId: null,
          kind: 'chat:message',
          version: 3,
          id: 'm1',
          session: 's',
          counter: 9,
        });
        const results = await store.append({
          appends: [{ room, fence: lease.fence, expectedHead: 0, records: [record('first'), full] }],
        });
        expect(results).toEqual([{ ok: true, firstSeq: 1, epoch: store.epoch }]);
        const found = await store.read(room, { limit: 10 });
        expect(found.map((entry) => ({ ...entry, payload: textOf(entry.payload) }))).toEqual([
          { ...record('first'), payload: 'first', seq: 1, epoch: store.epoch },
          { ...full, payload: 'second', seq: 2, epoch: store.epoch },
        ]);
      });

      test('keeps bytes as they are, also empty, large, and cut from a pool', async () => {
        const pool = Buffer.from('before-THIS-after');
        const large = new Uint8Array(300_000).map((_, index) => index % 251);
        const lease = await write(store, await store.open(room), {
          records: [
            record('', { payload: new Uint8Array() }),
            record('', { payload: pool.subarray(7, 11) }),
            record('', { payload: large }),
          ],
        });
        expect(lease.head).toBe(3);
        const [empty, cut, whole] = await store.read(room, { limit: 3 });
        expect(empty?.payload.length).toBe(0);
        expect(textOf(cut?.payload ?? new Uint8Array())).toBe('THIS');
        expect(Buffer.compare(whole?.payload ?? new Uint8Array(), large)).toBe(0);
        expect(pool.toString()).toBe('before-THIS-after');
      });

      test('a payload that is handed out is a copy of its own', async () => {
        await write(store, await store.open(room), { records: [record('one'), record('two')] });
        const [first, second] = await store.read(room, { limit: 2 });
        first?.payload.fill(0);
        expect(first?.payload.buffer.byteLength).toBe(3);
        expect(textOf(second?.payload ?? new Uint8Array())).toBe('two');
        expect(await texts()).toEqual(['one', 'two']);
      });

      test('[1] what an append resolved for is read by every handle at once', async () => {
        const second = await home.open();
        let lease = await store.open(room);
        for (let n = 1; n <= 20; n++) {
          lease = await write(store, lease, { records: [record(`n${n}`)] });
          expect((await second.read(room, { limit: 1, from: 'newest' })).map((entry) => entry.seq)).toEqual([n]);
        }
      });

      test('one room twice in a commit is taken in order', async () => {
        const { fence } = await store.open(room);
        const results = await store.append({
          appends: [
            { room, fence, expectedHead: 0, records: [record('a')] },
            { room, fence, expectedHead: 1, records: [record('b')] },
          ],
        });
        expect(results).toMatchObject([{ firstSeq: 1 }, { firstSeq: 2 }]);
        expect(await texts()).toEqual(['a', 'b']);
      });

      test('an append of nothing but states takes no number', async () => {
        const { fence } = await store.open(room);
        const states = [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }];
        const results = await store.append({ appends: [{ room, fence, expectedHead: 0, records: [], states }] });
        expect(results).toEqual([{ ok: true, firstSeq: 1, epoch: store.epoch }]);
        expect((await store.open(room)).head).toBe(0);
      });

      test('appends that are under way together are stored in the order of their calls', async () => {
        const { fence } = await store.open(room);
        const calls = Array.from({ length: 30 }, (_, n) =>
          store.append({ appends: [{ room, fence, expectedHead: n, records: [record(`n${n}`)] }] }),
        );
        expect((await Promise.all(calls)).flat().map((result) => result.ok)).toEqual(Array(30).fill(true));
        expect(await texts()).toEqual(Array.from({ length: 30 }, (_, n) => `n${n}`));
      });

      test('text that is not well-formed Unicode damages nothing', async () => {
        const lone = 'x\ud800y';
        await write(store, await store.open(room), {
          records: [record('a', { id: lone, userId: lone, kind: lone, session: lone })],
          states: [{ event: 'e', key: lone, value: '"\ud800"', rev: 1, at: 1 }],
          sessions: [{ session: lone, userId: lone, clientId: 1, counter: 1 }],
        });
        expect(await texts()).toEqual(['a']);
        expect((await store.open(room)).states).toHaveLength(1);
        expect(await store.findSession(room, lone)).toMatchObject({ counter: 1 });
        expect(await store.findById(room, lone, lone)).toMatchObject({ seq: 1 });
      });
    });

    describe('conflicts', () => {
      test('another head than expected stores nothing of this room, and tells the head', async () => {
        const lease = await write(store, await store.open(room), { records: [record('a')] });
        for (const expectedHead of [0, 2]) {
          const results = await store.append({
            appends: [
              {
                room,
                fence: lease.fence,
                expectedHead,
                records: [record('no')],
                states: [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }],
                clocks: [{ clientId: 1, userId: null, clock: 1 }],
                sessions: [{ session: 's', userId: 'anna', clientId: 1, counter: 1 }],
                lifecycle: { change: 'deleted', incarnation: 'x' },
              },
            ],
          });
          expect(results).toEqual([{ ok: false, head: 1 }]);
        }
        expect(await texts()).toEqual(['a']);
        expect(await store.findSession(room, 's')).toBeNull();
        expect(await store.open(room)).toMatchObject({ states: [], clocks: [], deleted: false, head: 1 });
      });

      test('the other rooms of the commit are stored', async () => {
        const [one, two] = [await store.open(room), await store.open(other)];
        const results = await store.append({
          appends: [
            { room, fence: one.fence, expectedHead: 7, records: [record('no')] },
            { room: other, fence: two.fence, expectedHead: 0, records: [record('yes')] },
          ],
        });
        expect(results).toEqual([
          { ok: false, head: 0 },
          { ok: true, firstSeq: 1, epoch: store.epoch },
        ]);
        expect(await texts()).toEqual([]);
        expect(await texts({}, other)).toEqual(['yes']);
      });

      test('a room that was never opened is a conflict', async () => {
        expect(await store.append({ appends: [{ room, fence: 1, expectedHead: 0, records: [record('no')] }] })).toEqual([
          { ok: false, head: 0 },
        ]);
      });

      test('an older lease is a conflict, and the newer one goes on', async () => {
        const old = await store.open(room);
        const lease = await store.open(room);
        const append = (fence: number) => store.append({ appends: [{ room, fence, expectedHead: 0, records: [record('a')] }] });
        expect(await append(old.fence)).toEqual([{ ok: false, head: 0 }]);
        expect(await append(lease.fence)).toMatchObject([{ ok: true }]);
        expect(await append(lease.fence + 1)).toEqual([{ ok: false, head: 1 }]);
      });

      test('two handles that race for a lease: one log without a gap, each number given once', async () => {
        const second = await home.open();
        const written: string[] = [];
        const contend = async (handle: Store, who: string) => {
          let lease = await handle.open(room);
          for (let n = 0; n < 25; ) {
            const text = `${who}${n}`;
            const append = { room, fence: lease.fence, expectedHead: lease.head, records: [record(text)] };
            const [result] = (await handle.append({ appends: [append] })) as [AppendResult];
            if (result.ok) {
              written[result.firstSeq] = text;
              lease = { ...lease, head: result.firstSeq };
              n += 1;
            } else lease = await handle.open(room);
          }
        };
        await Promise.all([contend(store, 'a'), contend(second, 'b')]);
        expect(await texts()).toEqual(written.slice(1));
        expect(written).toHaveLength(51);
      });

      test('a lease that another handle took is void at once', async () => {
        const second = await home.open();
        const lease = await store.open(room);
        const theirs = await second.open(room);
        expect(await store.append({ appends: [{ room, fence: lease.fence, expectedHead: 0, records: [record('no')] }] })).toEqual(
          [{ ok: false, head: 0 }],
        );
        await write(second, theirs, { records: [record('yes')] });
        expect(await texts()).toEqual(['yes']);
      });
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

    describe('listRooms', () => {
      test('lists written rooms by name, in pages', async () => {
        const named = (...names: string[]) => names.map((each) => parseRoomName(`${own}${each}`));
        for (const each of named('doc:b', 'doc:a', 'doc:%', 'doc', 'docx', 'doc:ä', 'doc:\u{1F600}', 'chat:1', 'doc:_')) {
          await write(store, await store.open(each), { records: [record('x')] }, each);
        }
        await store.open(parseRoomName(`${own}doc:only-opened`));
        await store.writeGrant(parseRoomName(`${own}doc:only-granted`), 'anna', 'read', 1);
        const expected = named('doc:%', 'doc:_', 'doc:a', 'doc:b', 'doc:ä', 'doc:\u{1F600}');
        const prefix = `${own}doc:`;
        expect(await store.listRooms(prefix, null, 100)).toEqual(expected);
        expect(await store.listRooms(own, null, 100)).toEqual([...named('chat:1', 'doc'), ...expected, ...named('docx')]);
        expect((await store.listRooms('', null, 1_000)).length).toBeGreaterThan(expected.length + 2);
        expect(await store.listRooms(`${own}none`, null, 100)).toEqual([]);
        expect(await store.listRooms(prefix, null, 0)).toEqual([]);
        const paged: string[] = [];
        for (let after: string | null = null; ; after = paged.at(-1) ?? null) {
          const page = await store.listRooms(prefix, after, 2);
          if (page.length === 0) break;
          paged.push(...page);
        }
        expect(paged).toEqual(expected);
      });

      test('a room with nothing but states was written', async () => {
        const states = [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }];
        await write(store, await store.open(room), { records: [], states });
        expect(await store.listRooms(room, null, 10)).toEqual([room]);
      });
    });

    describe('grants', () => {
      test('the last decision holds, per room and user; null removes it', async () => {
        expect(await store.readGrant(room, 'anna')).toBeNull();
        await store.writeGrant(room, 'anna', 'admin', 1);
        await store.writeGrant(room, 'bert', 'none', 2);
        expect(await store.readGrant(room, 'anna')).toBe('admin');
        expect(await store.readGrant(room, 'bert')).toBe('none');
        expect(await store.readGrant(other, 'anna')).toBeNull();
        await store.writeGrant(room, 'anna', 'read', 3);
        expect(await store.readGrant(room, 'anna')).toBe('read');
        await store.writeGrant(room, 'anna', null, 4);
        expect(await store.readGrant(room, 'anna')).toBeNull();
      });
    });

    describe('idempotency keys', () => {
      const key = (name: string, at: number, answer = `"${name}"`) => ({
        userId: own,
        key: name,
        requestHash: 'h',
        answer,
        at,
      });

      test('are stored with the commit, per user; the first answer stays', async () => {
        const { fence } = await store.open(room);
        await store.append({ appends: [{ room, fence, expectedHead: 0, records: [record('a')] }], keys: [key('k', 1)] });
        expect(await store.findKey(own, 'k')).toEqual(key('k', 1));
        expect(await store.findKey(`${own}bert`, 'k')).toBeNull();
        expect(await store.findKey(own, 'other')).toBeNull();
        await store.append({ appends: [], keys: [key('k', 2, '"other"'), { ...key('k', 3), userId: `${own}bert` }] });
        expect(await store.findKey(own, 'k')).toEqual(key('k', 1));
        expect(await store.findKey(`${own}bert`, 'k')).toEqual({ ...key('k', 3), userId: `${own}bert` });
      });

      test('are not stored where their effect was refused', async () => {
        const [one, two] = [await store.open(room), await store.open(other)];
        await store.append({
          appends: [
            { room, fence: one.fence, expectedHead: 5, records: [record('no')] },
            { room: other, fence: two.fence, expectedHead: 0, records: [record('yes')] },
          ],
          keys: [
            { ...key('refused', 1), rooms: [room] },
            { ...key('both', 1), rooms: [other, room] },
            { ...key('stored', 1), rooms: [other] },
            key('unbound', 1),
          ],
        });
        expect(await store.findKey(own, 'refused')).toBeNull();
        expect(await store.findKey(own, 'both')).toBeNull();
        expect(await store.findKey(own, 'unbound')).toBeNull();
        expect(await store.findKey(own, 'stored')).toEqual(key('stored', 1));
      });

      test('old ones are forgotten', async () => {
        await store.forgetKeys(Number.MAX_SAFE_INTEGER);
        await store.append({ appends: [], keys: [key('a', 1), key('b', 2), key('c', 3)] });
        expect(await store.forgetKeys(3)).toBe(2);
        expect(await store.forgetKeys(3)).toBe(0);
        expect(await store.findKey(own, 'b')).toBeNull();
        expect(await store.findKey(own, 'c')).toEqual(key('c', 3));
      });
    });

    describe('probe and close', () => {
      test('a probe resolves, and changes no room', async () => {
        const lease = await store.open(room);
        await store.probe();
        await write(store, lease, { records: [record('a')] });
      });

      test('close waits for what is under way; everything is there for the next handle', async () => {
        const handle = await home.open();
        const { fence } = await handle.open(room);
        const under = handle.append({ appends: [{ room, fence, expectedHead: 0, records: [record('last')] }] });
        await Promise.all([handle.close(), under]);
        await handle.close();
        await expect(handle.read(room, { limit: 1 })).rejects.toMatchObject({ code: 'storage-unavailable' });
        await expect(handle.append({ appends: [] })).rejects.toMatchObject({ code: 'storage-unavailable' });

        const next = await home.open();
        expect(next.epoch).not.toBe(handle.epoch);
        const lease = await next.open(room);
        expect(lease).toMatchObject({ head: 1, headEpoch: handle.epoch });
        expect(lease.fence).toBeGreaterThan(fence);
        expect((await next.read(room, { limit: 10 })).map((entry) => textOf(entry.payload))).toEqual(['last']);
      });
    });

    test('does what a plain model does, whatever the calls', async () => {
      const model = openMemoryStore();
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          // Rooms of its own for each run: opening a store takes longer than a run.
          const prefix = `doc:${own}run${runs++}-`;
          for (const next of steps) {
            const [found, expected] = [await run(store, next, prefix), await run(model, next, prefix)];
            expect(comparable(found, store), JSON.stringify(next)).toEqual(comparable(expected, model));
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}

const small = fc.integer({ min: 0, max: 8 });
const someRecord = fc.record({
  at: small,
  userId: fc.constantFrom('anna', 'bert', null),
  kind: fc.constantFrom('x', 'y'),
  payload: fc.uint8Array({ maxLength: 12 }),
  version: fc.constant(1),
  id: fc.constantFrom('i', 'j', null),
  session: fc.constantFrom('s', null),
  counter: small,
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const append = fc.record({
  type: fc.constant('append' as const),
  room: fc.nat(1),
  /** Mostly right: otherwise nothing would ever be stored. */
  headOff: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
  records: fc.array(someRecord, { maxLength: 4 }),
  clocks: fc.array(fc.record({ clientId: small, userId: fc.constantFrom('anna', null), clock: small }), { maxLength: 2 }),
  sessions: fc.array(
    fc.record({ session: fc.constantFrom('s', 't'), userId: fc.constant('anna'), clientId: small, counter: small }),
    { maxLength: 2 },
  ),
  states: fc.array(
    fc.record({
      event: fc.constantFrom('e', 'f'),
      key: fc.constantFrom('k', 'l'),
      value: fc.constantFrom('1', '2', null),
      rev: small,
      at: small,
    }),
    { maxLength: 3 },
  ),
  lifecycle: fc.option(
    fc.record({ change: fc.constantFrom('deleted' as const, 'created' as const), incarnation: fc.constantFrom('p', 'q') }),
    { nil: undefined, freq: 4 },
  ),
});
const step = fc.oneof(
  { weight: 5, arbitrary: append },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      room: fc.nat(1),
      after: maybe(small),
      before: maybe(small),
      limit: small,
      maxBytes: maybe(fc.nat(20)),
      from: maybe(fc.constantFrom('oldest' as const, 'newest' as const)),
      kind: maybe(fc.constantFrom('x', 'y')),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('trim' as const),
      room: fc.nat(1),
      maxRecords: maybe(small),
      before: maybe(small),
      upTo: maybe(small),
      keepBytes: maybe(fc.nat(20)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('snapshot' as const), room: fc.nat(1), back: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('look' as const), room: fc.nat(1), seq: small }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(store: Store, next: Step, prefix: string): Promise<unknown> {
  const at = parseRoomName(`${prefix}${next.room}`);
  switch (next.type) {
    case 'append': {
      const { type: _, headOff, lifecycle, ...rest } = next;
      const lease = await store.open(at);
      const edit = { ...rest, ...(lifecycle ? { lifecycle } : {}), room: at };
      const results = await store.append({ appends: [{ ...edit, fence: lease.fence, expectedHead: lease.head + headOff }] });
      return { lease, results };
    }
    case 'read': {
      const { type: _, room: __, ...range } = next;
      return store.read(at, withoutUndefined(range));
    }
    case 'trim': {
      const { type: _, room: __, ...options } = next;
      return store.trim(at, withoutUndefined(options));
    }
    case 'snapshot': {
      const { head } = await store.open(at);
      const seq = Math.max(0, head - next.back);
      const state = new Uint8Array([seq, next.back]);
      await store.writeSnapshot(at, { seq, epoch: 'e', state, stateVector: new Uint8Array([1]) });
      return store.readSnapshot(at);
    }
    case 'look':
      return {
        epoch: await store.epochAt(at, next.seq),
        byId: await store.findById(at, 'anna', 'i'),
        session: await store.findSession(at, 's'),
        snapshot: await store.readSnapshot(at),
        rooms: await store.listRooms(prefix, null, 10),
        lease: await store.open(at),
      };
  }
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}

/** Epochs differ by their nature, fences may: what is left must be equal. */
function comparable(value: unknown, store: Store): unknown {
  const text = JSON.stringify(value, (key, entry) => (entry instanceof Uint8Array ? [...entry] : key === 'fence' ? 0 : entry));
  return text === undefined ? undefined : JSON.parse(text.replaceAll(store.epoch, 'EPOCH'));
}
