import { copyFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { backUp } from '../../storage/sqlite/backup.ts';
import { openForReading, openForWriting } from '../../storage/sqlite/connection.ts';
import { dataFiles } from '../../storage/sqlite/data-folder.ts';
import { loadSqlite } from '../../storage/sqlite/load-sqlite.ts';
import { openForCheck } from '../../storage/sqlite/open-for-check.ts';
import { restore } from '../../storage/sqlite/restore.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../storage/sqlite/sqlite-store.ts';
import { isSound } from '../../storage/sqlite/verify.ts';
import type { Store } from '../../storage/store.ts';
import { type Check, must, mustRefuse, wait } from './checks.ts';
import { appendRecords, copyInUse, ROOM, requireWhole, textAt } from './stored-log.ts';

/** Opens a store for as long as the work takes. */
async function withStore<T>(
  dataDir: string,
  clock: Clock,
  work: (store: Store) => Promise<T>,
  more: Partial<SqliteStoreOptions> = {},
): Promise<T> {
  const store = await openSqliteStore({ dataDir, clock, ...more });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What a log that went back must show: an alarm, and positions of what it lost that are not valid, also once others stand there. */
async function requireWentBack(dataDir: string, clock: Clock, lostHead: number, lostEpoch: string): Promise<number> {
  return withStore(dataDir, clock, async (store) => {
    must(store.wentBack !== undefined, 'the witness raised no alarm');
    const head = await requireWhole(store, 0);
    must(head < lostHead, 'nothing was lost: the fault was not made');
    await appendRecords(store, clock, lostHead - head + 10);
    const epoch = await store.epochAt(ROOM, lostHead);
    must(epoch !== lostEpoch, `the position at ${lostHead} is taken for valid, though its record was lost`);
    return head;
  });
}

export const STORE_CHECKS: readonly Check[] = [
  {
    name: 'the disk is asked for every commit, on the second start too',
    async run({ folder }) {
      const Sqlite = await loadSqlite();
      const { database } = dataFiles(folder);
      const read: unknown[] = [];
      for (let start = 0; start < 2; start++) {
        const writing = openForWriting(Sqlite, database);
        const reading = openForReading(Sqlite, database);
        for (const db of [writing, reading]) read.push(db.pragma('synchronous', { simple: true }));
        reading.close();
        writing.close();
      }
      must(
        read.every((value) => value === 2),
        `synchronous was read back as ${read.join(', ')}; 2 (FULL) is needed`,
      );
      return 'synchronous=FULL on 4 of 4 connections';
    },
  },
  {
    name: 'a write-ahead log that was cut',
    async run({ folder, clock }) {
      const copy = join(folder, 'copy');
      const [head, epoch] = await withStore(folder, clock, async (store) => {
        const written = await appendRecords(store, clock, 400);
        await copyInUse(folder, copy, clock);
        return [written, store.epoch];
      });
      const wal = `${dataFiles(copy).database}-wal`;
      await truncate(wal, Math.floor((await stat(wal)).size / 2));
      const left = await requireWentBack(copy, clock, head, epoch);
      return `alarm; ${left} of ${head} records left, whole; positions of the others not valid`;
    },
  },
  {
    name: 'an old copy put back with cp',
    async run({ folder, clock }) {
      const { database } = dataFiles(folder);
      await withStore(folder, clock, (store) => appendRecords(store, clock, 50));
      await copyFile(database, `${database}.old`);
      const [head, epoch] = await withStore(folder, clock, async (store) => [await appendRecords(store, clock, 50), store.epoch]);
      await copyFile(`${database}.old`, database);
      const left = await requireWentBack(folder, clock, head, epoch);
      return `alarm; ${left} of ${head} records left; positions of the others not valid, also past the old head`;
    },
  },
  {
    name: 'one flipped bit in a record',
    async run({ folder, clock }) {
      const { database } = dataFiles(folder);
      await withStore(folder, clock, (store) => appendRecords(store, clock, 100));
      const bytes = await readFile(database);
      // Pages that were split may hold a second copy, which counts no more.
      const text = textAt(60);
      must(bytes.includes(text), 'the record was not found in the file');
      for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) bytes[at + 15] = (bytes[at + 15] ?? 0) ^ 1;
      await writeFile(database, bytes);
      await withStore(folder, clock, async (store) => {
        await mustRefuse('storage-damaged', store.read(ROOM, { limit: 1_000 }), 'reading the damaged record');
        must((await store.read(ROOM, { limit: 59 })).length === 59, 'the records before it are not read');
      });
      using checked = await openForCheck(folder);
      must(!isSound(checked.verification), 'ashlar check finds nothing');
      return 'not handed out; found by ashlar check';
    },
  },
  {
    name: 'the database removed under the running store',
    async run({ folder, clock }) {
      await withStore(folder, clock, async (store) => {
        await appendRecords(store, clock, 10);
        await rm(dataFiles(folder).database);
        await mustRefuse('storage-unavailable', appendRecords(store, clock, 10), 'writing into a file without a name');
      });
      return 'nothing more was acknowledged';
    },
  },
  {
    name: 'a second server on the same data',
    async run({ folder, clock }) {
      await withStore(folder, clock, async (store) => {
        await mustRefuse('storage-locked', openSqliteStore({ dataDir: folder, clock }), 'opening the folder again');
        await appendRecords(store, clock, 10);
      });
      return 'refused; the first goes on';
    },
  },
  {
    name: 'a database that cannot grow',
    async run({ folder, clock }) {
      const cut = async (store: Store) => void (await store.trim(ROOM, { maxRecords: 100 }));
      return withStore(folder, clock, (store) => fillAndHeal(store, clock, () => cut(store)), { testing: { maxPages: 200 } });
    },
  },
  {
    name: 'backup while writing, and restore',
    async run({ folder, clock }) {
      const file = join(folder, 'backup.db');
      const atStart = await withStore(folder, clock, async (store) => {
        const before = await appendRecords(store, clock, 200);
        const writing = appendRecords(store, clock, 500);
        const { sound } = await backUp({ dataDir: folder, file, overwrite: false, processId: process.pid });
        must(sound, 'the backup is not sound');
        await writing;
        return before;
      });
      const dataDir = join(folder, 'restored');
      const { restored } = await restore({ file, dataDir, evenDamaged: false, now: clock.now() });
      must(restored, 'the backup was not restored');
      const head = await withStore(dataDir, clock, (store) => requireWhole(store, atStart));
      return `${head} records, all that were acknowledged before it began (${atStart}) among them`;
    },
  },
  {
    name: 'a user who is erased',
    async run({ folder, clock }) {
      const userId = `verify-${Buffer.from(clock.randomBytes(8)).toString('hex')}`;
      await withStore(folder, clock, async (store) => {
        await appendRecords(store, clock, 100, userId);
        await store.eraseUser(userId);
      });
      for (const name of await readdir(folder)) {
        const bytes = await readFile(join(folder, name));
        must(!bytes.includes(userId) && !bytes.includes(textAt(7)), `${name} still holds the user's id or texts`);
      }
      using checked = await openForCheck(folder);
      must(isSound(checked.verification), 'the database is not sound afterwards');
      return 'neither id nor texts in any byte of the folder';
    },
  },
];

/** Fills a store, and goes on once there is room again. @returns what was seen */
export async function fillAndHeal(store: Store, clock: Clock, makeRoom: () => Promise<void>): Promise<string> {
  let acked = 0;
  const fill = async (): Promise<never> => {
    for (;;) acked = await appendRecords(store, clock, 50);
  };
  await mustRefuse('storage-full', fill(), 'writing on');
  const head = await requireWhole(store, acked);
  await mustRefuse('storage-full', appendRecords(store, clock, 50), 'writing again');
  await makeRoom();
  // What was cut leaves the table in steps, while nobody waits.
  for (let attempt = 0; ; attempt++) {
    const taken = await appendRecords(store, clock, 50).then(
      () => true,
      () => false,
    );
    if (taken) break;
    must(attempt < 100, 'writing did not go on once there was room');
    await wait(clock, 50);
  }
  await requireWhole(store, head + 50);
  return `storage-full after ${head} records; all read back; went on once there was room`;
}
