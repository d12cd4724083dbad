import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openForReading, openForWriting } from '../../server/storage/sqlite/connection.ts';
import { type Db, loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { createReader, type Reader } from '../../server/storage/sqlite/reader.ts';
import { createWriter, type Writer } from '../../server/storage/sqlite/writer.ts';
import type { NewRecord, RoomLease } from '../../server/storage/store.ts';
import { parseRoomName } from '../../shared/room-name.ts';

const Sqlite = await loadSqlite();
const room = parseRoomName('doc:a');
const other = parseRoomName('doc:b');
const damage = expect.objectContaining({ code: 'storage-damaged', room });
let dir: string;
let db: Db;
let writer: Writer;
let reader: Reader;

function record(text: string, id: string | null = null): NewRecord {
  const payload = Buffer.from(text);
  return { at: 1, userId: 'anna', kind: 'k', payload, version: 1, id, session: null, counter: 0 };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ashlar-damage-'));
  db = openForWriting(Sqlite, join(dir, 'ashlar.db'));
  writer = createWriter(db, 'e');
  reader = createReader(openForReading(Sqlite, db.name));
  const [one, two] = writer.open([room, other]) as [RoomLease, RoomLease];
  writer.append({
    appends: [
      {
        room,
        fence: one.fence,
        expectedHead: 0,
        records: [record('one', 'i'), record('two'), record('three')],
        clocks: [{ clientId: 1, userId: 'anna', clock: 5 }],
        sessions: [{ session: 's', userId: 'anna', clientId: 1, counter: 3 }],
        states: [{ event: 'e', key: 'k', value: '1', rev: 1, at: 1 }],
      },
      { room: other, fence: two.fence, expectedHead: 0, records: [record('sound')] },
    ],
    keys: [{ userId: 'anna', key: 'k', requestHash: 'h', answer: '1', at: 1 }],
  });
  writer.writeSnapshot(room, { seq: 2, epoch: 'e', state: new Uint8Array(10), stateVector: new Uint8Array(1) });
  writer.writeGrant(room, 'anna', 'read', 1);
});
afterEach(() => {
  reader.close();
  db.close();
  rmSync(dir, { recursive: true });
});

test.each([
  "UPDATE records SET kind = 'x' WHERE seq = 1",
  "UPDATE records SET userId = 'bert' WHERE seq = 1",
  "UPDATE records SET epoch = 'x' WHERE seq = 1",
  "UPDATE records SET id = 'x' WHERE seq = 1",
  'UPDATE records SET at = 2 WHERE seq = 1',
  'UPDATE records SET counter = 2 WHERE seq = 1',
  'UPDATE records SET seq = 9 WHERE seq = 1',
  'UPDATE records SET room = (SELECT id FROM rooms WHERE id <> room) WHERE seq = 3',
  'DELETE FROM records WHERE seq = 1',
  'DELETE FROM records WHERE seq = 2',
  'DELETE FROM records WHERE seq = 3',
  "UPDATE rooms SET trimmedTo = 1 WHERE name = 'doc:a'",
])('no record is handed out after %s', (sql) => {
  db.exec(sql);
  for (const from of ['oldest', 'newest'] as const) expect(() => reader.read(room, { limit: 10, from })).toThrow(damage);
});

test('a gap is found also where the limit would end before the log does', () => {
  db.exec('DELETE FROM records WHERE seq = 2');
  for (const from of ['oldest', 'newest'] as const) expect(() => reader.read(room, { limit: 2, from })).toThrow(damage);
});

test('records of a page that came under another room are not taken for its own', () => {
  db.exec("UPDATE records SET seq = 7 WHERE room <> (SELECT id FROM rooms WHERE name = 'doc:a')");
  db.exec("UPDATE records SET room = (SELECT id FROM rooms WHERE name = 'doc:b'), seq = 1 WHERE seq = 2");
  expect(() => reader.read(other, { limit: 10 })).toThrow(expect.objectContaining({ code: 'storage-damaged', room: other }));
});

test('a lost end of the log is found when the room is opened, and other rooms go on', () => {
  db.exec('DELETE FROM records WHERE seq = 3');
  expect(writer.open([room, other])).toEqual([damage, expect.objectContaining({ head: 1 })]);
  expect(reader.read(other, { limit: 10 })).toHaveLength(1);
});

test.each([
  ['UPDATE clocks SET clock = 4'],
  ["UPDATE clocks SET userId = 'bert'"],
  ["UPDATE states SET value = '2'"],
  ["UPDATE rooms SET head = 2 WHERE name = 'doc:a'"],
  ["UPDATE rooms SET deleted = 1 WHERE name = 'doc:a'"],
])('a room is not opened after %s', (sql) => {
  db.exec(sql);
  expect(writer.open([room])).toEqual([damage]);
});

test.each<[string, () => unknown]>([
  ['UPDATE sessions SET counter = 2', () => reader.findSession(room, 's')],
  ["UPDATE snapshots SET state = x'00'", () => reader.readSnapshot(room)],
  ["UPDATE snapshots SET stateVector = x'01'", () => reader.readSnapshot(room)],
  ['UPDATE snapshots SET seq = 3', () => reader.readSnapshot(room)],
  ["UPDATE grants SET access = 'admin'", () => reader.readGrant(room, 'anna')],
  ["UPDATE records SET payload = x'00' WHERE seq = 1", () => reader.findById(room, 'anna', 'i')],
  ["UPDATE records SET epoch = 'x' WHERE seq = 1", () => reader.epochAt(room, 1)],
  ['DELETE FROM records WHERE seq = 2', () => reader.epochAt(room, 2)],
])('nothing is believed after %s', (sql, look) => {
  expect(look).not.toThrow();
  db.exec(sql);
  expect(look).toThrow(damage);
});

test('a changed answer of an idempotency key is not given', () => {
  expect(reader.findKey('anna', 'k')).toMatchObject({ answer: '1' });
  db.exec("UPDATE keys SET answer = '2'");
  expect(() => reader.findKey('anna', 'k')).toThrow(expect.objectContaining({ code: 'storage-damaged' }));
});

test('a damaged clock or session gives way to what the writer knows', () => {
  db.exec('UPDATE clocks SET clock = 4');
  db.exec('UPDATE sessions SET counter = 9');
  const [fence] = [db.prepare("SELECT fence FROM rooms WHERE name = 'doc:a'").pluck().get() as number];
  const clocks = [{ clientId: 1, userId: 'anna', clock: 6 }];
  const sessions = [{ session: 's', userId: 'anna', clientId: 1, counter: 4 }];
  expect(writer.append({ appends: [{ room, fence, expectedHead: 3, records: [], clocks, sessions }] })).toMatchObject([
    { ok: true },
  ]);
  expect(writer.open([room])).toMatchObject([{ clocks }]);
  expect(reader.findSession(room, 's')).toEqual(sessions[0]);
});
