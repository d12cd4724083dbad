import { beforeEach, describe, expect, test } from 'vitest';
import type { AppendResult, Store } from '../../storage/store.ts';
import { type Context, record, textOf } from './context.ts';

/** The lease, what an append writes, and what it refuses. */
export function appendContract(current: () => Context): void {
  let home: Context['home'];
  let store: Context['store'];
  let room: Context['room'];
  let other: Context['other'];
  let write: Context['write'];
  let texts: Context['texts'];
  beforeEach(() => {
    ({ home, store, room, other, write, texts } = current());
  });

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
      expect(await store.append({ appends: [{ room, fence: lease.fence, expectedHead: 0, records: [record('no')] }] })).toEqual([
        { ok: false, head: 0 },
      ]);
      await write(second, theirs, { records: [record('yes')] });
      expect(await texts()).toEqual(['yes']);
    });
  });
}
