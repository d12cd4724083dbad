import { expect, test, vi } from 'vitest';
import { Retention } from '../../server/events/retention.ts';
import { Settings } from '../../server/options.ts';
import type { Rooms } from '../../server/rooms/rooms.ts';
import type { RoomSurvey, Store } from '../../server/storage/store.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { createCatalog } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { createManualClock } from '../support/manual-clock.ts';

test('a round comes to all rooms, page by page, and a damaged one does not end it for those behind', async () => {
  const names = Array.from({ length: 1_200 }, (_, index) => parseRoomName(`chat:${String(index).padStart(4, '0')}`));
  const trimmed: string[] = [];
  const store: Pick<Store, 'surveyRooms' | 'trim'> = {
    surveyRooms: async (after, limit) =>
      names
        .filter((name) => after === null || name > after)
        .slice(0, limit)
        .map((room): RoomSurvey => ({ room, oldestRecordAt: 0, oldestStates: [], snapshotSeq: 0 })),
    trim: async (name) => {
      if (name === 'chat:0003') throw new AshlarError('storage-damaged', { room: name });
      trimmed.push(name);
      return 1;
    },
  };
  const clock = createManualClock();
  const warn = vi.fn();
  const retention = new Retention({
    clock,
    store: store as Store,
    rooms: { peek: () => undefined } as unknown as Rooms,
    catalog: createCatalog(),
    limits: Settings.parse({ retention: { log: { maxAgeMs: 60_000 } } }).retention,
    log: { warn },
  });
  await retention.round();
  expect(trimmed).toEqual(names.filter((name) => name !== 'chat:0003'));
  expect(warn.mock.calls).toMatchObject([[{ room: 'chat:0003' }, 'retention:failed']]);
  retention.close();
  expect(clock.armed).toBe(0);
});

test('a round that is under way at the end is the last one', async () => {
  const clock = createManualClock();
  let answer: (page: readonly RoomSurvey[]) => void = () => {};
  const surveys = vi.fn(() => new Promise<readonly RoomSurvey[]>((resolve) => (answer = resolve)));
  const retention = new Retention({
    clock,
    store: { surveyRooms: surveys } as unknown as Store,
    rooms: { peek: () => undefined } as unknown as Rooms,
    catalog: createCatalog(),
    limits: Settings.parse({ retention: { log: { maxAgeMs: 60_000 } } }).retention,
    log: { warn: vi.fn() },
  });
  await clock.advanceAsync(6_000);
  expect(surveys).toHaveBeenCalledTimes(1);
  retention.close();
  answer([]);
  await clock.advanceAsync(3_600_000);
  expect([surveys.mock.calls.length, clock.armed]).toEqual([1, 0]);
});

test('[1] of a document nothing goes that no snapshot holds, however old it is', async () => {
  const store = openMemoryStore();
  const clock = createManualClock();
  const room = parseRoomName('doc:plan');
  const { fence } = await store.open(room);
  const record = { userId: 'ada', kind: 'doc:update', payload: new Uint8Array([0, 0]), version: 1, id: null, session: null };
  const records = [1, 2, 3, 4].map((counter) => ({ ...record, at: clock.now(), counter }));
  await store.append({ appends: [{ room, fence, expectedHead: 0, records }] });
  await store.writeSnapshot(room, {
    seq: 2,
    epoch: store.epoch,
    state: new Uint8Array([0, 0]),
    stateVector: new Uint8Array([0]),
  });
  const warn = vi.fn();
  const retention = new Retention({
    clock,
    store,
    rooms: { peek: () => undefined } as unknown as Rooms,
    catalog: createCatalog(),
    limits: Settings.parse({ retention: { documents: { maxAgeMs: 60_000 } } }).retention,
    log: { warn },
  });
  clock.jump(120_000);
  await retention.round();
  expect((await store.read(room, { limit: 10 })).map(({ seq }) => seq)).toEqual([3, 4]);
  expect(warn).not.toHaveBeenCalled();
  retention.close();
  await store.close();
});
