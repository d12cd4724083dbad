import { expect, test } from 'vitest';
import { readHistory } from '../../server/events/history.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { NewRecord } from '../../server/storage/store.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { parseRoomName, userRoom } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ada = { id: 'ada', name: 'Ada', color: '#336699', roles: [], permissions: [] };
const settings = { chatHistory: 50, history: 10 };

/** A room whose log holds so many records. */
async function roomWith(name: string, count: number, kind: string) {
  const store = openMemoryStore();
  const room = parseRoomName(name);
  const { fence } = await store.open(room);
  const records = Array.from({ length: count }, (_, index): NewRecord => {
    const payload = new TextEncoder().encode(JSON.stringify({ id: `n${index + 1}` }));
    return { at: index, userId: null, kind, payload, version: 1, id: null, session: null, counter: 0 };
  });
  await store.append({ appends: [{ room, fence, expectedHead: 0, records }] });
  const content = { busy: false };
  const rooms = new Rooms({
    store,
    clock: createManualClock(),
    soon: queueMicrotask,
    catchUp() {},
    createContent: () => content as never,
  });
  return { rooms, room: await rooms.open(room) };
}

test('of more than a thousand unread notifications a join receives the newest thousand, oldest first', async () => {
  const { rooms, room } = await roomWith(userRoom('ada'), 1_203, 'system:notification');
  const { after, unread } = await readHistory(rooms, settings, room, ada, room.head);
  expect(after).toBe(1_203);
  expect(unread.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 204));
});

test('of a log a first join receives the newest, and never what was cut', async () => {
  const chat = await roomWith('chat:1', 60, 'chat:message');
  expect(await readHistory(chat.rooms, settings, chat.room, ada, chat.room.head)).toEqual({ after: 10, unread: [] });
  await chat.room.trim({ maxRecords: 20 });
  expect(await readHistory(chat.rooms, settings, chat.room, ada, chat.room.head)).toEqual({ after: 40, unread: [] });
  const other = await roomWith('catalog', 60, 'catalog:updated');
  expect(await readHistory(other.rooms, settings, other.room, ada, other.room.head)).toEqual({ after: 50, unread: [] });
});
