import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkpoint, openForReading, openForWriting } from '../../server/storage/sqlite/connection.ts';
import { type Db, loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { createReader } from '../../server/storage/sqlite/reader.ts';
import { createWriter } from '../../server/storage/sqlite/writer.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { appendTo, faultyDb, lease, record } from '../support/writer-calls.ts';

const Sqlite = await loadSqlite();
const room = parseRoomName('doc:a');
const other = parseRoomName('doc:b');
let dir: string;
let path: string;
let db: Db;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ashlar-writer-'));
  path = join(dir, 'ashlar.db');
  db = openForWriting(Sqlite, path);
});
afterEach(() => {
  if (db.open) db.close();
  rmSync(dir, { recursive: true });
});

const ioError = () => Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
const fullError = () => Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });

describe('connections', () => {
  test('[1] every connection syncs each commit, also when the file is opened again', () => {
    for (let start = 0; start < 3; start++) {
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      const reading = openForReading(Sqlite, path);
      expect(reading.pragma('synchronous', { simple: true })).toBe(2);
      reading.close();
      db.close();
      db = openForWriting(Sqlite, path);
    }
  });

  test('[1] what a start reads has been written through first: the log may be in the page cache alone', () => {
    const writer = createWriter(db, 'e');
    appendTo(writer, lease(writer), 'a');
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    const next = openForWriting(Sqlite, path);
    expect(statSync(`${path}-wal`).size).toBe(0);
    next.close();
  });

  test('a reading connection cannot write', () => {
    const reading = openForReading(Sqlite, path);
    expect(() => reading.exec('DELETE FROM rooms')).toThrow();
    reading.close();
  });

  test('a checkpoint that a reader holds up is no success', () => {
    const writer = createWriter(db, 'e');
    const reading = openForReading(Sqlite, path);
    reading.exec('BEGIN');
    reading.prepare('SELECT count(*) FROM rooms').get();
    appendTo(writer, lease(writer), 'a');
    db.pragma('busy_timeout = 10');
    expect(() => checkpoint(db)).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
    reading.exec('COMMIT');
    checkpoint(db);
    reading.close();
  });
});

describe('a commit that failed', () => {
  test('[1] nothing is acknowledged until the log has been written through', () => {
    const events: string[] = [];
    let broken = false;
    const writer = createWriter(
      faultyDb(db, {
        onCommit(commit) {
          if (!broken) return commit();
          throw ioError();
        },
        onCheckpoint() {
          events.push(broken ? 'checkpoint failed' : 'checkpoint');
          if (broken) throw ioError();
        },
      }),
      'e',
    );
    const before = lease(writer);
    broken = true;
    expect(() => appendTo(writer, before, 'lost')).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
    expect(events).toEqual([]);
    for (const attempt of [
      () => appendTo(writer, before, 'no'),
      () => writer.probe(),
      () => writer.writeGrant(room, 'u', 'read', 1),
    ]) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
    }
    expect(writer.open([room])[0]).toMatchObject({ code: 'storage-unavailable' });
    expect(events).toEqual(Array(4).fill('checkpoint failed'));

    broken = false;
    expect(appendTo(writer, before, 'old lease')).toEqual({ ok: false, head: 0 });
    expect(appendTo(writer, lease(writer), 'kept')).toMatchObject({ ok: true, firstSeq: 1 });
    expect(events.slice(4)).toEqual(['checkpoint']);
  });

  test('[1] one that took place after all is not written over: no number is given twice', () => {
    let broken = false;
    const writer = createWriter(
      faultyDb(db, {
        onCommit(commit) {
          commit();
          if (broken) throw ioError();
        },
      }),
      'e',
    );
    const before = lease(writer);
    broken = true;
    expect(() => appendTo(writer, before, 'unknown')).toThrow();
    broken = false;
    expect(appendTo(writer, before, 'again')).toEqual({ ok: false, head: 1 });
    expect(appendTo(writer, { ...before, head: 1 }, 'again')).toEqual({ ok: false, head: 1 });
    const now = lease(writer);
    expect(now.head).toBe(1);
    expect(appendTo(writer, now, 'next')).toMatchObject({ ok: true, firstSeq: 2 });
    const reader = createReader(openForReading(Sqlite, path));
    expect(reader.read(room, { limit: 9 }).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['unknown', 'next']);
    reader.close();
  });

  test('a full disk: nothing is stored, reading goes on, and it heals by itself', () => {
    let full = false;
    const writer = createWriter(
      faultyDb(db, {
        onCommit(commit) {
          if (full) throw fullError();
          return commit();
        },
      }),
      'e',
    );
    const before = lease(writer);
    appendTo(writer, before, 'a');
    full = true;
    expect(() => appendTo(writer, { ...before, head: 1 }, 'no')).toThrow(expect.objectContaining({ code: 'storage-full' }));
    const readable = lease(writer);
    expect(readable).toMatchObject({ head: 1, fence: 0 });
    expect(lease(writer, other)).toMatchObject({ head: 0, fence: 0 });
    full = false;
    expect(appendTo(writer, readable, 'no')).toEqual({ ok: false, head: 1 });
    expect(appendTo(writer, { ...before, head: 1 }, 'no')).toEqual({ ok: false, head: 1 });
    expect(appendTo(writer, lease(writer), 'b')).toMatchObject({ ok: true, firstSeq: 2 });
  });

  test('a mistake of ours is refused without voiding leases', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    const snapshot = { seq: 5, epoch: 'e', state: new Uint8Array(1), stateVector: new Uint8Array(1) };
    expect(() => writer.writeSnapshot(room, snapshot)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(appendTo(writer, opened, 'a')).toMatchObject({ ok: true });
  });

  test.each(['ashlar.db', 'ashlar.db-wal'])('nothing is acknowledged once %s was removed under the server', (file) => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    renameSync(join(dir, file), join(dir, 'elsewhere'));
    expect(() => appendTo(writer, opened, 'a')).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
    expect(() => writer.probe()).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
  });

  test('[1] nothing is acknowledged behind a write-ahead log that was cut under the server, and nothing is written there', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    appendTo(writer, opened, 'a'.repeat(20_000));
    const log = `${path}-wal`;
    const left = statSync(log).size >> 1;
    truncateSync(log, left);
    for (const attempt of [() => appendTo(writer, { ...opened, head: 1 }, 'b'), () => writer.probe(), () => writer.close()]) {
      expect(attempt).toThrow(expect.objectContaining({ detail: `${log} was cut while in use: restart the server` }));
    }
    expect(statSync(log).size).toBe(left);
  });

  test('an erasure that a reader of the log keeps from its end, a backup say, stops no writing', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    appendTo(writer, opened, 'a');
    const reader = openForReading(Sqlite, path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM records').get();
    db.pragma('busy_timeout = 0');
    const detail = expect.stringContaining('the user is erased, but old bytes may be left');
    expect(() => writer.eraseUser('anna')).toThrow(expect.objectContaining({ code: 'storage-unavailable', detail }));
    expect(appendTo(writer, { ...opened, head: 1 }, 'b')).toMatchObject({ ok: true });
    reader.close();
    expect(writer.eraseUser('anna').updates).toBe(1);
  });

  test('an erasure that cannot be committed does not say that the user is erased', () => {
    let full = false;
    const writer = createWriter(
      faultyDb(db, {
        onCommit(commit) {
          if (full) throw fullError();
          return commit();
        },
      }),
      'e',
    );
    appendTo(writer, lease(writer), 'a');
    full = true;
    expect(() => writer.eraseUser('anna')).toThrow(
      expect.objectContaining({ code: 'storage-full', detail: expect.not.stringContaining('is erased') }),
    );
  });

  test('a write-ahead log that another connection has written through was not cut', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    appendTo(writer, opened, 'a'.repeat(20_000));
    const another = new Sqlite(path);
    checkpoint(another);
    another.close();
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(appendTo(writer, { ...opened, head: 1 }, 'b')).toMatchObject({ ok: true });
  });

  test('[2] an older copy that is written over the files of a server gets no records, whose numbers clients know already', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    appendTo(writer, opened, 'a');
    const older = ['', '-wal', '-shm'].map((ending) => [path + ending, readFileSync(path + ending)] as const);
    appendTo(writer, { ...opened, head: 1 }, 'seen');
    for (const [file, content] of older) writeFileSync(file, content);
    for (const head of [1, 2]) {
      expect(() => appendTo(writer, { ...opened, head }, 'another')).toThrow(
        expect.objectContaining({ code: 'storage-unavailable' }),
      );
      expect(writer.open([room])[0]).toMatchObject({ code: 'storage-unavailable' });
    }
  });
});

describe('leases', () => {
  test('those of earlier processes are void at the start', () => {
    const before = lease(createWriter(db, 'e'));
    const next = createWriter(db, 'f');
    expect(appendTo(next, before, 'no')).toEqual({ ok: false, head: 0 });
    expect(appendTo(next, lease(next), 'yes')).toMatchObject({ ok: true });
  });

  test('a damaged room opens no other way, and stops neither the rooms opened with it nor a group', () => {
    const writer = createWriter(db, 'e');
    const [bad, good] = [lease(writer), lease(writer, other)];
    db.prepare('UPDATE rooms SET head = 7 WHERE name = ?').run(room);
    const results = writer.append({
      appends: [
        { room, fence: bad.fence, expectedHead: 0, records: [record('no')] },
        { room: other, fence: good.fence, expectedHead: 0, records: [record('yes')] },
      ],
    });
    expect(results).toMatchObject([{ ok: false }, { ok: true }]);
    expect(writer.open([other, room])).toMatchObject([{ head: 1 }, { code: 'storage-damaged', room }]);
  });
});

describe('purging', () => {
  const rows = () => db.prepare('SELECT count(*) FROM records').pluck().get();

  test('cut records leave the table in steps, also after a restart', () => {
    const writer = createWriter(db, 'e');
    const texts = Array.from({ length: 2_500 }, (_, n) => `${n}`);
    appendTo(writer, lease(writer), ...texts);
    expect(writer.purge()).toBe(false);
    expect(writer.trimTo(room, 2_400)).toBe(2_400);
    expect(rows()).toBe(2_500);
    expect(writer.purge()).toBe(true);
    expect(rows()).toBe(1_500);

    const next = createWriter(db, 'f');
    while (next.purge());
    expect(rows()).toBe(100);
    expect(lease(next)).toMatchObject({ head: 2_500, trimmedTo: 2_400 });
  });

  test('what waits to be purged is not read', () => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    const records = [
      { ...record('a'), id: 'm' },
      { ...record('b'), id: 'm' },
    ];
    writer.append({ appends: [{ room, fence: opened.fence, expectedHead: 0, records }] });
    writer.trimTo(room, 1);
    const reader = createReader(openForReading(Sqlite, path));
    expect(reader.read(room, { limit: 9, after: 0 }).map(({ seq }) => seq)).toEqual([2]);
    expect(reader.findById(room, 'anna', 'm')).toMatchObject({ seq: 2 });
    expect(reader.trimPoint(room, { before: 0 })).toBe(1);
    reader.close();
  });

  test('[3] users with grants are known where all grants were looked through, and never where some were not', () => {
    const writer = createWriter(db, 'e');
    for (const [index, userId] of ['ada', 'bob', 'eve'].entries()) writer.writeGrant(room, userId, 'none', index);
    const reader = createReader(openForReading(Sqlite, path));
    const all = new Set(['ada', 'bob', 'eve']);
    // A revocation of somebody who is taken for one without grants would be gone after a restart.
    expect([1, 2, 3, 4].map((limit) => reader.grantedUsers(limit))).toEqual([null, null, all, all]);
    reader.close();
  });

  test('a read that a trim overtakes still sees one state of the log', () => {
    const writer = createWriter(db, 'e');
    appendTo(writer, lease(writer), 'a', 'b', 'c');
    const reading = openForReading(Sqlite, path);
    const overtaken = new Proxy(reading, {
      get(target, name) {
        if (name === 'prepare') {
          return (sql: string) => {
            const statement = target.prepare(sql);
            if (!sql.includes('BETWEEN')) return statement;
            const iterate = (...values: unknown[]) => {
              writer.trimTo(room, 2);
              while (writer.purge());
              return statement.iterate(...values);
            };
            return { iterate };
          };
        }
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const reader = createReader(overtaken);
    expect(reader.read(room, { limit: 9 }).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(reader.read(room, { limit: 9 }).map(({ seq }) => seq)).toEqual([3]);
    reader.close();
  });
});
