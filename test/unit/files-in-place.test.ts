import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openForWriting } from '../../server/storage/sqlite/connection.ts';
import { lockDataFolder } from '../../server/storage/sqlite/data-folder.ts';
import { type Db, loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { createWriter } from '../../server/storage/sqlite/writer.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { appendTo, faultyDb, lease } from '../support/writer-calls.ts';

const Sqlite = await loadSqlite();
const room = parseRoomName('doc:a');
let dir: string;
let path: string;
let db: Db;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ashlar-files-'));
  path = join(dir, 'ashlar.db');
  db = openForWriting(Sqlite, path);
});
afterEach(() => {
  if (db.open) db.close();
  rmSync(dir, { recursive: true });
});

/** The same file with other content. Times of files are coarse: once the system says that it has changed. */
function writeOver(file: string, content: (length: number) => Uint8Array): void {
  const { mtimeMs, size } = statSync(file);
  do writeFileSync(file, content(size));
  while (statSync(file).mtimeMs === mtimeMs);
}

test.each([
  ['ashlar.db', 'zeros at its full size', (size: number) => new Uint8Array(size)],
  ['ashlar.db-wal', 'zeros at its full size', (size: number) => new Uint8Array(size)],
  ['ashlar.db', 'nothing', () => new Uint8Array(0)],
])(
  '[1] nothing is acknowledged once %s was written over under the server with %s, and nothing is written there',
  (name, _, content) => {
    const writer = createWriter(db, 'e');
    const opened = lease(writer);
    appendTo(writer, opened, 'a');
    const file = join(dir, name);
    writeOver(file, content);
    const left = [file, path].map((each) => readFileSync(each));
    const refusal = expect.objectContaining({ detail: `${file} was written over while in use: restart the server` });
    for (const attempt of [() => appendTo(writer, { ...opened, head: 1 }, 'b'), () => writer.probe()]) {
      expect(attempt).toThrow(refusal);
    }
    expect([file, path].map((each) => readFileSync(each))).toEqual(left);
    expect(() => writer.close()).toThrow(refusal);
    // A log that is none any more would make the database what it is.
    if (file !== path) expect(readFileSync(path)).toEqual(left[1]);
  },
);

test.each(['ashlar.db', 'ashlar.db-wal'])('[1] nothing is acknowledged where %s was written over during the commit', (name) => {
  let during = () => {};
  const writer = createWriter(
    faultyDb(db, {
      onCommit(commit) {
        commit();
        during();
      },
    }),
    'e',
  );
  const opened = lease(writer);
  during = () => writeOver(join(dir, name), (size) => new Uint8Array(size));
  expect(() => appendTo(writer, opened, 'a')).toThrow(expect.objectContaining({ code: 'storage-unavailable' }));
});

test('what the writer itself writes into both files is never taken for that of another', () => {
  const writer = createWriter(db, 'e', { quota: { bytes: 12_000_000, warnAt: 0.1 } });
  const opened = lease(writer);
  // The log is written through at every 4 MB, and for the quota.
  for (let head = 0; head < 200; head++) {
    expect(appendTo(writer, { ...opened, head }, 'a'.repeat(50_000))).toMatchObject({ ok: true });
    if (head % 50 === 49) writer.trimTo(room, head);
    if (head % 70 === 69) writer.eraseUser(`user-${head}`);
    while (writer.purge());
  }
  writer.close();
});

test('a lock that another process has made anew ends the writing of the one that had it; that it is gone does not', () => {
  db.close();
  const unlock = lockDataFolder(Sqlite, dir);
  db = openForWriting(Sqlite, path);
  const writer = createWriter(db, 'e');
  rmSync(join(dir, 'ashlar.lock'));
  writer.probe();
  const unlockOther = lockDataFolder(Sqlite, dir);
  const another = openForWriting(Sqlite, path);
  createWriter(another, 'f').probe();
  another.close();
  expect(() => writer.probe()).toThrow(
    expect.objectContaining({ detail: `${join(dir, 'ashlar.lock')} was replaced while in use: restart the server` }),
  );
  unlockOther();
  unlock();
});
