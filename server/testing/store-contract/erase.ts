import { beforeEach, describe, expect, test } from 'vitest';
import { parseRoomName, userRoom } from '../../../shared/room-name.ts';
import { type Context, record, textOf } from './context.ts';

/** What is left of a user who was erased, and what is not. */
export function eraseContract(current: () => Context): void {
  let store: Context['store'];
  let room: Context['room'];
  let other: Context['other'];
  let write: Context['write'];
  let own: string;
  beforeEach(() => {
    ({ store, room, other, write, own } = current());
  });
  const event = (userId: string | null, payload: object, id: string | null = null) =>
    record(JSON.stringify(payload), { userId, kind: 'chat:message', id });

  describe('eraseUser', () => {
    test("the user's events become empty records in their places; those of others are as they were", async () => {
      const ada = `${own}ada`;
      const lease = await write(
        store,
        await store.open(other),
        {
          records: [
            event(ada, { content: 'mine' }, 'm1'),
            event('bob', { content: `"${ada}" is named here`, to: ada }, 'm1'),
            event(null, { content: 'in her name', userId: ada }),
            event('bob', { content: 'last' }),
          ],
        },
        other,
      );
      expect(await store.eraseUser(ada)).toEqual({
        records: 2,
        rooms: 0,
        documents: 0,
        updates: 0,
        clientIds: 0,
        sessions: 0,
        quarantined: 0,
        states: 0,
        grants: 0,
        keys: 0,
        mentions: 1,
        namedAfter: [],
      });
      const records = await store.read(other, { limit: 10 });
      expect(records.map(({ seq, userId, kind, id }) => [seq, userId, kind, id])).toEqual([
        [1, null, 'ashlar:erased', null],
        [2, 'bob', 'chat:message', 'm1'],
        [3, null, 'ashlar:erased', null],
        [4, 'bob', 'chat:message', null],
      ]);
      expect(textOf(records[0]?.payload ?? new Uint8Array())).toBe('{}');
      expect(records.every(({ epoch, at }) => epoch === store.epoch && at === 1_000)).toBe(true);
      expect(await store.epochAt(other, 1)).toBe(store.epoch);
      expect(await store.findById(other, ada, 'm1')).toBeNull();
      // The lease from before still holds: the numbers are as they were.
      await write(store, lease, { records: [event('bob', { content: 'goes on' })] }, other);
      expect(await store.read(other, { limit: 10, kind: 'chat:message' })).toHaveLength(3);
    });

    test("a document keeps its content without the author: client ids are nobody's, sessions are gone", async () => {
      const ada = `${own}ada`;
      await write(store, await store.open(room), {
        records: [
          record('a', { userId: ada, session: 's1', counter: 1 }),
          record('b', { userId: 'bob', session: 's2', counter: 1 }),
        ],
        clocks: [
          { clientId: 1, userId: ada, clock: 1 },
          { clientId: 2, userId: 'bob', clock: 1 },
        ],
        sessions: [
          { session: 's1', userId: ada, clientId: 1, counter: 1 },
          { session: 's2', userId: 'bob', clientId: 2, counter: 1 },
        ],
      });
      expect(await store.eraseUser(ada)).toMatchObject({ records: 0, documents: 1, updates: 1, clientIds: 1, sessions: 1 });
      expect(await store.read(room, { limit: 10 })).toMatchObject([
        { seq: 1, userId: null, session: null, counter: 0, kind: 'doc:update' },
        { seq: 2, userId: 'bob', session: 's2', counter: 1 },
      ]);
      expect((await store.read(room, { limit: 10 })).map(({ payload }) => textOf(payload))).toEqual(['a', 'b']);
      expect((await store.open(room)).clocks).toEqual([
        { clientId: 1, userId: null, clock: 1 },
        { clientId: 2, userId: 'bob', clock: 1 },
      ]);
      expect(await store.findSession(room, 's1')).toBeNull();
      expect(await store.findSession(room, 's2')).toMatchObject({ userId: 'bob' });
    });

    test("the user's own room goes with its name, and its numbers do not come again", async () => {
      const ada = `${own}ada`;
      const mine = userRoom(ada);
      const lease = await write(
        store,
        await store.open(mine),
        {
          records: [event(null, { title: 'for ada' }), event(null, { title: 'again' })],
          states: [{ event: 'notification:read', key: '*', value: '{}', rev: 1, at: 1 }],
        },
        mine,
      );
      expect(await store.eraseUser(ada)).toMatchObject({ rooms: 1, records: 2 });
      expect(await store.listRooms('user:', null, 1_000)).not.toContain(mine);
      expect(await store.read(mine, { limit: 10 })).toEqual([]);
      // A writer that still has the room is told, and begins a new one.
      const [stale] = await store.append({
        appends: [{ room: mine, fence: lease.fence, expectedHead: lease.head, records: [event(null, { title: 'late' })] }],
      });
      expect(stale).toMatchObject({ ok: false });
      const anew = await store.open(mine);
      expect(anew).toMatchObject({ head: 2, trimmedTo: 2, states: [], deleted: false });
      expect(anew.headEpoch).not.toBe(store.epoch);
      await write(store, anew, { records: [event(null, { title: 'another' })] }, mine);
      expect(await store.read(mine, { limit: 10 })).toMatchObject([{ seq: 3 }]);
    });

    test('state values, grants and idempotency keys of the user go; what names the user in those of others does too', async () => {
      const ada = `${own}ada`;
      const state = (key: string, value: object) => ({ event: 'e', key, value: JSON.stringify(value), rev: 1, at: 1 });
      await write(store, await store.open(other), { records: [] }, other);
      const answer = JSON.stringify([{ event: 'system:notification', room: `user:${ada}`, seq: 1 }]);
      const key = (userId: string) => ({ userId, key: `${own}k`, requestHash: 'h', answer, at: 1, rooms: [] });
      const at = await store.open(other);
      await store.append({
        appends: [
          {
            room: other,
            fence: at.fence,
            expectedHead: at.head,
            records: [],
            states: [state(ada, { x: 1 }), state('k', { userId: ada, x: 2 }), state('l', { x: 3 }), state('m', { seen: [ada] })],
          },
        ],
        keys: [key(ada), key('svc')],
      });
      await store.writeGrant(other, ada, 'none', 1);
      await store.writeGrant(other, 'bob', 'write', 1);
      expect(await store.eraseUser(ada)).toMatchObject({ states: 2, grants: 1, keys: 1, mentions: 1 });
      expect((await store.open(other)).states.map(({ key: name }) => name)).toEqual(['l', 'm']);
      expect(await store.readGrant(other, ada)).toBeNull();
      expect(await store.readGrant(other, 'bob')).toBe('write');
      expect(await store.findKey(ada, `${own}k`)).toBeNull();
      expect((await store.findKey('svc', `${own}k`))?.answer).toBe(answer.replace(`user:${ada}`, 'user:erased'));
    });

    test('whoever is not stored leaves everything as it is; a second time finds nothing', async () => {
      const ada = `${own}ada`;
      const named = parseRoomName(`chat:${ada}`);
      await write(store, await store.open(named), { records: [event(ada, { content: 'x' })] }, named);
      await store.eraseUser(`${own}nobody`);
      expect(await store.read(named, { limit: 10 })).toMatchObject([{ userId: ada }]);
      expect(await store.eraseUser(ada)).toMatchObject({ records: 1, namedAfter: [named] });
      expect(await store.eraseUser(ada)).toMatchObject({ records: 0, namedAfter: [named] });
      await expect(store.eraseUser('')).rejects.toMatchObject({ code: 'invalid-room' });
    });
  });
}
