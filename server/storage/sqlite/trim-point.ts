import type { TrimOptions } from '../store.ts';
import type { Db } from './load-sqlite.ts';
import type { RoomRow } from './room-row.ts';

/**
 * Up to which `seq` the options cut: the furthest of `maxRecords`, `before` and `keepBytes`, never beyond `upTo`. Reads no payload,
 * and runs beside the writer: a tail of 16 MiB can be some 100,000 rows.
 */
export function prepareTrimPoint(db: Db): (row: RoomRow, options: TrimOptions) => number {
  const firstSince = db.prepare('SELECT seq FROM records WHERE room = ? AND seq > ? AND at >= ? ORDER BY seq LIMIT 1').pluck();
  const sizes = db.prepare('SELECT seq, length(payload) AS bytes FROM records WHERE room = ? AND seq > ? ORDER BY seq DESC');

  const byBytes = (row: RoomRow, keepBytes: number): number => {
    let bytes = 0;
    for (const record of sizes.iterate(row.id, row.trimmedTo) as IterableIterator<{ seq: number; bytes: number }>) {
      if (bytes > keepBytes) return record.seq;
      bytes += record.bytes;
    }
    return 0;
  };

  return (row, { maxRecords, before, upTo = row.head, keepBytes }) => {
    const points = [0];
    if (maxRecords !== undefined) points.push(row.head - maxRecords);
    if (before !== undefined) {
      const kept = firstSince.get(row.id, row.trimmedTo, before) as number | undefined;
      points.push(kept === undefined ? row.head : kept - 1);
    }
    if (keepBytes !== undefined) points.push(byBytes(row, keepBytes));
    return Math.min(Math.max(...points), upTo);
  };
}
