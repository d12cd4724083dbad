import { expect, test, vi } from 'vitest';
import type { Entry } from '../../server/rooms/entry.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { LogRecord } from '../../server/storage/store.ts';
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
  const content = { busy: false, flushed() {}, reopened: async () => {}, underWay: (_records: readonly LogRecord[]): void => {} };
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

const keystroke = (leave: (record: LogRecord | null) => void, fail = () => {}): Entry => ({
  record: {
    at: 0,
    userId: 'ada',
    kind: 'doc:update',
    payload: new Uint8Array([0, 0]),
    version: 1,
    id: null,
    session: 'session',
    counter: 1,
  },
  durable: true,
  leave,
  fail,
});

test('[1] what a commit brings is made ready while it is written, and leaves as the same records once it is on disk', async () => {
  const { store, rooms, content } = openRooms();
  const room = await rooms.open(NAME);
  const announced: LogRecord[] = [];
  content.underWay = (records) => void announced.push(...records);
  const release = store.hold('append');
  const left: (LogRecord | null)[] = [];
  for (let n = 0; n < 2; n++) room.submit(keystroke((record) => left.push(record)));
  room.submit({ durable: false, leave: (record) => left.push(record), fail() {} });
  await vi.waitFor(() => expect(announced).toHaveLength(2));
  expect(left).toEqual([]);
  release();
  await vi.waitFor(() => expect(left).toHaveLength(3));
  expect(left[0]).toBe(announced[0]);
  expect(left[1]).toBe(announced[1]);
  expect(left.map((record) => record?.seq)).toEqual([1, 2, undefined]);
  expect(announced.every(({ epoch }) => epoch === store.epoch)).toBe(true);
});

test('[1] what was made ready for a commit that fails is not what leaves with the next one', async () => {
  const { clock, store, rooms, content } = openRooms();
  const room = await rooms.open(NAME);
  const announced: LogRecord[] = [];
  content.underWay = (records) => void announced.push(...records);
  store.fail('append', 'before', new AshlarError('storage-unavailable'));
  const failed = vi.fn();
  room.submit(keystroke(() => {}, failed));
  await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
  await clock.advanceAsync(60_000);
  await vi.waitFor(() => expect(room.fenced).toBe(false));
  const left: (LogRecord | null)[] = [];
  room.submit(keystroke((record) => left.push(record)));
  await vi.waitFor(() => expect(left).toHaveLength(1));
  expect(announced).toHaveLength(2);
  expect(left[0]).toBe(announced[1]);
  expect(left[0]).not.toBe(announced[0]);
});

test('a room that could not be opened is opened by whoever asks next', async () => {
  const { store, rooms } = openRooms();
  store.fail('open', 'before', new AshlarError('storage-unavailable'));
  const together = await Promise.allSettled([rooms.open(NAME), rooms.open(NAME)]);
  expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await rooms.open(NAME)).toBe(rooms.peek(NAME));
});
