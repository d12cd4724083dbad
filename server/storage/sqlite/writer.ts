import { ACCESS_LEVELS, type Access } from '../../../shared/access.ts';
import { AshlarError, invariant } from '../../../shared/errors.ts';
import type { RoomName } from '../../../shared/room-name.ts';
import type { AppendResult, Commit, Erasure, RoomLease, Snapshot, StoreSpace } from '../store.ts';
import { prepareAppend } from './append.ts';
import { checkpoint, rewrite } from './connection.ts';
import { prepareEraseUser } from './erase-user.ts';
import { watchFiles } from './files-in-place.ts';
import { prepareLease } from './lease.ts';
import type { Db, Sqlite } from './load-sqlite.ts';
import { emptyRoom, writeRoomRows } from './room-row.ts';
import { grantChecksum, snapshotChecksum } from './row-checksums.ts';
import { createSpaceMeter, type Quota } from './space.ts';
import { damaged, storageError } from './storage-error.ts';

/** Records that leave the table in one transaction: about 2 ms, so that purging a long log delays no commit. */
const PURGE_STEP = 1_000;

/** No process draws it: what is left of a room that was erased is of no log that anybody knows. */
const ERASED_EPOCH = 'erased';

/** All that changes the database. Every call is a transaction of its own, on disk when it returns. */
export interface Writer {
  /** Opens several rooms in one commit. One entry per room, in order. */
  open(rooms: readonly RoomName[]): (RoomLease | AshlarError)[];
  /** @throws AshlarError `storage-full` | `storage-unavailable`; afterwards all leases are void */
  append(commit: Commit): AppendResult[];
  writeSnapshot(room: RoomName, snapshot: Snapshot): void;
  /** Moves the trim mark up to `seq`. @returns how many records went */
  trimTo(room: RoomName, seq: number): number;
  writeGrant(room: RoomName, userId: string, access: Access | null, at: number): void;
  /** Forgets at most `limit` keys. @returns how many */
  forgetKeys(before: number, limit: number): number;
  /**
   * Erases a user, then writes the file anew: while that goes on nothing else is written.
   * @throws AshlarError `storage-full` | `storage-unavailable`; its detail says so where the user was erased before it failed
   */
  eraseUser(userId: string): Erasure;
  probe(): void;
  /** How many transactions this database has seen, in all its life. */
  commits(): number;
  /** See `Store.positionKey`. */
  positionKey(): Uint8Array;
  /** Takes some cut records out of the table. @returns whether there are more */
  purge(): boolean;
  close(): void;
}

export interface WriterOptions {
  /** Once it is reached no room is added. Who writes into those that are there asks `Store.space`. */
  readonly quota?: Quota | undefined;
  /** Told how much is stored, as it changes. */
  readonly tellSpace?: (space: StoreSpace) => void;
}

export function createWriter(db: Db, epoch: string, { quota, tellSpace = () => {} }: WriterOptions = {}): Writer {
  const rooms = writeRoomRows(db);
  const applyCommit = prepareAppend(db, rooms, epoch);
  const leaseOf = prepareLease(db, epoch);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const nextFence = db.prepare('UPDATE counters SET fence = fence + 1 RETURNING fence').pluck();
  const countCommit = db.prepare('UPDATE counters SET commits = commits + 1 RETURNING commits').pluck();
  const snapshotSeq = db.prepare('SELECT seq FROM snapshots WHERE room = ?').pluck();
  const putSnapshot = db.prepare(
    'INSERT OR REPLACE INTO snapshots (room, seq, epoch, checksum, stateVector, state) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const epochOf = db.prepare('SELECT epoch FROM records WHERE room = ? AND seq = ?').pluck();
  const putGrant = db.prepare('INSERT OR REPLACE INTO grants (room, userId, access, at, checksum) VALUES (?, ?, ?, ?, ?)');
  const dropGrant = db.prepare('DELETE FROM grants WHERE room = ? AND userId = ?');
  const dropKeys = db.prepare(
    'DELETE FROM keys WHERE (userId, key) IN (SELECT userId, key FROM keys WHERE at < ? ORDER BY at LIMIT ?)',
  );
  const nextToPurge = db.prepare('SELECT id FROM rooms WHERE purgedTo < trimmedTo LIMIT 1').pluck();
  const dropRecords = db.prepare('DELETE FROM records WHERE room = ? AND seq <= ?');

  const eraseRows = prepareEraseUser(db);
  /** Heads of rooms that were erased with their name: whoever still has a position there must not meet its numbers again under one epoch. */
  const erasedHeads = new Map<RoomName, number>();

  const files = watchFiles(db);
  const space = createSpaceMeter(db, quota, tellSpace);
  const measure = (logBytes: number, stored?: number): void => {
    if (space.measure(logBytes, stored)) files.wrote();
  };
  measure(files.check());
  /** The newest lease that was given: a failure makes it and all before it void. At the start those of earlier processes are. */
  let lastFence = db.prepare('SELECT fence FROM counters').pluck().get() as number;
  let voidUpTo = lastFence;
  let commits = db.prepare('SELECT commits FROM counters').pluck().get() as number;
  /**
   * A commit that failed is unknown: its pages may be in the page cache and not on disk, and a later sync can succeed without
   * them. Nothing is acknowledged until the WAL has been written through and emptied.
   */
  let fenced = false;

  const transaction = <T>(work: () => T): T => {
    let isOurs = false;
    try {
      // Before anything is written: behind a log that was cut it would be lost, and take with it what is there.
      files.check();
      isOurs = true;
      if (fenced) {
        checkpoint(db);
        files.wrote();
      }
      fenced = false;
      begin.run();
      const value = work();
      const count = countCommit.get() as number;
      // An older copy was put in the place of the files' content. What it lost must not have its numbers taken in the epoch that gave them.
      if (count <= commits) {
        throw new AshlarError('storage-unavailable', { detail: `${db.name} went back while in use: restart the server` });
      }
      const stored = space.stored();
      commit.run();
      commits = count;
      isOurs = false;
      measure(files.checkCommitted(), stored);
      return value;
    } catch (thrown) {
      const error = storageError(thrown);
      // Refusing a mistake or a damaged room is no failure of the disk.
      if (thrown !== error || error.code === 'storage-unavailable') {
        fenced = true;
        voidUpTo = lastFence;
      }
      if (db.inTransaction) rollback.run();
      // What failed may be there by half: what the disk failed on, and what did not fit into memory before it was rolled back.
      if (isOurs) files.wrote();
      throw error;
    }
  };

  const openOne = (name: RoomName): RoomLease => {
    const found = rooms.find(name);
    if (found === undefined && space.full) throw new AshlarError('storage-full', { detail: 'the quota is reached', room: name });
    const row = found ?? rooms.add(name);
    const erasedHead = found === undefined ? erasedHeads.get(name) : undefined;
    if (erasedHead !== undefined) {
      row.head = row.trimmedTo = row.purgedTo = erasedHead;
      row.headEpoch = row.trimmedEpoch = ERASED_EPOCH;
    }
    row.fence = nextFence.get() as number;
    rooms.save(row);
    return leaseOf(row);
  };

  /** Only what was committed was given: a fence that was rolled back comes again. */
  const openAll = (names: readonly RoomName[]): RoomLease[] => {
    const leases = transaction(() => names.map(openOne));
    for (const { fence } of leases) lastFence = Math.max(lastFence, fence);
    return leases;
  };

  const openAlone = (name: RoomName): RoomLease | AshlarError => {
    try {
      return openAll([name])[0] as RoomLease;
    } catch (thrown) {
      const error = storageError(thrown, name);
      // A full disk stops writing, not reading: a lease that no append fits, so that the first one opens the room again.
      if (error.code === 'storage-full') return readOnlyLease(name);
      return error;
    }
  };

  const readOnlyLease = (name: RoomName): RoomLease | AshlarError => {
    try {
      return { ...leaseOf(rooms.find(name) ?? emptyRoom(name)), fence: 0 };
    } catch (thrown) {
      return storageError(thrown, name);
    }
  };

  const purge = (): boolean => {
    if (!rooms.cut) return false;
    const id = nextToPurge.get() as number | undefined;
    rooms.cut = id !== undefined;
    if (id === undefined) return false;
    transaction(() => {
      const row = rooms.get(id);
      if (!row) return;
      row.purgedTo = Math.min(row.trimmedTo, row.purgedTo + PURGE_STEP);
      dropRecords.run(id, row.purgedTo);
      rooms.save(row);
    });
    return true;
  };

  return {
    open(names) {
      if (names.length > 1) {
        try {
          return openAll(names);
        } catch {
          // One of them is damaged, or the disk failed: each gets its own answer.
        }
      }
      return names.map(openAlone);
    },

    append(group) {
      try {
        return transaction(() => applyCommit(group, voidUpTo));
      } catch (thrown) {
        const error = storageError(thrown);
        if (error.code === 'storage-full' || error.code === 'storage-unavailable') throw error;
        throw new AshlarError('storage-unavailable', { detail: error.message, cause: error });
      }
    },

    writeSnapshot(name, snapshot) {
      transaction(() => {
        const row = rooms.find(name);
        if (!row || row.deleted || (row.bornAfter > 0 && snapshot.seq <= row.bornAfter)) return;
        invariant(snapshot.seq <= row.head, 'a snapshot is not ahead of its log', { name, seq: snapshot.seq, head: row.head });
        const known = snapshotSeq.get(row.id) as number | undefined;
        if (known !== undefined && known > snapshot.seq) return;
        const { seq, epoch: at, state, stateVector } = snapshot;
        putSnapshot.run(row.id, seq, at, snapshotChecksum(name, snapshot), stateVector, state);
      });
    },

    trimTo: (name, seq) =>
      transaction(() => {
        const row = rooms.find(name);
        const mark = Math.min(seq, row?.head ?? 0);
        if (!row || mark <= row.trimmedTo) return 0;
        const count = mark - row.trimmedTo;
        const markEpoch = epochOf.get(row.id, mark) as string | undefined;
        if (markEpoch === undefined) throw damaged(`record ${mark} is missing`, name);
        row.trimmedTo = mark;
        row.trimmedEpoch = markEpoch;
        rooms.save(row);
        return count;
      }),

    writeGrant(name, userId, access, at) {
      invariant(access === null || ACCESS_LEVELS.includes(access), 'a grant is a level of access', { access });
      transaction(() => {
        if (access === null) dropGrant.run(name, userId);
        else putGrant.run(name, userId, access, at, grantChecksum(name, userId, access));
      });
    },

    forgetKeys: (before, limit) => transaction(() => dropKeys.run(before, limit).changes),

    eraseUser(userId) {
      // Deleted bytes are overwritten where they lie: should the rewriting fail, little is left.
      const secureDelete = db.pragma('secure_delete', { simple: true });
      db.pragma('secure_delete = ON');
      let erased = false;
      try {
        // What was cut or deleted before, such as a document that the user wrote in, is still in the table until its turn comes.
        while (purge());
        const { erasure, ownRoom } = transaction(() => eraseRows(userId));
        erased = true;
        if (ownRoom !== null) erasedHeads.set(ownRoom.name, ownRoom.head);
        try {
          rewrite(db);
        } finally {
          files.wrote();
        }
        measure(files.check());
        return erasure;
      } catch (thrown) {
        const error = storageError(thrown);
        // What the disk failed is unknown. That somebody reads the log (a backup) leaves old bytes in it, and no doubt.
        if (thrown !== error && error.code === 'storage-unavailable') fenced = true;
        if (!erased) throw error;
        const detail = `the user is erased, but old bytes may be left in the files (${error.detail}): erase again`;
        throw new AshlarError(error.code, { detail, cause: error });
      } finally {
        db.pragma(`secure_delete = ${secureDelete}`);
      }
    },

    probe() {
      // Counting it is what is written.
      transaction(() => undefined);
    },

    commits: () => commits,

    positionKey: () => new Uint8Array(db.prepare('SELECT positionKey FROM counters').pluck().get() as Uint8Array),

    purge,

    close() {
      // What is under way is done. A checkpoint that fails leaves the WAL, from which the next start recovers.
      let last: Db | undefined;
      try {
        files.check();
        checkpoint(db);
      } catch (error) {
        last = openBeside(db);
        throw error;
      } finally {
        db.close();
        last?.close();
        files.close();
      }
    },
  };
}

/**
 * The last connection to close writes the write-ahead log through: one that was written over would take the sound database with it. A connection
 * that only reads writes nothing. undefined: the database cannot even be read.
 */
function openBeside(db: Db): Db | undefined {
  const beside = new (db.constructor as Sqlite)(db.name, { readonly: true });
  try {
    beside.prepare('SELECT count(*) FROM sqlite_schema').get();
    return beside;
  } catch {
    beside.close();
    return undefined;
  }
}
