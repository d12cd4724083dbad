import { checksumOf } from './checksum.ts';
import type { Db } from './load-sqlite.ts';
import { damaged } from './storage-error.ts';

/** Tables that hold rows of a room, besides its records and grants. */
export const ROOM_TABLES = ['clocks', 'sessions', 'states', 'snapshots', 'quarantined'] as const;

/** A room as it is stored. Flags are 0 or 1. */
export interface RoomRow {
  readonly id: number;
  readonly name: string;
  head: number;
  /** Epoch of the record at `head`; null: there never was one. */
  headEpoch: string | null;
  trimmedTo: number;
  trimmedEpoch: string | null;
  /** Records up to here are gone from the table as well; those between here and `trimmedTo` go in small steps. */
  purgedTo: number;
  fence: number;
  incarnation: string;
  /** `head` at the last deletion: a snapshot from before it is of another life. */
  bornAfter: number;
  deleted: number;
  written: number;
}

/** A room that nobody wrote, as if it were stored. */
export function emptyRoom(name: string): RoomRow {
  return {
    id: 0,
    name,
    head: 0,
    headEpoch: null,
    trimmedTo: 0,
    trimmedEpoch: null,
    purgedTo: 0,
    fence: 0,
    incarnation: FIRST_INCARNATION,
    bornAfter: 0,
    deleted: 0,
    written: 0,
  };
}

/** The incarnation of a room that nobody created: the same everywhere, so that clients can bring back what a lost disk held. */
const FIRST_INCARNATION = '0';

interface RoomRows {
  /** @throws AshlarError `storage-damaged` */
  find(name: string): RoomRow | undefined;
  /** @throws AshlarError `storage-damaged` */
  get(id: number): RoomRow | undefined;
}

export interface WritableRoomRows extends RoomRows {
  /** Whether there may be cut records in the table. True at first, and again with each row that says so. */
  cut: boolean;
  /** A new entry; its checksum comes with `save`. */
  add(name: string): RoomRow;
  save(row: RoomRow): void;
}

const COLUMNS = 'id, name, head, headEpoch, trimmedTo, trimmedEpoch, purgedTo, fence, incarnation, bornAfter, deleted, written';

export function readRoomRows(db: Db): RoomRows {
  const byName = db.prepare(`SELECT ${COLUMNS}, checksum FROM rooms WHERE name = ?`);
  const byId = db.prepare(`SELECT ${COLUMNS}, checksum FROM rooms WHERE id = ?`);
  return {
    find: (name) => checked(byName.get(name)),
    get: (id) => checked(byId.get(id)),
  };
}

export function writeRoomRows(db: Db): WritableRoomRows {
  const insert = db.prepare(
    `INSERT INTO rooms (name, head, trimmedTo, purgedTo, fence, incarnation, bornAfter, deleted, written, checksum)
     VALUES (?, 0, 0, 0, 0, ?, 0, 0, 0, 0)`,
  );
  const update = db.prepare(
    `UPDATE rooms SET head = ?, headEpoch = ?, trimmedTo = ?, trimmedEpoch = ?, purgedTo = ?, fence = ?, incarnation = ?,
       bornAfter = ?, deleted = ?, written = ?, checksum = ? WHERE id = ?`,
  );
  const rows: WritableRoomRows = {
    ...readRoomRows(db),
    cut: true,
    add(name) {
      const { lastInsertRowid } = insert.run(name, FIRST_INCARNATION);
      return { ...emptyRoom(name), id: Number(lastInsertRowid) };
    },
    save(row) {
      update.run(
        row.head,
        row.headEpoch,
        row.trimmedTo,
        row.trimmedEpoch,
        row.purgedTo,
        row.fence,
        row.incarnation,
        row.bornAfter,
        row.deleted,
        row.written,
        checksumOf(fieldsOf(row)),
        row.id,
      );
      if (row.purgedTo < row.trimmedTo) rows.cut = true;
    },
  };
  return rows;
}

function checked(found: unknown): RoomRow | undefined {
  if (found === undefined) return undefined;
  const { checksum, ...row } = found as RoomRow & { checksum: number };
  if (checksum !== checksumOf(fieldsOf(row))) throw damaged('the entry of this room does not fit its checksum', row.name);
  return row;
}

function fieldsOf(row: RoomRow) {
  return [
    row.id,
    row.name,
    row.head,
    row.headEpoch,
    row.trimmedTo,
    row.trimmedEpoch,
    row.purgedTo,
    row.fence,
    row.incarnation,
    row.bornAfter,
    row.deleted,
    row.written,
  ];
}
