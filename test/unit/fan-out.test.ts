import { beforeEach, expect, test, vi } from 'vitest';
import { createPublish, type Publish } from '../../server/events/publish.ts';
import { createCatchUp } from '../../server/rooms/catch-up.ts';
import { EventRoom } from '../../server/rooms/event-room.ts';
import type { Member } from '../../server/rooms/member.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { LogRecord } from '../../server/storage/store.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { createCatalog } from '../../shared/catalog.ts';
import type { EventMeta } from '../../shared/position.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { auditEntry, auditEvents, auditLevel, auditPulse } from '../support/audit-events.ts';
import { type FakeOutbox, fakeConnection } from '../support/fake-connection.ts';
import { type GatedStore, gateStore } from '../support/gated-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const NAME = parseRoomName('audit:1');

let clock: ManualClock;
let store: GatedStore;
let rooms: Rooms;
let publish: Publish;
let catchUp: (member: Member) => void;
let stopped: string[];
let history: number;
let unread: readonly LogRecord[];

beforeEach(() => {
  clock = createManualClock();
  store = gateStore(openMemoryStore());
  stopped = [];
  history = 0;
  unread = [];
  catchUp = createCatchUp((_member, error) => stopped.push(error.code));
  rooms = new Rooms({
    store,
    clock,
    soon: setImmediate,
    catchUp,
    createContent: (room) =>
      new EventRoom(room, {
        catalog: createCatalog(auditEvents),
        overflowRecords: 1_000,
        history: async (_room, _user, head) => ({ after: Math.max(0, head.seq - history), unread }),
        catchUp,
      }),
  });
  publish = createPublish({ clock, catchUp, toReaders: () => {}, grown: () => {} });
});

const entry = (room: Room, number: number, padding?: string) =>
  publish({ definition: auditEntry, room, payload: { entry: number, padding }, userId: null });
const level = (room: Room, key: string, value: number) =>
  publish({ definition: auditLevel, room, payload: { key, level: value }, userId: null });
const pulse = (room: Room, number: number) => publish({ definition: auditPulse, room, payload: { pulse: number }, userId: null });

/** A member that joined, is live, and has its queue in the test's hands. */
async function join(room: Room, userId: string): Promise<{ member: Member; outbox: FakeOutbox }> {
  const connection = fakeConnection({ clock, userId });
  const { member, start } = await room.content.join(connection, 'read', {});
  room.members.set(connection, member);
  start();
  await live(member);
  return { member, outbox: connection.outbox };
}

const live = (member: Member) => vi.waitFor(() => expect(member.delivery).toBe('live'));
const entries = ({ taken }: FakeOutbox) =>
  taken.flatMap(([name, payload]) => (name === auditEntry.name ? [(payload as { entry: number }).entry] : []));
const levels = ({ taken }: FakeOutbox) =>
  taken.flatMap(([name, payload]) => {
    const { key, level: value } = payload as { key: string; level: number };
    return name === auditLevel.name ? [`${key}=${value}`] : [];
  });

test('[7] log events for which there was no room come from the log once it drains, in order, and others do not wait', async () => {
  const room = await rooms.open(NAME);
  const [slow, fast] = [await join(room, 'slow'), await join(room, 'fast')];
  slow.outbox.room = 2;
  for (let number = 1; number <= 10; number++) await entry(room, number);
  expect(entries(fast.outbox)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(entries(slow.outbox)).toEqual([1, 2]);
  slow.outbox.drain();
  await live(slow.member);
  await entry(room, 11);
  expect(entries(slow.outbox)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(slow.member.sent.seq).toBe(11);
});

test('[2] a member that was brought further while the log was read for it goes on from there, and gets nothing of before', async () => {
  const room = await rooms.open(NAME);
  for (let number = 1; number <= 4; number++) await entry(room, number);
  const { member, outbox } = await join(room, 'ada');
  const release = store.hold('read', 'answer');
  room.recent.clear();
  const at = (seq: number) => ({ epoch: store.epoch, seq });
  member.sent = at(1);
  member.delivery = 'catching-up';
  catchUp(member);
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  // As when a document's state is asked for, and all of it has been sent.
  member.delivery = 'waiting';
  member.sent = at(3);
  member.delivery = 'catching-up';
  catchUp(member);
  release();
  await live(member);
  expect([entries(outbox), member.sent.seq, stopped]).toEqual([[4], 4, []]);
});

test('[7] state values for which there was no room are conflated to the latest of each key', async () => {
  const room = await rooms.open(NAME);
  const [slow, fast] = [await join(room, 'slow'), await join(room, 'fast')];
  slow.outbox.room = 1;
  for (let value = 1; value <= 50; value++) await level(room, value % 2 === 0 ? 'even' : 'odd', value);
  expect(levels(fast.outbox)).toHaveLength(50);
  expect(levels(slow.outbox)).toEqual(['odd=1']);
  slow.outbox.drain();
  expect(levels(slow.outbox)).toEqual(['odd=1', 'even=50', 'odd=49']);
  await level(room, 'odd', 51);
  expect(levels(slow.outbox).at(-1)).toBe('odd=51');
});

test('whoever has joined and was not answered yet gets no event before the answer, of no class', async () => {
  const room = await rooms.open(NAME);
  const connection = fakeConnection({ clock, userId: 'ada' });
  const { member, start } = await room.content.join(connection, 'read', {});
  room.members.set(connection, member);
  await Promise.all([entry(room, 1), level(room, 'load', 1), pulse(room, 1)]);
  expect(connection.outbox.taken).toEqual([]);
  start();
  await live(member);
  await pulse(room, 2);
  expect([entries(connection.outbox), levels(connection.outbox)]).toEqual([[1], ['load=1']]);
  expect(connection.outbox.taken.flatMap(([name, payload]) => (name === auditPulse.name ? [payload] : []))).toEqual([
    { pulse: 2 },
  ]);
});

test('[7] ephemeral events for which there is no room are gone', async () => {
  const room = await rooms.open(NAME);
  const slow = await join(room, 'slow');
  slow.outbox.room = 1;
  for (let number = 1; number <= 5; number++) await pulse(room, number);
  slow.outbox.drain();
  await pulse(room, 6);
  expect(slow.outbox.taken.map(([, payload]) => payload)).toEqual([{ pulse: 1 }, { pulse: 6 }]);
});

test('[7] a catch-up fills a queue no further than its reader empties it', async () => {
  const room = await rooms.open(NAME);
  const slow = await join(room, 'slow');
  slow.outbox.room = 0;
  // 3 MB, in chunks of a quarter of one.
  for (let number = 1; number <= 30; number++) await entry(room, number, 'x'.repeat(100_000));
  let drains = 0;
  for (; slow.member.delivery !== 'live'; drains++) {
    slow.outbox.drain();
    await vi.waitFor(() => expect(slow.outbox.queuedBytes > 256 * 1024 || slow.member.delivery === 'live').toBe(true));
    expect(slow.outbox.queuedBytes).toBeLessThan(1_000_000);
  }
  expect(drains).toBeGreaterThan(5);
  expect(entries(slow.outbox)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
});

test('[2] what is published during a catch-up comes behind it, once', async () => {
  const room = await rooms.open(NAME);
  const slow = await join(room, 'slow');
  slow.outbox.room = 0;
  // More than what is kept in memory, so that the catch-up begins with a read.
  for (let number = 1; number <= 12; number++) await entry(room, number, 'x'.repeat(100_000));
  const read = store.hold('read');
  slow.outbox.drain();
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  // There is room for these in the queue, but not in the order.
  await Promise.all([entry(room, 13), entry(room, 14)]);
  read();
  for (; slow.member.delivery !== 'live'; slow.outbox.drain()) await new Promise((resolve) => setImmediate(resolve));
  await entry(room, 15);
  expect(entries(slow.outbox)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
});

test('[2] a catch-up that finds a hole stops and says so: no member goes on over it', async () => {
  const room = await rooms.open(NAME);
  const slow = await join(room, 'slow');
  slow.outbox.room = 0;
  // More than what is kept in memory, so that the rest is read from the store.
  for (let number = 1; number <= 12; number++) await entry(room, number, 'x'.repeat(100_000));
  await store.trim(NAME, { maxRecords: 3 });
  slow.outbox.drain();
  await vi.waitFor(() => expect(stopped).toEqual(['not-a-member']));
  expect(entries(slow.outbox)).toEqual([]);
});

test('[2] events of one room leave in the order published: state waits behind a log event that is not committed', async () => {
  const room = await rooms.open(NAME);
  const { outbox } = await join(room, 'ada');
  const release = store.hold('append');
  const published = [entry(room, 1), level(room, 'load', 7), pulse(room, 1), entry(room, 2)];
  await new Promise((resolve) => setImmediate(resolve));
  expect(outbox.taken).toEqual([]);
  release();
  await Promise.all(published);
  expect(outbox.taken.map(([name]) => name)).toEqual(['audit:entry', 'audit:level', 'audit:pulse', 'audit:entry']);
});

test('[2] the revs of a room’s state values go on growing when the room was let go and opened again', async () => {
  const room = await rooms.open(NAME);
  const first = await level(room, 'load', 1);
  await rooms.groupCommit.settled();
  await clock.advanceAsync(60_000);
  expect(rooms.peek(NAME)).toBeUndefined();
  const second = await level(await rooms.open(NAME), 'load', 2);
  expect((second.meta as EventMeta).rev).toBeGreaterThan((first.meta as EventMeta).rev as number);
  expect(second.meta.epoch).toBe(first.meta.epoch);
});

test('[2] that holds also where all values were dropped meanwhile: whoever knew them takes no new one for old', async () => {
  const room = await rooms.open(NAME);
  await level(room, 'load', 1);
  const second = await level(room, 'load', 2);
  await rooms.groupCommit.settled();
  await room.dropStates([...room.states.values()]);
  await clock.advanceAsync(60_000);
  expect(rooms.peek(NAME)).toBeUndefined();
  const third = await level(await rooms.open(NAME), 'load', 3);
  expect((third.meta as EventMeta).rev).toBeGreaterThan((second.meta as EventMeta).rev as number);
});

test('a value that is dropped before it was stored does not come back from the disk', async () => {
  const room = await rooms.open(NAME);
  for (const key of ['a', 'b', 'c']) await level(room, key, 1);
  const [oldest, older] = [...room.states.values()];
  await room.dropStates([oldest, older].filter((state) => state !== undefined));
  await rooms.groupCommit.settled();
  const stored = (await store.open(NAME)).states.map(({ key }) => key);
  expect([stored, [...room.states.values()].map(({ key }) => key)]).toEqual([['c'], ['c']]);
});

test('[2] a value that comes while the one before it is dropped stays, in memory and on disk', async () => {
  const room = await rooms.open(NAME);
  await level(room, 'load', 1);
  await rooms.groupCommit.settled();
  const release = store.hold('append');
  const before = [...room.states.values()];
  const published = [entry(room, 1), level(room, 'load', 2)];
  const dropped = room.dropStates(before);
  release();
  await Promise.all([...published, dropped]);
  await rooms.groupCommit.settled();
  const values = [...room.states.values()].map(({ value }) => value);
  expect(values).toEqual(['{"key":"load","level":2}']);
  expect((await store.open(NAME)).states.map(({ value }) => value)).toEqual(values);
});

test('[1] of a value whose commit fails and of a newer one the newer is stored', async () => {
  const room = await rooms.open(NAME);
  const release = store.hold('append');
  await level(room, 'load', 1);
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  await level(room, 'load', 2);
  store.fail('append', 'before', new Error('the disk is away'));
  release();
  await rooms.groupCommit.settled();
  await clock.advanceAsync(1_000);
  await rooms.groupCommit.settled();
  expect((await store.open(NAME)).states.map(({ value }) => value)).toEqual(['{"key":"load","level":2}']);
});

test('[7] what a first join receives is handed out in portions, as fast as its queue drains', async () => {
  const room = await rooms.open(NAME);
  for (let number = 1; number <= 10; number++) await entry(room, number, 'x'.repeat(1_000));
  for (let key = 0; key < 10; key++) await level(room, `key-${key}`, key);
  history = 8;
  const connection = fakeConnection({ clock, userId: 'late' });
  const { outbox } = connection;
  outbox.portionBytes = 2_500;
  const { member, start } = await room.content.join(connection, 'read', {});
  room.members.set(connection, member);
  start();
  let most = 0;
  for (let drains = 0; member.delivery !== 'live' || member.staleStates.size > 0; drains++) {
    expect(drains).toBeLessThan(20);
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, outbox.queuedBytes);
    outbox.drain();
  }
  expect(most).toBeLessThan(6_000);
  expect(entries(outbox)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(levels(outbox).sort()).toEqual(Array.from({ length: 10 }, (_, key) => `key-${key}=${key}`));
  expect(stopped).toEqual([]);
});

test('[2] of unread events that come in portions the last alone brings the client up to where the log goes on', async () => {
  const room = await rooms.open(NAME);
  for (let number = 1; number <= 10; number++) await entry(room, number, 'x'.repeat(1_000));
  unread = (await store.read(NAME, { limit: 10 })).filter(({ seq }) => seq % 2 === 1);
  const connection = fakeConnection({ clock, userId: 'late' });
  const { outbox } = connection;
  outbox.portionBytes = 2_500;
  const { member, answer, start } = await room.content.join(connection, 'read', {});
  room.members.set(connection, member);
  start();
  for (; member.delivery !== 'live'; outbox.drain()) await new Promise((resolve) => setImmediate(resolve));
  // A client that is cut off in between comes back with the place of what it has.
  expect(answer).toMatchObject({ seq: 0, head: 10 });
  const places = outbox.taken.map(([, , meta]) => ((meta as EventMeta).position ?? (meta as EventMeta)).seq);
  expect(places).toEqual([1, 3, 5, 7, 10]);
});
