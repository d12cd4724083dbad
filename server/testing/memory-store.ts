import { randomBytes } from 'node:crypto';
import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { AppendResult, Commit, LogRecord, ReadRange, RoomAppend, Snapshot, Store, TrimOptions } from '../storage/store.ts';
import { emptyRoom, eraseFrom, type MemoryDisk, type MemoryRoom, memoryDisk } from './memory-disk.ts';

export interface MemoryStore extends Store {
  readonly disk: MemoryDisk;
  /** The next `append` rejects with this, stores nothing and makes all leases void. */
  failNextAppend(error: AshlarError): void;
  /** Appends wait, in order, until the returned function is called: as behind a slow disk. */
  holdAppends(): () => void;
}

/** A complete Store without a disk, for tests: passes the same contract suite. `epoch` is random where it is not given. */
export function openMemoryStore(options: { disk?: MemoryDisk; epoch?: string } = {}): MemoryStore {
  const disk = options.disk ?? memoryDisk();
  const epoch = options.epoch ?? randomBytes(16).toString('base64url');
  let closed = false;
  let failure: AshlarError | null = null;
  let held: Promise<void> = Promise.resolve();
  /** Leases up to this fence are void. */
  let floor = disk.fence;

  const roomOf = (name: RoomName): MemoryRoom => {
    const known = disk.rooms.get(name);
    if (known) return known;
    const room = emptyRoom();
    disk.rooms.set(name, room);
    return room;
  };

  let last: Promise<unknown> = Promise.resolve();

  /** Runs when a real store would: later, in the order of the calls, and never after `close`. */
  const later = async <T>(work: () => T, after: Promise<unknown> = Promise.resolve()): Promise<T> => {
    if (closed) throw new AshlarError('storage-unavailable', { detail: 'the store is closed' });
    const done = after.then(work);
    last = Promise.allSettled([last, done]);
    return done;
  };

  const appendTo = (append: RoomAppend): AppendResult => {
    const room = disk.rooms.get(append.room);
    if (!room || append.fence !== room.fence || append.fence <= floor || append.expectedHead !== room.head) {
      return { ok: false, head: room?.head ?? 0 };
    }
    const firstSeq = room.head + 1;
    room.written = true;
    if (append.lifecycle?.change === 'created') {
      room.deleted = false;
      room.incarnation = append.lifecycle.incarnation;
    }
    for (const record of append.records) {
      room.head += 1;
      room.records.push({ ...record, payload: new Uint8Array(record.payload), seq: room.head, epoch });
    }
    for (const clock of append.clocks ?? []) {
      room.clocks.set(clock.clientId, { ...clock, clock: Math.max(clock.clock, room.clocks.get(clock.clientId)?.clock ?? 0) });
    }
    for (const mark of append.sessions ?? []) {
      room.sessions.set(mark.session, {
        ...mark,
        counter: Math.max(mark.counter, room.sessions.get(mark.session)?.counter ?? 0),
      });
    }
    for (const state of append.states ?? []) {
      const key = JSON.stringify([state.event, state.key]);
      if (state.value === null) room.states.delete(key);
      else room.states.set(key, { ...state });
    }
    if (append.quarantine) {
      const { seqs, reason, at, snapshot, clocks, incarnation } = append.quarantine;
      for (const record of room.records)
        if (seqs.includes(record.seq)) room.quarantined.push({ ...copyOf(record), reason, quarantinedAt: at });
      cutTo(room, room.head);
      room.snapshot = copyOfSnapshot(snapshot);
      room.clocks = new Map(clocks.map((clock) => [clock.clientId, { ...clock }]));
      room.trimmedEpoch = snapshot.epoch;
      room.bornAfter = room.head;
      room.incarnation = incarnation;
    }
    if (append.lifecycle?.change === 'deleted') {
      cutTo(room, room.head);
      room.clocks.clear();
      room.sessions.clear();
      room.states.clear();
      room.snapshot = null;
      room.quarantined = [];
      room.deleted = true;
      room.incarnation = append.lifecycle.incarnation;
      room.bornAfter = room.head;
    }
    return { ok: true, firstSeq, epoch };
  };

  return {
    disk,
    epoch,
    positionKey: disk.positionKey,
    failNextAppend(error) {
      failure = error;
    },
    holdAppends() {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      held = held.then(() => gate);
      return release;
    },
    open: (name) =>
      later(() => {
        const room = roomOf(name);
        disk.fence += 1;
        room.fence = disk.fence;
        return {
          head: room.head,
          headEpoch: room.records.at(-1)?.epoch ?? room.trimmedEpoch ?? epoch,
          trimmedTo: room.trimmedTo,
          trimmedEpoch: room.trimmedEpoch,
          fence: room.fence,
          clocks: [...room.clocks.values()].sort((a, b) => a.clientId - b.clientId),
          states: [...room.states.values()].sort((a, b) => byUtf8(a.event, b.event) || byUtf8(a.key, b.key)),
          incarnation: room.incarnation,
          deleted: room.deleted,
          snapshotSeq: room.snapshot?.seq ?? 0,
        };
      }),
    append: (commit: Commit) =>
      later(() => {
        if (failure) {
          const error = failure;
          failure = null;
          floor = disk.fence;
          throw error;
        }
        const results = commit.appends.map(appendTo);
        const refused = new Set(commit.appends.filter((_, index) => !results[index]?.ok).map((append) => append.room));
        for (const { rooms, ...key } of commit.keys ?? []) {
          if (rooms ? rooms.some((room) => refused.has(room)) : refused.size > 0) continue;
          const place = JSON.stringify([key.userId, key.key]);
          if (!disk.keys.has(place)) disk.keys.set(place, key);
        }
        return results;
      }, held),
    read: (name, range) => later(() => readRange(disk.rooms.get(name)?.records ?? [], range)),
    epochAt: (name, seq) =>
      later(() => {
        const room = disk.rooms.get(name);
        if (room && seq > 0 && seq === room.trimmedTo) return room.trimmedEpoch;
        return room?.records.find((record) => record.seq === seq)?.epoch ?? null;
      }),
    findById: (name, userId, id) =>
      later(() => {
        const record = disk.rooms.get(name)?.records.find((candidate) => candidate.userId === userId && candidate.id === id);
        return record ? copyOf(record) : null;
      }),
    findSession: (name, session) => later(() => disk.rooms.get(name)?.sessions.get(session) ?? null),
    readSnapshot: (name) =>
      later(() => {
        const snapshot = disk.rooms.get(name)?.snapshot;
        return snapshot ? copyOfSnapshot(snapshot) : null;
      }),
    readQuarantined: (name) =>
      later(() =>
        (disk.rooms.get(name)?.quarantined ?? []).map((record) => ({ ...record, payload: new Uint8Array(record.payload) })),
      ),
    writeSnapshot: (name, snapshot) =>
      later(() => {
        const room = disk.rooms.get(name);
        if (!room || room.deleted || (room.bornAfter > 0 && snapshot.seq <= room.bornAfter)) return;
        if (snapshot.seq > room.head) throw new AshlarError('internal', { detail: 'a snapshot ahead of its log' });
        if (room.snapshot && room.snapshot.seq > snapshot.seq) return;
        room.snapshot = copyOfSnapshot(snapshot);
      }),
    trim: (name, trimOptions) =>
      later(() => {
        const room = disk.rooms.get(name);
        return room ? cutTo(room, trimPoint(room, trimOptions)) : 0;
      }),
    listRooms: (prefix, after, limit) =>
      later(() =>
        [...disk.rooms]
          .filter(([name, room]) => room.written && !room.deleted && name.startsWith(prefix))
          .map(([name]) => name)
          .sort(byUtf8)
          .filter((name) => after === null || byUtf8(name, after) > 0)
          .slice(0, Math.max(0, limit)),
      ),
    surveyRooms: (after, limit) =>
      later(() =>
        [...disk.rooms]
          .filter(([name, room]) => room.written && !room.deleted && (after === null || byUtf8(name, after) > 0))
          .sort(([a], [b]) => byUtf8(a, b))
          .slice(0, Math.max(0, limit))
          .map(([name, room]) => {
            const oldest = new Map<string, number>();
            for (const { event, at } of room.states.values()) oldest.set(event, Math.min(at, oldest.get(event) ?? at));
            return {
              room: name,
              oldestRecordAt: room.records[0]?.at ?? null,
              oldestStates: [...oldest].map(([event, at]) => ({ event, at })).sort((a, b) => byUtf8(a.event, b.event)),
              snapshotSeq: room.snapshot?.seq ?? 0,
            };
          }),
      ),
    readGrant: (name, userId) => later(() => disk.grants.get(JSON.stringify([name, userId])) ?? null),
    writeGrant: (name, userId, access) =>
      later(() => {
        const place = JSON.stringify([name, userId]);
        if (access === null) disk.grants.delete(place);
        else disk.grants.set(place, access);
      }),
    findKey: (userId, key) => later(() => disk.keys.get(JSON.stringify([userId, key])) ?? null),
    forgetKeys: (before) =>
      later(() => {
        let forgotten = 0;
        for (const [place, key] of disk.keys) {
          if (key.at < before && disk.keys.delete(place)) forgotten += 1;
        }
        return forgotten;
      }),
    eraseUser: (userId) => later(() => eraseFrom(disk, userId)),
    probe: () => later(() => undefined),
    async close() {
      closed = true;
      await last;
    },
  };
}

/** Cuts everything up to and with `seq`. @returns how many records went */
function cutTo(room: MemoryRoom, seq: number): number {
  const going = room.records.filter((record) => record.seq <= seq);
  const last = going.at(-1);
  if (!last) return 0;
  room.trimmedTo = last.seq;
  room.trimmedEpoch = last.epoch;
  room.records = room.records.filter((record) => record.seq > seq);
  return going.length;
}

function trimPoint(room: MemoryRoom, options: TrimOptions): number {
  const { maxRecords, before, upTo = room.head, keepBytes } = options;
  let point = room.trimmedTo;
  if (maxRecords !== undefined) point = Math.max(point, room.head - maxRecords);
  if (before !== undefined) {
    const firstKept = room.records.find((record) => record.at >= before);
    point = Math.max(point, firstKept ? firstKept.seq - 1 : room.head);
  }
  if (keepBytes !== undefined) {
    let bytes = 0;
    for (const record of room.records.toReversed()) {
      if (bytes > keepBytes) {
        point = Math.max(point, record.seq);
        break;
      }
      bytes += record.payload.length;
    }
  }
  return Math.min(point, upTo);
}

function readRange(records: readonly LogRecord[], range: ReadRange): LogRecord[] {
  const { after = 0, before = Number.POSITIVE_INFINITY, limit, maxBytes = Number.POSITIVE_INFINITY, from, kind } = range;
  const candidates = records.filter(
    (record) => record.seq > after && record.seq < before && (kind === undefined || record.kind === kind),
  );
  if (from === 'newest') candidates.reverse();
  const found: LogRecord[] = [];
  let bytes = 0;
  for (const record of candidates) {
    if (found.length >= limit || (found.length > 0 && bytes >= maxBytes)) break;
    found.push(copyOf(record));
    bytes += record.payload.length;
  }
  return from === 'newest' ? found.reverse() : found;
}

function copyOf(record: LogRecord): LogRecord {
  return { ...record, payload: new Uint8Array(record.payload) };
}

function copyOfSnapshot(snapshot: Snapshot): Snapshot {
  return { ...snapshot, state: new Uint8Array(snapshot.state), stateVector: new Uint8Array(snapshot.stateVector) };
}

/** Names come in the order of their UTF-8 bytes. */
function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
