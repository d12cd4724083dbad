import type { AppendResult, ClientClock, Commit, RoomAppend, SessionMark } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import { prepareQuarantine } from './quarantine.ts';
import { ROOM_TABLES, type RoomRow, type WritableRoomRows } from './room-row.ts';
import { clockChecksum, keyChecksum, recordChecksum, sessionChecksum, stateChecksum } from './row-checksums.ts';

/**
 * Writes one commit's content inside a transaction that the caller began. A room whose lease or head does not fit is left out
 * before anything of it is written.
 * @param voidUpTo leases up to this fence are void
 */
type ApplyCommit = (commit: Commit, voidUpTo: number) => AppendResult[];

export function prepareAppend(db: Db, rooms: WritableRoomRows, epoch: string): ApplyCommit {
  const insertRecord = db.prepare(
    `INSERT INTO records (room, seq, at, userId, kind, epoch, version, id, session, counter, checksum, payload)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const keepClock = prepareKeepClock(db);
  const keepSession = prepareKeepSession(db);
  const putState = db.prepare(
    'INSERT OR REPLACE INTO states (room, event, key, value, rev, at, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const dropState = db.prepare('DELETE FROM states WHERE room = ? AND event = ? AND key = ?');
  const addKey = db.prepare(
    `INSERT INTO keys (userId, key, requestHash, answer, at, checksum) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const quarantine = prepareQuarantine(db, keepClock);
  const clear = ROOM_TABLES.map((table) => db.prepare(`DELETE FROM ${table} WHERE room = ?`));

  const deleteRoom = (row: RoomRow): void => {
    row.trimmedTo = row.head;
    row.trimmedEpoch = row.headEpoch;
    row.bornAfter = row.head;
    row.deleted = 1;
    for (const statement of clear) statement.run(row.id);
  };

  const applyToRoom = (append: RoomAppend, voidUpTo: number): AppendResult => {
    const row = findFitting(rooms, append, voidUpTo);
    if ('conflict' in row) return { ok: false, head: row.conflict };
    const { room, lifecycle } = append;
    const firstSeq = row.head + 1;
    row.written = 1;
    if (lifecycle) row.incarnation = lifecycle.incarnation;
    if (lifecycle?.change === 'created') row.deleted = 0;
    for (const record of append.records) {
      row.head += 1;
      row.headEpoch = epoch;
      const { at, userId, kind, version, id, session, counter, payload } = record;
      const checksum = recordChecksum(room, { ...record, seq: row.head, epoch });
      insertRecord.run(row.id, row.head, at, userId, kind, epoch, version, id, session, counter, checksum, payload);
    }
    for (const clock of append.clocks ?? []) keepClock(row, clock);
    for (const mark of append.sessions ?? []) keepSession(row, mark);
    for (const state of append.states ?? []) {
      const { event, key, value, rev, at } = state;
      if (value === null) dropState.run(row.id, event, key);
      else putState.run(row.id, event, key, value, rev, at, stateChecksum(room, state));
    }
    if (append.quarantine) quarantine(row, append.quarantine);
    if (lifecycle?.change === 'deleted') deleteRoom(row);
    rooms.save(row);
    return { ok: true, firstSeq, epoch };
  };

  return (commit, voidUpTo) => {
    const results: AppendResult[] = [];
    const refused = new Set<string>();
    for (const append of commit.appends) {
      const result = applyToRoom(append, voidUpTo);
      if (!result.ok) refused.add(append.room);
      results.push(result);
    }
    for (const key of commit.keys ?? []) {
      if (key.rooms ? key.rooms.some((room) => refused.has(room)) : refused.size > 0) continue;
      addKey.run(key.userId, key.key, key.requestHash, key.answer, key.at, keyChecksum(key));
    }
    return results;
  };
}

function findFitting(rooms: WritableRoomRows, append: RoomAppend, voidUpTo: number): RoomRow | { conflict: number } {
  let row: RoomRow | undefined;
  try {
    row = rooms.find(append.room);
  } catch {
    // Damage in one room is no reason to refuse the others: this one's next `open` says what is wrong.
    return { conflict: 0 };
  }
  const fits = row && append.fence === row.fence && append.fence > voidUpTo && append.expectedHead === row.head;
  return row && fits ? row : { conflict: row?.head ?? 0 };
}

/** A clock only grows. A stored one that is damaged gives way: the writer knows them all from its lease. */
function prepareKeepClock(db: Db): (row: RoomRow, clock: ClientClock) => void {
  const find = db.prepare('SELECT clientId, userId, clock, checksum FROM clocks WHERE room = ? AND clientId = ?');
  const put = db.prepare('INSERT OR REPLACE INTO clocks (room, clientId, userId, clock, checksum) VALUES (?, ?, ?, ?, ?)');
  return (row, clock) => {
    const known = find.get(row.id, clock.clientId) as (ClientClock & { checksum: number }) | undefined;
    const intact = known && known.checksum === clockChecksum(row.name, known);
    const next = intact ? { ...clock, clock: Math.max(clock.clock, known.clock) } : clock;
    put.run(row.id, next.clientId, next.userId, next.clock, clockChecksum(row.name, next));
  };
}

/** A counter only grows; damage as above. */
function prepareKeepSession(db: Db): (row: RoomRow, mark: SessionMark) => void {
  const find = db.prepare('SELECT session, userId, clientId, counter, checksum FROM sessions WHERE room = ? AND session = ?');
  const put = db.prepare(
    'INSERT OR REPLACE INTO sessions (room, session, userId, clientId, counter, checksum) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return (row, mark) => {
    const known = find.get(row.id, mark.session) as (SessionMark & { checksum: number }) | undefined;
    const intact = known && known.checksum === sessionChecksum(row.name, known);
    const next = intact ? { ...mark, counter: Math.max(mark.counter, known.counter) } : mark;
    put.run(row.id, next.session, next.userId, next.clientId, next.counter, sessionChecksum(row.name, next));
  };
}
