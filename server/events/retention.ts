import type { Clock } from '../clock.ts';
import type { Room } from '../rooms/room.ts';

// Cutting costs a write: not with each record.
const EVERY_RECORDS = 200;

export interface RetentionOptions {
  readonly clock: Clock;
  readonly maxRecords: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly log: { warn(fields: object, message: string): void };
}

/** Cuts the logs of events by number and age, now and then, as they grow. */
export function createRetention(options: RetentionOptions): (room: Room) => void {
  const { clock, maxRecords, maxAgeMs, log } = options;
  const lastCut = new WeakMap<Room, number>();
  return (room) => {
    if (maxRecords === undefined && maxAgeMs === undefined) return;
    const since = lastCut.get(room) ?? room.trimmedTo;
    if (room.head.seq - since < EVERY_RECORDS) return;
    lastCut.set(room, room.head.seq);
    room.store
      .trim(room.name, {
        ...(maxRecords === undefined ? {} : { maxRecords }),
        ...(maxAgeMs === undefined ? {} : { before: clock.now() - maxAgeMs }),
      })
      .then(async (cut) => {
        if (cut === 0) return;
        const [first] = await room.store.read(room.name, { limit: 1 });
        room.trimmedTo = first === undefined ? room.head.seq : first.seq - 1;
      })
      .catch((error: unknown) => log.warn({ room: room.name, err: error }, 'retention:failed'));
  };
}
