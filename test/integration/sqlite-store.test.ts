import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import type { Clock } from '../../server/clock.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../server/storage/sqlite/sqlite-store.ts';
import type { NewRecord, RoomLease, Store } from '../../server/storage/store.ts';
import { createSystemClock } from '../../server/system-clock.ts';
import { storeContract } from '../../server/testing/store-contract.ts';
import { parseRoomName } from '../../shared/room-name.ts';

const clock = createSystemClock();
const room = parseRoomName('doc:handbook');

/** A data folder and the stores opened on it; disposing closes and removes them. */
async function dataFolder() {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-store-'));
  const handles: Store[] = [];
  return {
    dataDir,
    file: join(dataDir, 'ashlar.db'),
    async open(options: Partial<SqliteStoreOptions> = {}) {
      const handle = await openSqliteStore({ dataDir, clock, ...options });
      handles.push(handle);
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

storeContract('SQLite', async () => {
  const folder = await dataFolder();
  let shareLock = false;
  return {
    open() {
      // Only the first has the folder's lock: the others stand for other processes that race with it.
      const opened = folder.open({ testing: { shareLock } });
      shareLock = true;
      return opened;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

function record(text: string, more: Partial<NewRecord> = {}): NewRecord {
  const payload = Buffer.from(text);
  return { at: 1, userId: 'anna', kind: 'k', payload, version: 1, id: null, session: null, counter: 0, ...more };
}

async function append(store: Store, { fence, head }: RoomLease, records: readonly NewRecord[], name = room) {
  const [result] = await store.append({ appends: [{ room: name, fence, expectedHead: head, records }] });
  return result;
}

const texts = async (store: Store, name = room) =>
  (await store.read(name, { limit: 1_000 })).map(({ payload }) => Buffer.from(payload).toString());

describe('the data folder', () => {
  test('is made where it is missing', async () => {
    await using folder = await dataFolder();
    const store = await folder.open({ dataDir: join(folder.dataDir, 'deep', 'er') });
    await store.probe();
    await expect(readFile(join(folder.dataDir, 'deep', 'er', 'ashlar.db'))).resolves.toBeTruthy();
  });

  test('that cannot be made is told by name', async () => {
    await using folder = await dataFolder();
    const dataDir = join(folder.dataDir, 'a-file', 'data');
    await writeFile(join(folder.dataDir, 'a-file'), '');
    await expect(folder.open({ dataDir })).rejects.toMatchObject({
      code: 'storage-unavailable',
      detail: expect.stringContaining(dataDir),
    });
  });

  test('has one store at a time', async () => {
    await using folder = await dataFolder();
    const store = await folder.open();
    await expect(folder.open()).rejects.toMatchObject({
      code: 'storage-locked',
      detail: expect.stringContaining(folder.dataDir),
    });
    // The refused one left the first one's lock alone.
    await expect(folder.open()).rejects.toMatchObject({ code: 'storage-locked' });
    await store.probe();
    await store.close();
    const next = await folder.open();
    await next.probe();
  });

  test.each(['ashlar.lock', 'ashlar.db', 'ashlar.db-wal', 'ashlar.db-shm'])(
    'with a named pipe in the place of %s is refused by name at once, and the pipe is left alone',
    async (name) => {
      await using folder = await dataFolder();
      const pipe = join(folder.dataDir, name);
      execFileSync('mkfifo', [pipe]);
      await expect(folder.open()).rejects.toMatchObject({
        code: 'storage-unavailable',
        detail: expect.stringContaining(`${pipe} is not a file`),
      });
      expect((await stat(pipe)).isFIFO()).toBe(true);
    },
  );

  test('of which a file is a symbolic link is refused: its write-ahead log would lie where nobody sees it cut or removed', async () => {
    await using folder = await dataFolder();
    await (await folder.open()).close();
    const elsewhere = `${folder.file}.elsewhere`;
    await rename(folder.file, elsewhere);
    await symlink(elsewhere, folder.file);
    await expect(folder.open()).rejects.toMatchObject({
      code: 'storage-unavailable',
      detail: expect.stringContaining(`${folder.file} is a symbolic link`),
    });
    await rename(elsewhere, folder.file);
    await (await folder.open()).probe();
  });

  test('with a named pipe in the place of the witness starts, and has one again', async () => {
    await using folder = await dataFolder();
    execFileSync('mkfifo', [join(folder.dataDir, 'ashlar.witness')]);
    await (await folder.open()).close();
    expect((await stat(join(folder.dataDir, 'ashlar.witness'))).isFile()).toBe(true);
  });

  test('is free again where opening failed', async () => {
    await using folder = await dataFolder();
    await writeFile(folder.file, 'no database, '.repeat(1_000));
    await expect(folder.open()).rejects.toMatchObject({ code: 'storage-damaged' });
    await rm(folder.file);
    await (await folder.open()).probe();
  });
});

describe('a file that is not to be touched', () => {
  async function refused(spoil: (file: string) => Promise<void>) {
    await using folder = await dataFolder();
    const store = await folder.open();
    await append(store, await store.open(room), Array(500).fill(record('x'.repeat(500))));
    await store.close();
    await spoil(folder.file);
    const before = await readFile(folder.file);
    const error = await folder.open().catch((thrown: unknown) => thrown);
    expect(Buffer.compare(await readFile(folder.file), before)).toBe(0);
    return error;
  }

  test('one of a newer version is refused, naming the upgrade', async () => {
    const error = await refused(async (file) => {
      const db = new Database(file);
      db.pragma('user_version = 99');
      db.close();
    });
    expect(error).toMatchObject({ code: 'storage-unavailable', detail: expect.stringContaining('upgrade ashlar') });
  });

  test("another program's database is refused", async () => {
    const error = await refused(async (file) => {
      await rm(file);
      const db = new Database(file);
      db.exec('CREATE TABLE theirs (a)');
      db.close();
    });
    expect(error).toMatchObject({ code: 'storage-unavailable', detail: expect.stringContaining('not an Ashlar database') });
  });

  test.each([
    ['whose header is gone', (bytes: Buffer) => bytes.fill(0, 0, 100)],
    ['cut to a part', (bytes: Buffer) => bytes.subarray(0, 5_000)],
    ['that is no database', () => Buffer.from('Once upon a time '.repeat(500))],
  ])('one %s is damage, and the repair is named', async (_, spoil) => {
    const error = await refused(async (file) => writeFile(file, spoil(await readFile(file))));
    expect(error).toMatchObject({ code: 'storage-damaged', detail: expect.stringContaining('restore a backup') });
  });

  test('a write-ahead log without its database is not thrown away', async () => {
    await using folder = await dataFolder();
    const store = await folder.open();
    await append(store, await store.open(room), [record('a')]);
    const log = await readFile(`${folder.file}-wal`);
    expect(log.length).toBeGreaterThan(0);
    await store.close();
    await writeFile(folder.file, '');
    await writeFile(`${folder.file}-wal`, log);
    await expect(folder.open()).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(Buffer.compare(await readFile(`${folder.file}-wal`), log)).toBe(0);
  });
});

describe('damage', () => {
  test('one flipped bit in a payload on disk is found, though SQLite finds nothing', async () => {
    await using folder = await dataFolder();
    const store = await folder.open();
    await append(store, await store.open(room), [record('first'), record('THE NEEDLE'), record('last')]);
    await store.close();
    const bytes = await readFile(folder.file);
    const place = bytes.indexOf('THE NEEDLE');
    expect(place).toBeGreaterThan(0);
    bytes.writeUInt8(bytes.readUInt8(place) ^ 4, place);
    await writeFile(folder.file, bytes);
    const db = new Database(folder.file);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();

    const again = await folder.open();
    await expect(again.read(room, { limit: 10 })).rejects.toMatchObject({
      code: 'storage-damaged',
      room,
      detail: expect.stringContaining('record 2'),
    });
    await expect(again.epochAt(room, 2)).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(await again.read(room, { limit: 10, before: 2 })).toHaveLength(1);
    expect(await again.read(room, { limit: 10, after: 2 })).toHaveLength(1);
  });
});

describe('workers', () => {
  async function withWorkers() {
    const folder = await dataFolder();
    const workers: Worker[] = [];
    const log: string[] = [];
    const note = (_: object, message: string) => void log.push(message);
    const store = await folder.open({
      log: { info: note, warn: note, error: note },
      testing: { onWorker: (worker) => void workers.push(worker) },
    });
    return { folder, workers, log, store, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  }

  test('a thread that dies whenever it is started is started ever more seldom, and works once it may', async () => {
    const real = createSystemClock();
    const waits: number[] = [];
    const clock: Clock = {
      ...real,
      after(ms, task) {
        // The witness waits for a second.
        if (ms !== 1_000) waits.push(ms);
        return real.after(ms / 10, task);
      },
    };
    await using folder = await dataFolder();
    let isDying = false;
    const workers: Worker[] = [];
    const store = await folder.open({
      clock,
      testing: {
        onWorker(worker) {
          workers.push(worker);
          if (isDying) void worker.terminate();
        },
      },
    });
    isDying = true;
    void workers[0]?.terminate();
    await vi.waitFor(() => expect(waits.length).toBeGreaterThanOrEqual(5), 10_000);
    isDying = false;
    expect(waits.slice(0, 5)).toEqual([0, 100, 200, 400, 800]);
    expect(await append(store, await store.open(room), [record('on')])).toMatchObject({ ok: true });
  });

  test('[1] the writer dies at work: what was acknowledged is there, the rest is unknown, leases are void', async () => {
    await using setup = await withWorkers();
    const { store, workers, log } = setup;
    const lease = await store.open(room);
    const [writer] = workers;
    let acked = 0;
    const pending = Array.from({ length: 200 }, (_, n) =>
      append(store, { ...lease, head: n }, [record(`n${n}`)]).then((result) => {
        expect(result).toMatchObject({ ok: true, firstSeq: n + 1 });
        acked += 1;
        if (n === 20) void writer?.terminate();
      }),
    );
    const outcomes = await Promise.allSettled(pending);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'storage-unavailable' });

    const old = { ...lease, head: (await store.read(room, { limit: 1, from: 'newest' }))[0]?.seq ?? 0 };
    expect(await append(store, old, [record('old lease')])).toMatchObject({ ok: false });
    const now = await store.open(room);
    expect(now.head).toBeGreaterThanOrEqual(acked);
    expect(await append(store, now, [record('on')])).toMatchObject({ ok: true, firstSeq: now.head + 1, epoch: store.epoch });
    expect(await texts(store)).toEqual([...Array.from({ length: now.head }, (_, n) => `n${n}`), 'on']);
    expect(log).toEqual(expect.arrayContaining(['storage:worker-died', 'storage:worker-restarted', 'storage:writes-again']));
  });

  test('the reader dies: writing goes on, and reading comes back', async () => {
    await using setup = await withWorkers();
    const { store, workers } = setup;
    const lease = await store.open(room);
    await append(store, lease, [record('a')]);
    const reading = store.read(room, { limit: 1 }).catch((error: unknown) => error);
    await workers[1]?.terminate();
    await reading;
    expect(await append(store, { ...lease, head: 1 }, [record('b')])).toMatchObject({ ok: true });
    expect(await texts(store)).toEqual(['a', 'b']);
    expect(workers).toHaveLength(3);
  });

  test('questions wait for the next worker, and learn why there is none', async () => {
    await using setup = await withWorkers();
    const { store, workers, folder, log } = setup;
    await store.open(room);
    await workers[0]?.terminate();
    // The next writer finds what it may not touch.
    const db = new Database(folder.file);
    const version = db.pragma('user_version', { simple: true });
    db.pragma('user_version = 99');
    db.close();
    await expect(store.open(room)).rejects.toMatchObject({
      code: 'storage-unavailable',
      detail: expect.stringContaining('newer'),
    });
    const back = new Database(folder.file);
    back.pragma(`user_version = ${version}`);
    back.close();
    const opened = async (): Promise<RoomLease> => store.open(room).catch(opened);
    expect(await opened()).toMatchObject({ head: 0 });
    expect(log).toContain('storage:worker-restart-failed');
  });

  test('closing waits for a worker that is being started again', async () => {
    await using setup = await withWorkers();
    const { store, workers } = setup;
    await Promise.all(workers.map((worker) => worker.terminate()));
    await store.close();
    const next = await setup.folder.open();
    await next.probe();
  });
});

describe('a full disk', () => {
  test('nothing is lost, reading goes on, and room made by a trim is used', async () => {
    await using folder = await dataFolder();
    const store = await folder.open({ testing: { maxPages: 200 } });
    const large = () => record('x'.repeat(20_000));
    let lease = await store.open(room);
    let stored = 0;
    const fill = async (): Promise<unknown> => {
      for (;;) {
        const result = await append(store, lease, [large()]);
        expect(result).toMatchObject({ ok: true });
        stored += 1;
        lease = { ...lease, head: stored };
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage-full' });
    expect(stored).toBeGreaterThan(10);
    expect(await store.read(room, { limit: 1_000 })).toHaveLength(stored);
    expect(await append(store, lease, [large()])).toEqual({ ok: false, head: stored });
    lease = await store.open(room);
    expect(lease.head).toBe(stored);
    await expect(append(store, lease, [large()])).rejects.toMatchObject({ code: 'storage-full' });

    expect(await store.trim(room, { maxRecords: 2 })).toBe(stored - 2);
    const again = async (): Promise<unknown> => append(store, await store.open(room), [large()]).catch(again);
    expect(await again()).toMatchObject({ ok: true, firstSeq: stored + 1 });
  });
});

test('numbers that are no integers stop before the database', async () => {
  await using folder = await dataFolder();
  const store = await folder.open();
  const lease = await store.open(room);
  await expect(append(store, lease, [record('a', { at: 1.5 })])).rejects.toMatchObject({ code: 'internal' });
  expect(await append(store, lease, [record('a')])).toMatchObject({ ok: true });
});

test('many rooms that are opened at once share their commits', async () => {
  await using folder = await dataFolder();
  const store = await folder.open();
  const names = Array.from({ length: 500 }, (_, n) => parseRoomName(`doc:${n}`));
  const leases = await Promise.all(names.map((name) => store.open(name)));
  expect(new Set(leases.map(({ fence }) => fence)).size).toBe(500);
  const appends = names.map((name, n) => ({
    room: name,
    fence: leases[n]?.fence ?? 0,
    expectedHead: 0,
    records: [record(name)],
  }));
  expect((await store.append({ appends })).every(({ ok }) => ok)).toBe(true);
  expect(await texts(store, names[250])).toEqual(['doc:250']);
});
