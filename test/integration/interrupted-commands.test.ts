import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockDataFolder } from '../../server/storage/sqlite/data-folder.ts';
import { loadSqlite } from '../../server/storage/sqlite/load-sqlite.ts';
import { openSqliteStore } from '../../server/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { startChildServer } from '../support/child-server.ts';
import { runCli } from '../support/run-cli.ts';
import { tokenFor } from '../support/start-server.ts';
import { record } from '../support/writer-calls.ts';

const room = parseRoomName('chat:a');
let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-interrupted-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => runCli(args, { cwd: folder, env: { DATA_DIR: dataDir } });

/** Runs a command that is killed as it gives a file the name `to`. */
const runKilled = (to: string, ...args: string[]) => {
  const preload = new URL(`../support/end-at-rename.js?killed=true&to=${to}`, import.meta.url).href;
  return runCli(args, { cwd: folder, env: { DATA_DIR: dataDir, NODE_OPTIONS: `--import ${preload}` } });
};

async function withStore<T>(work: (store: Store) => Promise<T>, where = dataDir): Promise<T> {
  const store = await openSqliteStore({ dataDir: where, clock: createSystemClock() });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function append(store: Store, text: string): Promise<void> {
  const { fence, head } = await store.open(room);
  await store.append({ appends: [{ room, fence, expectedHead: head, records: [record(text)] }] });
}

const texts = (where: string) =>
  withStore(async (store) => (await store.read(room, { limit: 9 })).map(({ payload }) => Buffer.from(payload).toString()), where);

/** Names and contents of all files, but for the index that SQLite makes of a log. */
const contents = () =>
  readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('-shm') && !entry.name.startsWith('ashlar.lock'))
    .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name)).toString('latin1')]);

// Each runs a handful of processes.
vi.setConfig({ testTimeout: 60_000 });

describe('after a restore that was killed, and before the next start', () => {
  /** The newest record lies in the write-ahead log alone, and that lies where the restore put it. */
  async function killRestore(): Promise<void> {
    await withStore((store) => append(store, 'old'));
    await run('backup', 'b.db');
    await withStore(async (store) => {
      await append(store, 'newest');
      cpSync(dataDir, join(folder, 'killed'), { recursive: true });
    });
    rmSync(dataDir, { recursive: true });
    cpSync(join(folder, 'killed'), dataDir, { recursive: true });
    expect((await runKilled('ashlar.db', 'restore', 'b.db')).code).not.toBe(0);
    expect(existsSync(join(dataDir, 'ashlar.db-wal'))).toBe(false);
  }

  test('[1] check reads what was there, its newest commits too, and changes nothing', async () => {
    await killRestore();
    const before = contents();
    for (const args of [['check'], ['check', join(dataDir, 'ashlar.db')]]) {
      const { code, out, err } = await run(...args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('chat:a: 2 records, 1 to 2');
      expect(out).toContain('A restore was killed on its way here');
    }
    expect(contents().filter(([name]) => !name?.endsWith('-wal') || before.some(([known]) => known === name))).toEqual(before);
    expect(await texts(dataDir)).toEqual(['old', 'newest']);
  });

  test('[1] a backup holds what was there, its newest commits too; so does what is restored from that folder', async () => {
    await killRestore();
    expect(await run('backup', 'after.db')).toMatchObject({ code: 0, err: '' });
    for (const source of ['after.db', join(dataDir, 'ashlar.db')]) {
      const elsewhere = join(folder, `from-${source.length}`);
      expect(await run('restore', source, '-d', elsewhere)).toMatchObject({ code: 0, err: '' });
      expect(await texts(elsewhere)).toEqual(['old', 'newest']);
    }
    expect(await texts(dataDir)).toEqual(['old', 'newest']);
  });

  test('a backup waits for no restore that is still under way, and says so', async () => {
    await killRestore();
    const unlock = lockDataFolder(await loadSqlite(), dataDir);
    const { code, err } = await run('backup', 'after.db');
    unlock();
    expect([code, err]).toEqual([1, expect.stringMatching(/^ashlar: .* is in use; .*\n$/)]);
    expect(readdirSync(folder).some((name) => name.startsWith('after.db'))).toBe(false);
  });
});

describe('what a kill leaves', () => {
  test('of a backup goes with the next one to the same file; that of one which is under way stays', async () => {
    await withStore((store) => append(store, 'a'));
    const { pid: ended } = spawnSync(process.execPath, ['--version']);
    const abandoned = [`b.db.${ended}.partial`, `b.db.${ended}.partial-journal`];
    const others = [`b.db.${process.pid}.partial`, `c.db.${ended}.partial`, 'b.db.partial'];
    for (const name of [...abandoned, ...others]) writeFileSync(join(folder, name), 'x');
    expect(await run('backup', 'b.db')).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(folder).sort()).toEqual(['b.db', ...others, 'data'].sort());
  });

  test('of upgrades is one file, however often, and none once one was not killed', async () => {
    await withStore((store) => append(store, 'a'));
    makeOlder(join(dataDir, 'ashlar.db'));
    const partials = () => readdirSync(dataDir).filter((name) => name.includes('.partial'));
    for (let kill = 0; kill < 2; kill++) {
      await runKilled('schema-2-backup.db', 'serve', '--port', '0');
      expect(partials()).toHaveLength(1);
    }
    expect((await run('erase', 'nobody')).out).not.toContain('.partial');
    expect(partials()).toEqual([]);
    expect(await texts(dataDir)).toEqual(['a']);
  });
});

/** The schema before there was a quarantine, and before positions were sealed. */
function makeOlder(file: string): void {
  const db = new Database(file);
  db.exec('ALTER TABLE counters DROP COLUMN positionKey; DROP TABLE quarantined; PRAGMA user_version = 2');
  db.close();
}

test('a database of an older schema is checked as it is, such as what an upgrade kept', async () => {
  await withStore((store) => append(store, 'a'));
  makeOlder(join(dataDir, 'ashlar.db'));
  const { code, out, err } = await run('check', join(dataDir, 'ashlar.db'));
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('chat:a: 1 record, 1 to 1');
});

test('a path that the system does not resolve is told in one sentence', async () => {
  await withStore((store) => append(store, 'a'));
  symlinkSync('loop', join(folder, 'loop'));
  const long = `${'n'.repeat(250)}.db`;
  for (const args of [
    ['check', '-d', 'loop'],
    ['erase', 'anna', '-d', 'loop'],
    ['restore', 'loop'],
    ['backup', long],
    ['backup', 'b.db', '-d', 'loop'],
  ]) {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([1, expect.stringMatching(/^ashlar: .*(ELOOP|ENAMETOOLONG).*\n$/)]);
  }
  const Sqlite = await loadSqlite();
  expect(() => lockDataFolder(Sqlite, join(folder, 'n'.repeat(300)))).toThrow(AshlarError);
});

test('a server whose database is written over says why it takes nothing more: in its log, to publishers and in its readiness', async () => {
  await using server = await startChildServer();
  const token = tokenFor('op', { permissions: ['publish'] });
  const publish = () =>
    fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        event: 'catalog:updated',
        data: { updatedAt: new Date(0).toISOString(), changes: { added: 1, modified: 0, deleted: 0 } },
      }),
    });
  expect((await publish()).status).toBe(200);
  const database = join(server.dataDir, 'ashlar.db');
  const { mtimeMs, size } = statSync(database);
  do writeFileSync(database, new Uint8Array(size));
  while (statSync(database).mtimeMs === mtimeMs);
  const refused = await publish();
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'storage-unavailable' } }]);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  expect(server.said()).toContain('storage:write-failed');
  expect(server.said()).toContain('was written over while in use: restart the server');
});
