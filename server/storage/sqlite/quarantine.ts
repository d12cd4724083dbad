import { invariant } from '../../../shared/errors.ts';
import type { ClientClock, LogRecord, Quarantine } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import { RECORD_COLUMNS } from './read-records.ts';
import type { RoomRow } from './room-row.ts';
import { quarantinedChecksum, recordChecksum, snapshotChecksum } from './row-checksums.ts';
import { damaged } from './storage-error.ts';

export const QUARANTINED_COLUMNS =
  'seq, at, userId, kind, epoch, version, id, session, counter, reason, quarantinedAt, checksum, payload';

/** Takes records out of a room's log, inside a transaction that the caller began; the caller saves the row. @throws AshlarError `storage-damaged` */
export function prepareQuarantine(
  db: Db,
  keepClock: (row: RoomRow, clock: ClientClock) => void,
): (row: RoomRow, quarantine: Quarantine) => void {
  const find = db.prepare(`SELECT ${RECORD_COLUMNS} FROM records WHERE room = ? AND seq = ?`);
  const put = db.prepare(
    `INSERT OR REPLACE INTO quarantined (room, ${QUARANTINED_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const putSnapshot = db.prepare(
    'INSERT OR REPLACE INTO snapshots (room, seq, epoch, checksum, stateVector, state) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const dropClocks = db.prepare('DELETE FROM clocks WHERE room = ?');

  const setAside = (row: RoomRow, seq: number, reason: string, quarantinedAt: number): void => {
    const found = find.get(row.id, seq) as (LogRecord & { checksum: number }) | undefined;
    if (found === undefined || found.checksum !== recordChecksum(row.name, found))
      throw damaged(`record ${seq} cannot be set aside`, row.name);
    const { at, userId, kind, epoch, version, id, session, counter, payload } = found;
    const checksum = quarantinedChecksum(row.name, { ...found, reason, quarantinedAt });
    put.run(row.id, seq, at, userId, kind, epoch, version, id, session, counter, reason, quarantinedAt, checksum, payload);
  };

  return (row, { seqs, reason, at, snapshot, clocks, incarnation }) => {
    invariant(snapshot.seq === row.head, 'what is left stands at the head', { seq: snapshot.seq, head: row.head });
    for (const seq of seqs) setAside(row, seq, reason, at);
    const { seq, epoch, state, stateVector } = snapshot;
    putSnapshot.run(row.id, seq, epoch, snapshotChecksum(row.name, snapshot), stateVector, state);
    dropClocks.run(row.id);
    for (const clock of clocks) keepClock(row, clock);
    row.trimmedTo = row.head;
    row.trimmedEpoch = epoch;
    row.headEpoch = epoch;
    // A snapshot that was begun before this holds what was set aside.
    row.bornAfter = row.head;
    row.incarnation = incarnation;
  };
}
