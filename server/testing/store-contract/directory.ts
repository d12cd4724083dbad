import { beforeEach, describe, expect, test } from 'vitest';
import { parseRoomName } from '../../../shared/room-name.ts';
import { type Context, record, textOf } from './context.ts';

/** What is not of one log: the list of rooms, grants, idempotency keys; and closing. */
export function directoryContract(current: () => Context): void {
  let home: Context['home'];
  let store: Context['store'];
  let own: Context['own'];
  let room: Context['room'];
  let other: Context['other'];
  let write: Context['write'];
  beforeEach(() => {
    ({ home, store, own, room, other, write } = current());
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
      const [beforeAll = null] = named('chat:1');
      expect(await store.listRooms(prefix, beforeAll, 1)).toEqual(expected.slice(0, 1));
      expect(await store.listRooms(prefix, named('docx')[0] ?? null, 10)).toEqual([]);
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

  describe('surveyRooms', () => {
    test('tells of each written room what is oldest in it, and its snapshot, in pages', async () => {
      const states = [
        { event: 'e', key: 'a', value: '1', rev: 1, at: 30 },
        { event: 'e', key: 'b', value: '1', rev: 2, at: 20 },
        { event: 'f', key: 'a', value: '1', rev: 3, at: 40 },
      ];
      await write(store, await store.open(other), { records: [record('x', { at: 5 }), record('y', { at: 6 })], states }, other);
      const lease = await write(store, await store.open(room), { records: [record('x', { at: 7 }), record('y', { at: 8 })] });
      const { epoch } = store;
      await store.writeSnapshot(room, { seq: lease.head, epoch, state: Buffer.from('s'), stateVector: Buffer.from('v') });
      const mine = async () =>
        (await store.surveyRooms(null, 10_000)).filter((survey) => survey.room === room || survey.room === other);
      const expected = [
        {
          room: other,
          oldestRecordAt: 5,
          oldestStates: [
            { event: 'e', at: 20 },
            { event: 'f', at: 40 },
          ],
          snapshotSeq: 0,
        },
        { room, oldestRecordAt: 7, oldestStates: [], snapshotSeq: 2 },
      ];
      expect(await mine()).toEqual(expected);
      const [next] = await store.surveyRooms(other, 1);
      expect(next?.room).toBe((await store.listRooms('', other, 1))[0]);
      await store.trim(room, { maxRecords: 1 });
      await store.trim(other, { maxRecords: 0 });
      expect((await mine()).map(({ oldestRecordAt }) => oldestRecordAt)).toEqual([null, 8]);
      const now = await store.open(room);
      await write(store, now, { records: [], lifecycle: { change: 'deleted', incarnation: 'gone' } });
      expect(
        (await mine()).map((survey) => survey.room),
        'a deleted room holds nothing',
      ).toEqual([other]);
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
}
