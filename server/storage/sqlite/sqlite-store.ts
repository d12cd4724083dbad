import type { Worker } from 'node:worker_threads';
import { AshlarError, invariant } from '../../../shared/errors.ts';
import type { Clock } from '../../clock.ts';
import { workerEntry } from '../../worker-entry.ts';
import type { Commit, Quarantine, Store, StoreSpace } from '../store.ts';
import { backUpBeforeMigration } from './back-up-before-migration.ts';
import { dataFiles, lockDataFolder, makeDataFolder } from './data-folder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { packRecords, type ReaderCalls, unpackRecord, type WriterCalls } from './messages.ts';
import type { Quota } from './space.ts';
import { storageError } from './storage-error.ts';
import { tellFailures } from './tell-failures.ts';
import { undoRestore } from './undo-restore.ts';
import { openWitness } from './witness.ts';
import { type StoreLog, startWorker } from './worker-link.ts';

export interface SqliteStoreOptions {
  /** Folder of the database; made if it is missing. One store at a time has it. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log?: StoreLog;
  /** From there on `space` says `full`. */
  readonly quota?: Quota | undefined;
  /** Told how much is stored: at the start, and as it changes by a MiB, or by a hundredth of the quota. */
  readonly onSpace?: (space: StoreSpace) => void;
  /** For tests alone. */
  readonly testing?: {
    /** A second handle on a folder that another store has. */
    readonly shareLock?: boolean;
    /** The database cannot grow beyond this: a full disk. */
    readonly maxPages?: number;
    readonly onWorker?: (worker: Worker) => void;
  };
}

/** So many grants are looked through at the start, to know the users that have none: they are not asked for in the database. */
const MOST_GRANTS_KNOWN = 100_000;
/** Keys forgotten in one transaction, so that commits get their turn between two. */
const FORGET_STEP = 1_000;

/**
 * Opens the Store in a folder: one thread writes, one reads. Resolves when everything that can be read is on disk.
 * @throws AshlarError `storage-locked` where another store has the folder; `storage-damaged` where the file is not a sound database
 *   (it is left as it is); `storage-unavailable` where it belongs to a newer version, the driver is missing or the disk fails;
 *   `storage-full`
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, clock, testing = {} } = options;
  const Sqlite = await loadSqlite();
  await makeDataFolder(dataDir);
  const unlock = testing.shareLock ? () => undefined : lockDataFolder(Sqlite, dataDir);
  if (!testing.shareLock) {
    await prepareFiles(options).catch((error) => {
      unlock();
      throw storageError(error);
    });
  }
  const epoch = Buffer.from(clock.randomBytes(16)).toString('base64url');
  let space: StoreSpace = { bytes: 0, quota: options.quota?.bytes ?? null, full: false };
  const start = <Calls>(name: string, entry: string) =>
    startWorker<Calls>({
      name,
      entry: workerEntry(import.meta.url, entry),
      settings: { path: dataFiles(dataDir).database, epoch, quota: options.quota, maxPages: testing.maxPages },
      clock,
      log: options.log,
      onSpace: (measured) => {
        space = measured;
        options.onSpace?.(measured);
      },
      onWorker: testing.onWorker,
    });

  // The writer first: it makes the file, and proves what is in it to be on disk before anything is read.
  const writer = await start<WriterCalls>('writer', './writer-worker.ts').catch((error) => {
    unlock();
    throw error;
  });
  const reader = await start<ReaderCalls>('reader', './reader-worker.ts').catch(async (error) => {
    await writer.close();
    unlock();
    throw error;
  });

  const giveUp = async (error: unknown): Promise<never> => {
    await Promise.all([reader.close(), writer.close()]);
    unlock();
    throw error;
  };
  const positionKey = await writer.ask('positionKey', []).catch(giveUp);
  /** What only a store that has the folder to itself can know. */
  const learn = async () => ({
    witness: await openWitness({
      path: dataFiles(dataDir).witness,
      clock,
      log: options.log,
      commits: () => writer.ask('commits', []),
    }),
    /** Null: unknown. */
    grantedUsers: await reader.ask('grantedUsers', [MOST_GRANTS_KNOWN]),
  });
  const { witness, grantedUsers } = testing.shareLock ? { witness: undefined, grantedUsers: null } : await learn().catch(giveUp);
  const failures = tellFailures(options.log);
  /** Asks for a change: it is witnessed soon, whatever came of it. */
  const change: typeof writer.ask = (call, args, transfer) => {
    witness?.soon();
    const answer = writer.ask(call, args, transfer);
    answer.then(
      () => failures.succeeded(call),
      (error: AshlarError) => failures.failed(call, error),
    );
    return answer;
  };

  let closing: Promise<void> | undefined;
  const whileOpen = <T>(work: () => Promise<T>): Promise<T> =>
    closing ? Promise.reject(new AshlarError('storage-unavailable', { detail: 'the store is closed' })) : work();

  return {
    epoch,
    positionKey,
    wentBack: witness?.wentBack,
    get space() {
      return space;
    },
    open: (room) => whileOpen(() => change('open', [room])),
    append: (commit) =>
      whileOpen(async () => {
        checkCommit(commit);
        const { commit: packed, buffer } = packCommit(commit);
        return change('append', [packed], [buffer]);
      }),
    read: (room, range) =>
      whileOpen(async () => {
        const records = await reader.ask('read', [room, range]);
        return records.map(unpackRecord);
      }),
    epochAt: (room, seq) => whileOpen(() => reader.ask('epochAt', [room, seq])),
    findById: (room, userId, id) => whileOpen(() => reader.ask('findById', [room, userId, id])),
    findSession: (room, session) => whileOpen(() => reader.ask('findSession', [room, session])),
    readSnapshot: (room) => whileOpen(() => reader.ask('readSnapshot', [room])),
    readQuarantined: (room) =>
      whileOpen(async () =>
        (await reader.ask('readQuarantined', [room])).map((record) => ({ ...record, payload: record.payload.slice() })),
      ),
    writeSnapshot: (room, snapshot) =>
      whileOpen(() => {
        const [state, stateVector] = [new Uint8Array(snapshot.state), new Uint8Array(snapshot.stateVector)];
        return change('writeSnapshot', [room, { ...snapshot, state, stateVector }], [state.buffer, stateVector.buffer]);
      }),
    trim: (room, trimOptions) =>
      whileOpen(async () => {
        const point = await reader.ask('trimPoint', [room, trimOptions]);
        return point > 0 ? change('trimTo', [room, point]) : 0;
      }),
    listRooms: (prefix, after, limit) => whileOpen(() => reader.ask('listRooms', [prefix, after, limit])),
    surveyRooms: (after, limit) => whileOpen(() => reader.ask('surveyRooms', [after, limit])),
    readGrant: (room, userId) =>
      whileOpen(async () => {
        if (grantedUsers !== null && !grantedUsers.has(userId)) return null;
        return reader.ask('readGrant', [room, userId]);
      }),
    writeGrant: (room, userId, access, at) =>
      whileOpen(() => {
        grantedUsers?.add(userId);
        return change('writeGrant', [room, userId, access, at]);
      }),
    findKey: (userId, key) => whileOpen(() => reader.ask('findKey', [userId, key])),
    forgetKeys: (before) =>
      whileOpen(async () => {
        let forgotten = 0;
        for (;;) {
          const some = await change('forgetKeys', [before, FORGET_STEP]);
          forgotten += some;
          if (some < FORGET_STEP) return forgotten;
        }
      }),
    eraseUser: (userId) => whileOpen(() => change('eraseUser', [userId])),
    probe: () =>
      whileOpen(async () => {
        await change('probe', []);
        if (space.full) throw new AshlarError('storage-full', { detail: `${space.bytes} bytes of ${space.quota} are stored` });
      }),
    close() {
      // The reader first: the last connection to close empties the WAL, and only the writer can.
      closing ??= reader
        .close()
        .then(async () => {
          const commits = writer.ask('commits', []);
          await Promise.allSettled([commits, writer.close()]);
          await witness?.close(commits);
        })
        .finally(unlock);
      return closing;
    },
  };
}

/** What must be done before anything is opened. */
async function prepareFiles({ dataDir, log }: SqliteStoreOptions): Promise<void> {
  if (await undoRestore(dataDir)) log?.warn({ dataDir }, 'storage:restore-undone');
  await backUpBeforeMigration(dataDir, log);
}

/** One wrong number would fail the whole group in the database: it is ours, and stops here. */
function checkCommit(commit: Commit): void {
  const whole = (value: number, name: string) =>
    invariant(Number.isSafeInteger(value), 'a stored number is an integer', { name, value });
  for (const append of commit.appends) {
    for (const { at, version, counter } of append.records) {
      whole(at, 'at');
      whole(version, 'version');
      whole(counter, 'counter');
    }
    for (const { clientId, clock } of append.clocks ?? []) {
      whole(clientId, 'clientId');
      whole(clock, 'clock');
    }
    for (const { clientId, counter } of append.sessions ?? []) {
      whole(clientId, 'clientId');
      whole(counter, 'counter');
    }
    for (const { rev, at } of append.states ?? []) {
      whole(rev, 'rev');
      whole(at, 'at');
    }
  }
  for (const { at } of commit.keys ?? []) whole(at, 'at');
}

/** Copies of their own: posting a view of a pooled Buffer would clone the whole pool. */
function ownSnapshot(quarantine: Quarantine): Quarantine {
  const { snapshot } = quarantine;
  const [state, stateVector] = [new Uint8Array(snapshot.state), new Uint8Array(snapshot.stateVector)];
  return { ...quarantine, snapshot: { ...snapshot, state, stateVector } };
}

function packCommit(commit: Commit): { commit: Commit; buffer: ArrayBuffer } {
  const { buffer, records } = packRecords(commit.appends.flatMap((append) => append.records));
  let next = 0;
  const appends = commit.appends.map((append) => {
    const start = next;
    next += append.records.length;
    const { quarantine } = append;
    return { ...append, records: records.slice(start, next), ...(quarantine && { quarantine: ownSnapshot(quarantine) }) };
  });
  return { commit: { ...commit, appends }, buffer };
}
