import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openForInspection, openForWriting } from '../../server/storage/sqlite/connection.ts';
import { type Db, loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { type RoomRow, writeRoomRows } from '../../server/storage/sqlite/room-row.ts';
import { isSound, verifyDatabase } from '../../server/storage/sqlite/verify.ts';
import { createWriter, type Writer } from '../../server/storage/sqlite/writer.ts';
import type { NewRecord, RoomLease } from '../../server/storage/store.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { drawFrom } from '../support/mutate-update.ts';

const Sqlite = await loadSqlite();
const room = parseRoomName('doc:a');
const other = parseRoomName('chat:b');
let dir: string;
let db: Db;
let writer: Writer;

function record(text: string, id: string | null = null): NewRecord {
  const payload = Buffer.from(text);
  return { at: 1, userId: 'anna', kind: 'k', payload, version: 1, id, session: null, counter: 0 };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ashlar-verify-'));
  db = openForWriting(Sqlite, join(dir, 'ashlar.db'));
  writer = createWriter(db, 'e');
  const [one, two] = writer.open([room, other]) as [RoomLease, RoomLease];
  writer.append({
    appends: [
      {
        room,
        fence: one.fence,
        expectedHead: 0,
        records: ['one', 'two', 'three', 'four', 'five'].map((text) => record(text)),
        clocks: [{ clientId: 1, userId: 'anna', clock: 5 }],
        sessions: [{ session: 's', userId: 'anna', clientId: 1, counter: 3 }],
        states: [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }],
      },
      { room: other, fence: two.fence, expectedHead: 0, records: [record('sound', 'i')] },
    ],
    keys: [{ userId: 'anna', key: 'k', requestHash: 'h', answer: '1', at: 1 }],
  });
  writer.writeSnapshot(room, { seq: 3, epoch: 'e', state: new Uint8Array(10), stateVector: new Uint8Array(1) });
  writer.trimTo(room, 2);
  writer.writeGrant(room, 'anna', 'read', 1);
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

/** What is found, each with its room. */
function found(): string[] {
  const { rooms, damage } = verifyDatabase(Sqlite, db);
  return [...damage, ...rooms.flatMap((report) => report.damage.map((sentence) => `${report.room}: ${sentence}`))];
}

test('a sound database is told room by room', () => {
  const verification = verifyDatabase(Sqlite, db);
  expect(isSound(verification)).toBe(true);
  expect(verification).toEqual({
    damage: [],
    rooms: [
      { room: other, deleted: false, records: 1, bytes: 5, head: 1, trimmedTo: 0, snapshotSeq: 0, quarantined: [], damage: [] },
      { room, deleted: false, records: 3, bytes: 13, head: 5, trimmedTo: 2, snapshotSeq: 3, quarantined: [], damage: [] },
    ],
  });
});

test('so is one whose cut records have left, whose document was deleted, and made again', () => {
  while (writer.purge());
  expect(found()).toEqual([]);
  for (const change of ['deleted', 'created'] as const) {
    const [lease] = writer.open([room]) as [RoomLease];
    const lifecycle = { change, incarnation: change };
    writer.append({ appends: [{ room, fence: lease.fence, expectedHead: lease.head, records: [record(change)], lifecycle }] });
    expect(found()).toEqual([]);
  }
});

test.each<[string, string[]]>([
  ["UPDATE records SET payload = x'00' WHERE seq = 4", ['doc:a: record 4 does not fit its checksum']],
  [
    'UPDATE records SET at = 9 WHERE seq IN (3, 5)',
    ['doc:a: record 3 does not fit its checksum', 'doc:a: record 5 does not fit its checksum'],
  ],
  ['DELETE FROM records WHERE seq = 4', ['doc:a: record 4 is missing']],
  ['DELETE FROM records WHERE seq > 3', ['doc:a: records 4 to 5 are missing']],
  ["UPDATE snapshots SET state = x'00'", ['doc:a: the snapshot does not fit its checksum']],
  ['DELETE FROM snapshots', ['doc:a: the log was cut up to 2, beyond what its snapshot holds (0)']],
  ['UPDATE clocks SET clock = 4', ['doc:a: the clock of client 1 does not fit its checksum']],
  ['UPDATE sessions SET counter = 4', ['doc:a: a session of anna does not fit its checksum']],
  ["UPDATE states SET value = '2'", ['doc:a: the value of e for k does not fit its checksum']],
  ["UPDATE rooms SET head = 4 WHERE name = 'doc:a'", ['doc:a: the entry of this room does not fit its checksum']],
  ["UPDATE grants SET access = 'admin'", ['the grant of anna in doc:a does not fit its checksum']],
  ["UPDATE keys SET answer = '2'", ['an idempotency key of anna does not fit its checksum']],
  ['DELETE FROM counters', ['the counters are missing']],
  ["DELETE FROM rooms WHERE name = 'chat:b'", ['records of a room that is not listed (2)']],
  [
    'PRAGMA writable_schema = ON; DROP INDEX recordsById; CREATE TABLE x (a); DROP TABLE records',
    [expect.stringContaining('no such table') as never],
  ],
])('after %s it is told what is wrong', (sql, sentences) => {
  db.exec(sql);
  expect(found()).toEqual(expect.arrayContaining(sentences));
  expect(isSound(verifyDatabase(Sqlite, db))).toBe(false);
});

test.each<[string, Partial<RoomRow>, string[]]>([
  ['epoch', { headEpoch: 'another' }, ['doc:a: the newest record is of another epoch than its room says']],
  ['end', { head: 2 }, ['doc:a: the log ends at 5 and should at 2', 'doc:a: the snapshot is of 3 and the log ends at 2']],
])('an entry of another time, which fits its own checksum, does not fit the log: its %s', (_, change, sentences) => {
  const rows = writeRoomRows(db);
  rows.save({ ...(rows.find(room) as RoomRow), ...change });
  expect(found()).toEqual(sentences);
});

test('what was damaged before its author was erased does not look sound afterwards', () => {
  db.exec("UPDATE records SET payload = x'00' WHERE seq = 4; UPDATE clocks SET clock = 4");
  const damaged = ['doc:a: record 4 does not fit its checksum', 'doc:a: the clock of client 1 does not fit its checksum'];
  expect(found()).toEqual(expect.arrayContaining(damaged));
  writer.eraseUser('anna');
  expect(found()).toEqual(damaged);
});

test('a lost page is told in a few sentences', () => {
  const [lease] = writer.open([other]) as [RoomLease];
  const records = Array.from({ length: 200 }, (_, n) => record(`${n}`));
  writer.append({ appends: [{ room: other, fence: lease.fence, expectedHead: 1, records }] });
  db.exec('UPDATE records SET at = 2 WHERE seq > 100');
  expect(found()).toHaveLength(21);
  expect(found().at(-1)).toBe('chat:b: and 81 more');
});

describe('one flipped bit anywhere in the file', () => {
  test('is found, or changes nothing that is stored', () => {
    // Records that were cut and are still in the table are handed out to nobody.
    while (writer.purge());
    db.pragma('wal_checkpoint(TRUNCATE)');
    const file = join(dir, 'copy.db');
    copyFileSync(db.name, file);
    const sound = readFileSync(file);
    const content = contentOf(file);
    const draw = drawFrom(7);
    // Most of a small file is empty pages.
    const used = [...sound.keys()].filter((place) => sound[place] !== 0);
    let detected = 0;
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(sound);
      const place = used[draw(used.length)] as number;
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << draw(8)), place);
      writeFileSync(file, bytes);
      const after = contentOf(file);
      if (after === null) detected += 1;
      else expect(after, `bit at ${place}`).toBe(content);
    }
    expect(detected).toBeGreaterThan(100);
  });

  /** Everything that is stored; null where the database is not sound. */
  function contentOf(file: string): string | null {
    let copy: Db | undefined;
    try {
      copy = openForInspection(Sqlite, file);
      if (!isSound(verifyDatabase(Sqlite, copy))) return null;
      const tables = ['rooms', 'records', 'clocks', 'sessions', 'states', 'snapshots', 'keys'];
      const rows = tables.map((table) => copy?.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all());
      // When a grant was given is for people, and not sealed.
      return JSON.stringify([rows, copy.prepare('SELECT room, userId, access FROM grants').all()]);
    } catch {
      return null;
    } finally {
      copy?.close();
    }
  }
});
