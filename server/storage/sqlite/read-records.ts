import type { LogRecord, ReadRange } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import type { RoomRow } from './room-row.ts';
import { recordChecksum } from './row-checksums.ts';
import { damaged } from './storage-error.ts';

interface ReadRecords {
  range(row: RoomRow, range: ReadRange): LogRecord[];
  /** The record at a `seq` between the trim mark and the head. */
  at(row: RoomRow, seq: number): LogRecord;
  /** The first of this writer and id. */
  byId(row: RoomRow, userId: string, id: string): LogRecord | null;
}

export type RecordRow = LogRecord & { checksum: number };

export const RECORD_COLUMNS = 'seq, at, userId, kind, epoch, version, id, session, counter, checksum, payload';

/** Reading the log. Every record is checked before it is handed out. @throws AshlarError `storage-damaged` */
export function prepareReadRecords(db: Db): ReadRecords {
  const select = (kind: string, order: string) =>
    db.prepare(
      `SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND seq BETWEEN ? AND ? ${kind} ORDER BY seq ${order} LIMIT ?`,
    );
  const statements = {
    oldest: { any: select('', 'ASC'), ofKind: select('AND kind = ?', 'ASC') },
    newest: { any: select('', 'DESC'), ofKind: select('AND kind = ?', 'DESC') },
  };
  const single = db.prepare(`SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND seq = ?`);
  const byWriter = db.prepare(
    `SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND userId = ? AND id = ? AND seq > ? ORDER BY seq LIMIT 1`,
  );

  return {
    range(row, range) {
      const { after = 0, before = Number.MAX_SAFE_INTEGER, maxBytes = Number.POSITIVE_INFINITY, from = 'oldest', kind } = range;
      const first = Math.max(after, row.trimmedTo) + 1;
      const last = Math.min(before - 1, row.head);
      const limit = Math.min(range.limit, last - first + 1);
      if (!(limit > 0)) return [];

      const found: LogRecord[] = [];
      const rows = (
        kind === undefined
          ? statements[from].any.iterate(row.id, first, last, limit)
          : statements[from].ofKind.iterate(row.id, first, last, kind, limit)
      ) as IterableIterator<RecordRow>;
      let bytes = 0;
      let stopped = false;
      for (const each of rows) {
        const expected = from === 'oldest' ? first + found.length : last - found.length;
        if (kind === undefined && each.seq !== expected) throw missing(row, expected);
        found.push(checked(row, each));
        bytes += each.payload.length;
        stopped = bytes >= maxBytes;
        if (stopped) break;
      }
      // A log has no gap: where a page was lost, its records must not be missing in silence.
      if (kind === undefined && !stopped && found.length < limit) {
        throw missing(row, from === 'oldest' ? first + found.length : last - found.length);
      }
      return from === 'newest' ? found.reverse() : found;
    },

    at(row, seq) {
      const found = single.get(row.id, seq) as RecordRow | undefined;
      if (!found) throw missing(row, seq);
      return checked(row, found);
    },

    byId(row, userId, id) {
      const found = byWriter.get(row.id, userId, id, row.trimmedTo) as RecordRow | undefined;
      return found ? checked(row, found) : null;
    },
  };
}

function checked(row: RoomRow, found: RecordRow): LogRecord {
  const { checksum, ...record } = found;
  if (checksum !== recordChecksum(row.name, record)) throw damaged(`record ${found.seq} does not fit its checksum`, row.name);
  return record;
}

function missing(row: RoomRow, seq: number) {
  return damaged(`record ${seq} is missing`, row.name);
}
