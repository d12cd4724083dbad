import type { RoomName } from '../../../shared/room-name.ts';
import type { ClientClock, RoomLease, StateValue } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import type { RoomRow } from './room-row.ts';
import { clockChecksum, stateChecksum } from './row-checksums.ts';
import { damaged } from './storage-error.ts';

/** What a writer must know of a room, from its row. @throws AshlarError `storage-damaged` */
export function prepareLease(db: Db, epoch: string): (row: RoomRow) => RoomLease {
  const newestRecord = db.prepare('SELECT seq FROM records WHERE room = ? ORDER BY seq DESC LIMIT 1').pluck();
  const clocksOf = db.prepare('SELECT clientId, userId, clock, checksum FROM clocks WHERE room = ? ORDER BY clientId');
  const statesOf = db.prepare('SELECT event, key, value, rev, at, checksum FROM states WHERE room = ? ORDER BY event, key');
  const snapshotOf = db.prepare('SELECT seq FROM snapshots WHERE room = ?').pluck();

  return (row) => {
    const room = row.name as RoomName;
    const newest = (newestRecord.get(row.id) as number | undefined) ?? 0;
    if (newest > row.head || (row.head > row.trimmedTo && newest !== row.head)) {
      throw damaged(`the log ends at ${newest} and should at ${row.head}`, room);
    }
    return {
      head: row.head,
      headEpoch: row.headEpoch ?? epoch,
      trimmedTo: row.trimmedTo,
      trimmedEpoch: row.trimmedEpoch,
      fence: row.fence,
      clocks: sealed<ClientClock>(clocksOf.all(row.id), (clock) => clockChecksum(room, clock), room),
      states: sealed<StateValue>(statesOf.all(row.id), (state) => stateChecksum(room, state), room),
      incarnation: row.incarnation,
      deleted: row.deleted === 1,
      snapshotSeq: (snapshotOf.get(row.id) as number | undefined) ?? 0,
    };
  };
}

/** The rows without their checksums. @throws AshlarError `storage-damaged` where one does not fit */
function sealed<T>(rows: readonly unknown[], checksumOfRow: (row: T) => number, room: string): T[] {
  return (rows as (T & { checksum: number })[]).map(({ checksum, ...row }) => {
    if (checksum !== checksumOfRow(row as T)) throw damaged('a clock or state of this room does not fit its checksum', room);
    return row as T;
  });
}
