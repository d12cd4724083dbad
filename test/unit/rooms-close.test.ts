import { expect, test } from 'vitest';
import { Rooms } from '../../server/rooms/rooms.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';

const content = {
  busy: false,
  join: () => Promise.reject(new Error('nobody joins')),
  flushed() {},
  sendRecords() {},
  sendState() {},
  left() {},
  dismissed() {},
  reopened: async () => {},
};

function openRooms() {
  const clock = createManualClock();
  const store = openMemoryStore();
  const rooms = new Rooms({ store, clock, soon: queueMicrotask, catchUp() {}, createContent: () => content as never });
  return { clock, store, rooms };
}

test('a room that is fenced when the server closes is not opened again for ever', async () => {
  const { clock, store, rooms } = openRooms();
  const room = await rooms.open(parseRoomName('chat:a'));
  store.failNextAppend(new AshlarError('storage-unavailable'));
  const failed = new Promise((resolve) => {
    const record = { at: 0, userId: null, kind: 'k', payload: new Uint8Array(), version: 1, id: null, session: null, counter: 0 };
    room.submit({ durable: true, record, leave() {}, fail: resolve });
  });
  await failed;
  expect(room.fenced).toBe(true);
  rooms.close();
  await store.close();
  await clock.advanceAsync(60_000);
  expect(clock.armed).toBe(0);
});

test('a retry under way when the server closes is the last one', async () => {
  const { clock, store, rooms } = openRooms();
  const room = await rooms.open(parseRoomName('chat:a'));
  store.failNextAppend(new AshlarError('storage-unavailable'));
  await store.close();
  room.failed(new AshlarError('storage-unavailable'));
  await clock.advanceAsync(1_000);
  expect(clock.armed).toBeGreaterThan(0);
  rooms.close();
  expect(clock.armed).toBe(0);
});

test('a state value that could not be stored asks a failing disk less and less often, and is stored when the disk is back', async () => {
  const { clock, store, rooms } = openRooms();
  const room = await rooms.open(parseRoomName('dashboard'));
  const append = store.append.bind(store);
  let appends = 0;
  let broken = true;
  store.append = async (commit) => {
    appends += 1;
    if (broken) throw new AshlarError('storage-unavailable');
    return append(commit);
  };
  const state = { event: 'dashboard:update', key: 'w', rev: room.nextRev(), value: '1', at: 0 };
  room.submit({ durable: false, states: [state], leave() {}, fail() {} });
  await clock.advanceAsync(60_000);
  expect(appends).toBeGreaterThan(5);
  expect(appends).toBeLessThan(25);
  expect(room.fenced).toBe(false);
  broken = false;
  await clock.advanceAsync(5_000);
  expect(room.idle).toBe(true);
  expect((await store.open(room.name)).states).toMatchObject([{ key: 'w', rev: state.rev }]);
  rooms.close();
});

test('what ends after the close, such as the last socket, arms no timer', async () => {
  const { clock, rooms } = openRooms();
  const room = await rooms.open(parseRoomName('chat:a'));
  rooms.close();
  rooms.release(room);
  expect(clock.armed).toBe(0);
});
