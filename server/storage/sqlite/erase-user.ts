import { isDocumentRoom, type RoomName } from '../../../shared/room-name.ts';
import { answerWithout, inJson, isEventOf, isNamedAfter, isStateOf, roomToErase, tombstone, withoutAuthor } from '../erasure.ts';
import type { ClientClock, Erasure, IdempotencyKey, LogRecord, StateValue } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import { RECORD_COLUMNS, type RecordRow } from './read-records.ts';
import { ROOM_TABLES } from './room-row.ts';
import { clockChecksum, keyChecksum, recordChecksum } from './row-checksums.ts';

const MOST_NAMES = 100;

type InRoom<Row> = Row & { readonly room: number; readonly name: string };

/** What was erased, and where the user's own room stood: who knew its numbers must not meet them again. */
export interface ErasedRows {
  readonly erasure: Erasure;
  readonly ownRoom: { readonly name: RoomName; readonly head: number } | null;
}

/**
 * Erases a user from all tables, inside a transaction that the caller began. It reads every record once: no index finds a user across rooms,
 * and none is worth its cost at each append. What has been cut from a log and is not yet purged is erased as well.
 */
export function prepareEraseUser(db: Db): (userId: string) => ErasedRows {
  return (userId) => {
    const room = roomToErase(userId);
    const own = removeRoom(db, room);
    const changes = (sql: string) => db.prepare(sql).run(userId).changes;
    const { records, updates, documents } = eraseRecords(db, userId);
    const clocks = eraseClocks(db, userId);
    const erasure: Erasure = {
      records: records + (own?.records ?? 0),
      rooms: own === null ? 0 : 1,
      updates,
      documents: new Set([...documents, ...clocks.documents]).size,
      clientIds: clocks.count,
      sessions: changes('DELETE FROM sessions WHERE userId = ?'),
      quarantined: changes('DELETE FROM quarantined WHERE userId = ?'),
      states: eraseStates(db, userId),
      grants: changes('DELETE FROM grants WHERE userId = ?'),
      keys: changes('DELETE FROM keys WHERE userId = ?'),
      mentions: countMentions(db, userId),
      namedAfter: namedAfter(db, userId),
    };
    cleanAnswers(db, room);
    return { erasure, ownRoom: own === null ? null : { name: room, head: own.head } };
  };
}

/** With its name: that is the user's id. A damaged entry goes like any other. */
function removeRoom(db: Db, name: RoomName): { head: number; records: number } | null {
  const row = db.prepare('SELECT id, head FROM rooms WHERE name = ?').get(name) as { id: number; head: number } | undefined;
  if (row === undefined) return null;
  const records = db.prepare('DELETE FROM records WHERE room = ?').run(row.id).changes;
  for (const table of ROOM_TABLES) {
    db.prepare(`DELETE FROM ${table} WHERE room = ?`).run(row.id);
  }
  db.prepare('DELETE FROM rooms WHERE id = ?').run(row.id);
  db.prepare('DELETE FROM grants WHERE room = ?').run(name);
  return { head: row.head, records };
}

function eraseRecords(db: Db, userId: string): { records: number; updates: number; documents: Set<number> } {
  const find = db.prepare(
    `SELECT r.room, r.seq, n.name FROM records r JOIN rooms n ON n.id = r.room
     WHERE r.userId = ? OR (n.name NOT GLOB 'doc:?*' AND instr(r.payload, ?) > 0)`,
  );
  const read = db.prepare(`SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND seq = ?`);
  const write = db.prepare(
    `UPDATE records SET userId = NULL, id = NULL, session = NULL, counter = 0, kind = ?, version = ?, payload = ?, checksum = ?
     WHERE room = ? AND seq = ?`,
  );
  const documents = new Set<number>();
  let records = 0;
  let updates = 0;
  const found = find.all(userId, Buffer.from(inJson(userId))) as InRoom<{ seq: number }>[];
  for (const { room, seq, name } of found) {
    const { checksum, ...record } = read.get(room, seq) as RecordRow;
    const isUpdate = isDocumentRoom(name);
    if (!isUpdate && !isEventOf(record, userId)) continue;
    const next: LogRecord = isUpdate ? withoutAuthor(record) : tombstone(record);
    // A damaged update must not look sound afterwards; a tombstone has nothing left that could be damaged.
    const intact = !isUpdate || checksum === recordChecksum(name, record);
    write.run(next.kind, next.version, next.payload, intact ? recordChecksum(name, next) : checksum, room, seq);
    if (isUpdate) {
      updates += 1;
      documents.add(room);
    } else records += 1;
  }
  return { records, updates, documents };
}

/** Nobody's: what is written under them from now on is refused, as under any other user's. */
function eraseClocks(db: Db, userId: string): { count: number; documents: number[] } {
  const found = db
    .prepare(
      `SELECT c.room, n.name, c.clientId, c.userId, c.clock, c.checksum FROM clocks c JOIN rooms n ON n.id = c.room
       WHERE c.userId = ?`,
    )
    .all(userId) as InRoom<ClientClock & { checksum: number }>[];
  const write = db.prepare('UPDATE clocks SET userId = NULL, checksum = ? WHERE room = ? AND clientId = ?');
  for (const clock of found) {
    const { name, room, clientId, checksum } = clock;
    const intact = checksum === clockChecksum(name, clock);
    write.run(intact ? clockChecksum(name, { ...clock, userId: null }) : checksum, room, clientId);
  }
  return { count: found.length, documents: found.map(({ room }) => room) };
}

function eraseStates(db: Db, userId: string): number {
  const found = db
    .prepare('SELECT room, event, key, value FROM states WHERE key = ? OR instr(value, ?) > 0')
    .all(userId, inJson(userId)) as (StateValue & { room: number })[];
  const drop = db.prepare('DELETE FROM states WHERE room = ? AND event = ? AND key = ?');
  const theirs = found.filter((state) => isStateOf(state, userId));
  for (const { room, event, key } of theirs) drop.run(room, event, key);
  return theirs.length;
}

/** Keys of others (a backend that published to the user) hold where it went. */
function cleanAnswers(db: Db, room: RoomName): void {
  const find = db.prepare('SELECT userId, key, requestHash, answer, at FROM keys WHERE instr(answer, ?) > 0');
  const write = db.prepare('UPDATE keys SET answer = ?, checksum = ? WHERE userId = ? AND key = ?');
  for (const key of find.all(inJson(room)) as IdempotencyKey[]) {
    const answer = answerWithout(key.answer, room) ?? key.answer;
    write.run(answer, keyChecksum({ ...key, answer }), key.userId, key.key);
  }
}

function countMentions(db: Db, userId: string): number {
  const count = (sql: string, value: string | Buffer) => db.prepare(sql).pluck().get(value) as number;
  return (
    count(
      `SELECT count(*) FROM records r JOIN rooms n ON n.id = r.room WHERE n.name NOT GLOB 'doc:?*' AND instr(r.payload, ?) > 0`,
      Buffer.from(inJson(userId)),
    ) + count('SELECT count(*) FROM states WHERE instr(value, ?) > 0', inJson(userId))
  );
}

function namedAfter(db: Db, userId: string): string[] {
  const names = db.prepare('SELECT name FROM rooms WHERE instr(name, ?) > 0 ORDER BY name').pluck().all(userId) as string[];
  return names.filter((name) => isNamedAfter(name, userId)).slice(0, MOST_NAMES);
}
