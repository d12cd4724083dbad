import { ACCESS_LEVELS, type Access } from '../../../shared/access.ts';
import type { RoomName } from '../../../shared/room-name.ts';
import type {
  IdempotencyKey,
  LogRecord,
  QuarantinedRecord,
  ReadRange,
  RoomSurvey,
  SessionMark,
  Snapshot,
  TrimOptions,
} from '../store.ts';
import type { Db, Statement } from './load-sqlite.ts';
import { QUARANTINED_COLUMNS } from './quarantine.ts';
import { prepareReadRecords } from './read-records.ts';
import { type RoomRow, readRoomRows } from './room-row.ts';
import { grantChecksum, keyChecksum, quarantinedChecksum, sessionChecksum, snapshotChecksum } from './row-checksums.ts';
import { damaged, storageError } from './storage-error.ts';
import { prepareTrimPoint } from './trim-point.ts';

/** All that only reads. Each call sees one committed state of the database. */
export interface Reader {
  read(room: RoomName, range: ReadRange): LogRecord[];
  epochAt(room: RoomName, seq: number): string | null;
  findById(room: RoomName, userId: string, id: string): LogRecord | null;
  findSession(room: RoomName, session: string): SessionMark | null;
  readSnapshot(room: RoomName): Snapshot | null;
  readQuarantined(room: RoomName): QuarantinedRecord[];
  /** Up to which `seq` these options cut. */
  trimPoint(room: RoomName, options: TrimOptions): number;
  listRooms(prefix: string, after: string | null, limit: number): RoomName[];
  surveyRooms(after: string | null, limit: number): RoomSurvey[];
  readGrant(room: RoomName, userId: string): Access | null;
  /** Users of whom grants are stored; null where there are more than `limit` grants. */
  grantedUsers(limit: number): Set<string> | null;
  findKey(userId: string, key: string): IdempotencyKey | null;
  close(): void;
}

type Sealed<T> = T & { checksum: number };

export function createReader(db: Db): Reader {
  const rooms = readRoomRows(db);
  const records = prepareReadRecords(db);
  const trimPointOf = prepareTrimPoint(db);
  const begin = db.prepare('BEGIN');
  const end = db.prepare('COMMIT');
  const session = db.prepare('SELECT session, userId, clientId, counter, checksum FROM sessions WHERE room = ? AND session = ?');
  const snapshot = db.prepare('SELECT seq, epoch, state, stateVector, checksum FROM snapshots WHERE room = ?');
  // Asked for seldom; and a check reads databases of older schemas, which have no such table.
  const quarantined = () => db.prepare(`SELECT ${QUARANTINED_COLUMNS} FROM quarantined WHERE room = ? ORDER BY seq`);
  // Two statements, as SQLite would use only one of two bounds to seek by.
  const [namesFrom, namesAfter] = (['>=', '>'] as const).map((bound) =>
    db.prepare(`SELECT name FROM rooms WHERE written = 1 AND deleted = 0 AND name ${bound} ? ORDER BY name LIMIT ?`).pluck(),
  ) as [Statement, Statement];
  // Nothing is checked here: whatever is cut by it is read and checked on its own way.
  const survey = db.prepare(
    `SELECT id, name AS room, (SELECT at FROM records WHERE room = rooms.id AND seq = rooms.trimmedTo + 1) AS oldestRecordAt,
     COALESCE((SELECT seq FROM snapshots WHERE room = rooms.id), 0) AS snapshotSeq
     FROM rooms WHERE written = 1 AND deleted = 0 AND name > ? ORDER BY name LIMIT ?`,
  );
  const oldestStates = db.prepare('SELECT event, MIN(at) AS at FROM states WHERE room = ? GROUP BY event');
  const grant = db.prepare('SELECT access, checksum FROM grants WHERE room = ? AND userId = ?');
  const granted = db.prepare('SELECT userId FROM grants LIMIT ?').pluck();
  const key = db.prepare('SELECT userId, key, requestHash, answer, at, checksum FROM keys WHERE userId = ? AND key = ?');

  /** Several statements see the same commit. */
  const atOnce = <T>(work: () => T, room?: string): T => {
    try {
      begin.run();
      return work();
    } catch (thrown) {
      throw storageError(thrown, room);
    } finally {
      if (db.inTransaction) end.run();
    }
  };
  const inRoom = <T>(name: RoomName, absent: T, work: (row: RoomRow) => T): T =>
    atOnce(() => {
      const row = rooms.find(name);
      return row ? work(row) : absent;
    }, name);

  return {
    read: (name, range) => inRoom(name, [], (row) => records.range(row, range)),

    epochAt: (name, seq) =>
      inRoom(name, null, (row) => {
        if (seq < 1 || seq < row.trimmedTo || seq > row.head) return null;
        return seq === row.trimmedTo ? row.trimmedEpoch : records.at(row, seq).epoch;
      }),

    findById: (name, userId, id) => inRoom(name, null, (row) => records.byId(row, userId, id)),

    findSession: (name, hash) =>
      inRoom(name, null, (row) => {
        const found = session.get(row.id, hash) as Sealed<SessionMark> | undefined;
        return unseal(found, (mark) => sessionChecksum(name, mark), 'a session', name);
      }),

    readSnapshot: (name) =>
      inRoom(name, null, (row) => {
        const found = snapshot.get(row.id) as Sealed<Snapshot> | undefined;
        return unseal(found, (state) => snapshotChecksum(name, state), 'the snapshot', name);
      }),

    readQuarantined: (name) =>
      inRoom<QuarantinedRecord[]>(name, [], (row) =>
        (quarantined().all(row.id) as Sealed<QuarantinedRecord>[]).map(
          (found) =>
            unseal(found, (record) => quarantinedChecksum(name, record), 'a quarantined record', name) as QuarantinedRecord,
        ),
      ),

    trimPoint: (name, options) => inRoom(name, 0, (row) => trimPointOf(row, options)),

    listRooms: (prefix, after, limit) =>
      atOnce(() => {
        const atMost = Math.max(0, Math.min(limit, 100_000));
        const goesOn = after !== null && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0;
        const found = (goesOn ? namesAfter.all(after, atMost) : namesFrom.all(prefix, atMost)) as RoomName[];
        // By name, so those with the prefix come first.
        return found.filter((name) => name.startsWith(prefix));
      }),

    surveyRooms: (after, limit) =>
      atOnce(() =>
        (survey.all(after ?? '', Math.max(0, Math.min(limit, 10_000))) as (RoomSurvey & { id: number })[]).map(
          ({ id, ...rest }) => ({
            ...rest,
            oldestStates: oldestStates.all(id) as { event: string; at: number }[],
          }),
        ),
      ),

    readGrant: (name, userId) =>
      atOnce(() => {
        const found = grant.get(name, userId) as { access: Access; checksum: number } | undefined;
        if (!found) return null;
        const intact = ACCESS_LEVELS.includes(found.access) && found.checksum === grantChecksum(name, userId, found.access);
        if (!intact) throw damaged('a grant of this room does not fit its checksum', name);
        return found.access;
      }),

    grantedUsers: (limit) =>
      atOnce(() => {
        const users = granted.all(limit + 1) as string[];
        return users.length > limit ? null : new Set(users);
      }),

    findKey: (userId, name) =>
      atOnce(() => unseal(key.get(userId, name) as Sealed<IdempotencyKey> | undefined, keyChecksum, 'an idempotency key')),

    close: () => void db.close(),
  };
}

function unseal<T extends object>(
  found: Sealed<T> | undefined,
  checksumOfRow: (row: T) => number,
  what: string,
  room?: string,
): T | null {
  if (!found) return null;
  const { checksum, ...row } = found;
  if (checksum !== checksumOfRow(row as unknown as T)) throw damaged(`${what} does not fit its checksum`, room);
  return row as unknown as T;
}
