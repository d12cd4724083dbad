import { ACCESS_LEVELS, type Access } from '../../../shared/access.ts';
import { isDocumentRoom } from '../../../shared/room-name.ts';
import type { ClientClock, IdempotencyKey, QuarantinedRecord, SessionMark, Snapshot, StateValue } from '../store.ts';
import type { Db, Sqlite } from './load-sqlite.ts';
import { QUARANTINED_COLUMNS } from './quarantine.ts';
import { RECORD_COLUMNS, type RecordRow } from './read-records.ts';
import { type RoomRow, readRoomRows } from './room-row.ts';
import {
  clockChecksum,
  grantChecksum,
  keyChecksum,
  quarantinedChecksum,
  recordChecksum,
  sessionChecksum,
  snapshotChecksum,
  stateChecksum,
} from './row-checksums.ts';
import { hasItsSchema } from './schema.ts';

/** What one room holds, and what is wrong with it. */
export interface RoomReport {
  readonly room: string;
  readonly deleted: boolean;
  /** Records of the log that are there. */
  records: number;
  /** Of their payloads. */
  bytes: number;
  readonly head: number;
  readonly trimmedTo: number;
  /** 0: none. */
  snapshotSeq: number;
  /** Records that were set aside because they damaged their document: kept, and served to nobody. */
  readonly quarantined: { readonly seq: number; readonly userId: string | null }[];
  /** Sentences; empty where everything fits. */
  readonly damage: string[];
}

export interface Verification {
  /** Every room that is known, by name. */
  readonly rooms: readonly RoomReport[];
  /** What is wrong outside any one room. */
  readonly damage: readonly string[];
}

/** Sentences per room at most: a lost page takes many records with it. */
const MAX_SENTENCES = 20;

type Sealed<T> = T & { readonly checksum: number };

/**
 * Reads a whole database and holds every row against its checksum, every log against its gaps. Changes nothing, and goes on after
 * what it finds.
 */
export function verifyDatabase(Sqlite: Sqlite, db: Db): Verification {
  const damage: string[] = [];
  const rooms: RoomReport[] = [];
  note(damage, 'the pages of the file', () => {
    // `quick_check` is not enough: a room's name that differs between the table and its index is damage that no checksum sees.
    const said = db.pragma(`integrity_check(${MAX_SENTENCES})`) as { integrity_check: string }[];
    for (const { integrity_check: line } of said) if (line !== 'ok') damage.push(`SQLite says: ${line}`);
  });
  note(damage, 'the definition of the tables', () => {
    if (!hasItsSchema(Sqlite, db)) damage.push('the tables are not defined as they should be');
  });
  const known = new Set<number>();
  note(damage, 'the list of rooms', () => {
    const readRoom = prepareVerifyRoom(db);
    const entries = db.prepare('SELECT id, name FROM rooms ORDER BY name').all() as { id: number; name: string }[];
    for (const { id, name } of entries) {
      known.add(id);
      rooms.push(readRoom(name));
    }
  });
  for (const table of ['records', 'clocks', 'sessions', 'states', 'snapshots']) {
    note(damage, `the table ${table}`, () => {
      const next = db.prepare(`SELECT room FROM ${table} WHERE room > ? ORDER BY room LIMIT 1`).pluck();
      let id = next.get(Number.MIN_SAFE_INTEGER) as number | undefined;
      for (; id !== undefined; id = next.get(id) as number | undefined) {
        if (!known.has(id)) damage.push(`${table} of a room that is not listed (${id})`);
      }
    });
  }
  note(damage, 'the grants', () => {
    const grants = db.prepare('SELECT room, userId, access, checksum FROM grants').iterate() as IterableIterator<
      Sealed<{ room: string; userId: string; access: Access }>
    >;
    for (const { room, userId, access, checksum } of grants) {
      const fits = ACCESS_LEVELS.includes(access) && checksum === grantChecksum(room, userId, access);
      if (!fits) damage.push(`the grant of ${userId} in ${room} does not fit its checksum`);
    }
  });
  note(damage, 'the idempotency keys', () => {
    const keys = db.prepare('SELECT userId, key, requestHash, answer, at, checksum FROM keys').iterate();
    for (const key of keys as IterableIterator<Sealed<IdempotencyKey>>) {
      if (key.checksum !== keyChecksum(key)) damage.push(`an idempotency key of ${key.userId} does not fit its checksum`);
    }
  });
  note(damage, 'the counters', () => {
    if (db.prepare('SELECT count(*) FROM counters').pluck().get() !== 1) damage.push('the counters are missing');
  });
  return { rooms, damage: shorten(damage) };
}

/** Whether nothing at all was found. */
export function isSound({ rooms, damage }: Verification): boolean {
  return damage.length === 0 && rooms.every((room) => room.damage.length === 0);
}

function prepareVerifyRoom(db: Db): (name: string) => RoomReport {
  const rows = readRoomRows(db);
  const recordsOf = db.prepare(`SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND seq > ? ORDER BY seq`);
  const snapshotOf = db.prepare('SELECT seq, epoch, state, stateVector, checksum FROM snapshots WHERE room = ?');
  const clocks = db.prepare('SELECT clientId, userId, clock, checksum FROM clocks WHERE room = ?');
  const sessions = db.prepare('SELECT session, userId, clientId, counter, checksum FROM sessions WHERE room = ?');
  const quarantined = hasQuarantine(db) ? db.prepare(`SELECT ${QUARANTINED_COLUMNS} FROM quarantined WHERE room = ?`) : null;
  const states = db.prepare('SELECT event, key, value, rev, at, checksum FROM states WHERE room = ?');

  const verifyLog = (row: RoomRow, report: RoomReport): void => {
    const { damage } = report;
    let last = row.trimmedTo;
    let lastEpoch = row.trimmedEpoch;
    for (const found of recordsOf.iterate(row.id, row.trimmedTo) as IterableIterator<Sealed<RecordRow>>) {
      if (found.seq > last + 1) damage.push(missing(last + 1, found.seq - 1));
      if (found.checksum !== recordChecksum(row.name, found)) damage.push(`record ${found.seq} does not fit its checksum`);
      last = found.seq;
      lastEpoch = found.epoch;
      report.records += 1;
      report.bytes += found.payload.length;
    }
    if (last < row.head) damage.push(missing(last + 1, row.head));
    if (last > row.head) damage.push(`the log ends at ${last} and should at ${row.head}`);
    if (last === row.head && lastEpoch !== row.headEpoch) damage.push('the newest record is of another epoch than its room says');
  };

  const verifySnapshot = (row: RoomRow, report: RoomReport): void => {
    const { damage } = report;
    const found = snapshotOf.get(row.id) as Sealed<Snapshot> | undefined;
    report.snapshotSeq = found?.seq ?? 0;
    if (found && found.checksum !== snapshotChecksum(row.name, found)) damage.push('the snapshot does not fit its checksum');
    if (found && found.seq > row.head) damage.push(`the snapshot is of ${found.seq} and the log ends at ${row.head}`);
    if (row.deleted || !isDocumentRoom(row.name)) return;
    const from = found?.seq ?? row.bornAfter;
    if (row.trimmedTo > from) damage.push(`the log was cut up to ${row.trimmedTo}, beyond what its snapshot holds (${from})`);
  };

  return (name) => {
    const damage: string[] = [];
    let report: RoomReport = {
      room: name,
      deleted: false,
      records: 0,
      bytes: 0,
      head: 0,
      trimmedTo: 0,
      snapshotSeq: 0,
      quarantined: [],
      damage,
    };
    note(damage, 'the entry of this room', () => {
      const row = rows.find(name);
      if (!row) return void damage.push('the index of rooms does not find this one');
      report = { ...report, deleted: row.deleted === 1, head: row.head, trimmedTo: row.trimmedTo };
      note(damage, 'the log', () => verifyLog(row, report));
      note(damage, 'the snapshot', () => verifySnapshot(row, report));
      for (const each of clocks.iterate(row.id) as IterableIterator<Sealed<ClientClock>>) {
        if (each.checksum !== clockChecksum(name, each))
          damage.push(`the clock of client ${each.clientId} does not fit its checksum`);
      }
      for (const each of (quarantined?.iterate(row.id) ?? []) as Iterable<Sealed<QuarantinedRecord>>) {
        report.quarantined.push({ seq: each.seq, userId: each.userId });
        if (each.checksum !== quarantinedChecksum(name, each))
          damage.push(`the quarantined record ${each.seq} does not fit its checksum`);
      }
      for (const each of sessions.iterate(row.id) as IterableIterator<Sealed<SessionMark>>) {
        if (each.checksum !== sessionChecksum(name, each)) damage.push(`a session of ${each.userId} does not fit its checksum`);
      }
      for (const each of states.iterate(row.id) as IterableIterator<Sealed<StateValue>>) {
        if (each.checksum !== stateChecksum(name, each)) {
          damage.push(`the value of ${each.event} for ${each.key} does not fit its checksum`);
        }
      }
    });
    return { ...report, damage: shorten(damage) };
  };
}

// An older schema, which a check does not change, has no such table.
function hasQuarantine(db: Db): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'quarantined'").pluck().get() === 1;
}

/** What SQLite refuses to read is damage too. */
function note(damage: string[], what: string, look: () => void): void {
  try {
    look();
  } catch (thrown) {
    const { detail, message } = thrown as { detail?: string; message: string };
    damage.push(detail?.replace('; restore a backup', '') ?? `${what} cannot be read: ${message}`);
  }
}

function missing(first: number, last: number): string {
  return first === last ? `record ${first} is missing` : `records ${first} to ${last} are missing`;
}

function shorten(damage: string[]): string[] {
  if (damage.length <= MAX_SENTENCES) return damage;
  return [...damage.slice(0, MAX_SENTENCES), `and ${damage.length - MAX_SENTENCES} more`];
}
