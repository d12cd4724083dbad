import { expect, test, vi } from 'vitest';
import { Rooms } from '../../server/rooms/rooms.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { gateStore } from '../support/gated-store.ts';
import { createManualClock } from '../support/manual-clock.ts';

const NAME = parseRoomName('doc:plan');
const LONG_MS = 300_000;

function openRooms() {
  const clock = createManualClock();
  const store = gateStore(openMemoryStore());
  const content = { busy: false, flushed() {}, reopened: async () => {} };
  const rooms = new Rooms({ store, clock, soon: queueMicrotask, catchUp() {}, createContent: () => content as never });
  return { clock, store, rooms, content };
}

test('a room is let go when nobody has needed it for half a minute, and not while its content is worked on', async () => {
  const { clock, rooms, content } = openRooms();
  const room = await rooms.open(NAME);
  content.busy = true;
  await clock.advanceAsync(LONG_MS);
  expect(rooms.peek(NAME)).toBe(room);
  content.busy = false;
  await clock.advanceAsync(60_000);
  expect(rooms.peek(NAME)).toBeUndefined();
  expect(clock.armed).toBe(0);
});

test('a room that waits for its lease is not let go: another one of its name would lose the lease to it', async () => {
  const { clock, store, rooms } = openRooms();
  const room = await rooms.open(NAME);
  const release = store.hold('open');
  room.failed(new AshlarError('storage-unavailable'));
  await clock.advanceAsync(LONG_MS);
  expect(rooms.peek(NAME)).toBe(room);
  release();
  await vi.waitFor(() => expect(room.fenced).toBe(false));
  await clock.advanceAsync(60_000);
  expect(rooms.peek(NAME)).toBeUndefined();
});
