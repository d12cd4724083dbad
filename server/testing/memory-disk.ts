import type { Access } from '../../shared/access.ts';
import { isDocumentRoom, type RoomName } from '../../shared/room-name.ts';
import {
  answerWithout,
  inJson,
  isEventOf,
  isNamedAfter,
  isStateOf,
  roomToErase,
  tombstone,
  withoutAuthor,
} from '../storage/erasure.ts';
import type {
  ClientClock,
  Erasure,
  IdempotencyKey,
  LogRecord,
  QuarantinedRecord,
  SessionMark,
  Snapshot,
  StateValue,
} from '../storage/store.ts';

export interface MemoryRoom {
  head: number;
  trimmedTo: number;
  trimmedEpoch: string | null;
  fence: number;
  incarnation: string;
  deleted: boolean;
  written: boolean;
  /** Head at the last deletion: snapshots from before it are of another life. */
  bornAfter: number;
  records: LogRecord[];
  clocks: Map<number, ClientClock>;
  sessions: Map<string, SessionMark>;
  states: Map<string, StateValue>;
  snapshot: Snapshot | null;
  quarantined: QuarantinedRecord[];
}

/** What several memory stores share, as several handles share one data folder. */
export interface MemoryDisk {
  readonly rooms: Map<RoomName, MemoryRoom>;
  readonly grants: Map<string, Access>;
  readonly keys: Map<string, IdempotencyKey>;
  readonly positionKey: Uint8Array;
  fence: number;
}

export function memoryDisk(): MemoryDisk {
  return { rooms: new Map(), grants: new Map(), keys: new Map(), positionKey: new Uint8Array(32).fill(7), fence: 0 };
}

export function emptyRoom(): MemoryRoom {
  return {
    head: 0,
    trimmedTo: 0,
    trimmedEpoch: null,
    fence: 0,
    incarnation: '0',
    deleted: false,
    written: false,
    bornAfter: 0,
    records: [],
    clocks: new Map(),
    sessions: new Map(),
    states: new Map(),
    snapshot: null,
    quarantined: [],
  };
}

/** What `Store.eraseUser` does, on a disk in memory. */
export function eraseFrom(disk: MemoryDisk, userId: string): Erasure {
  const counts = {
    records: 0,
    rooms: 0,
    documents: 0,
    updates: 0,
    clientIds: 0,
    sessions: 0,
    quarantined: 0,
    states: 0,
    mentions: 0,
  };
  const ownName = roomToErase(userId);
  const own = disk.rooms.get(ownName);
  if (own !== undefined) {
    counts.records += own.records.length;
    counts.rooms = 1;
    disk.rooms.set(ownName, { ...emptyRoom(), head: own.head, trimmedTo: own.head, trimmedEpoch: 'erased' });
  }
  for (const [name, room] of disk.rooms) {
    const before = counts.updates + counts.clientIds;
    room.records = room.records.map((each) => {
      if (isDocumentRoom(name)) {
        if (each.userId !== userId) return each;
        counts.updates += 1;
        return withoutAuthor(each);
      }
      if (!isEventOf(each, userId)) return each;
      counts.records += 1;
      return tombstone(each);
    });
    for (const clock of room.clocks.values()) {
      if (clock.userId !== userId) continue;
      counts.clientIds += 1;
      room.clocks.set(clock.clientId, { ...clock, userId: null });
    }
    if (counts.updates + counts.clientIds > before) counts.documents += 1;
    for (const mark of room.sessions.values()) {
      if (mark.userId === userId && room.sessions.delete(mark.session)) counts.sessions += 1;
    }
    counts.quarantined += room.quarantined.filter((each) => each.userId === userId).length;
    room.quarantined = room.quarantined.filter((each) => each.userId !== userId);
    for (const [key, state] of room.states) if (isStateOf(state, userId) && room.states.delete(key)) counts.states += 1;
    const json = inJson(userId);
    if (!isDocumentRoom(name))
      counts.mentions += room.records.filter(({ payload }) => Buffer.from(payload).includes(json)).length;
    counts.mentions += [...room.states.values()].filter(({ value }) => value?.includes(json)).length;
  }
  let [grants, keys] = [0, 0];
  for (const place of disk.grants.keys()) {
    if ((JSON.parse(place) as string[])[1] === userId && disk.grants.delete(place)) grants += 1;
  }
  for (const [place, key] of disk.keys) {
    if (key.userId === userId && disk.keys.delete(place)) keys += 1;
    else disk.keys.set(place, { ...key, answer: answerWithout(key.answer, ownName) ?? key.answer });
  }
  const namedAfter = [...disk.rooms].filter(([name, { written }]) => written && isNamedAfter(name, userId)).map(([name]) => name);
  return { ...counts, grants, keys, namedAfter };
}
