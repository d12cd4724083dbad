import type { JoinOptions } from '../../shared/messages.ts';
import type { NotRecovered, Position } from '../../shared/position.ts';
import { judgePosition } from './judge-position.ts';
import type { Room } from './room.ts';

/** The position in a join's options; null where it is absent or half. */
export function positionOf(options: JoinOptions): Position | null {
  return options.epoch === undefined || options.seq === undefined ? null : { epoch: options.epoch, seq: options.seq };
}

/** Judges a client's position against the room's log as it is now. */
export async function recover(
  room: Room,
  position: Position | null,
  overflowRecords: number,
): Promise<'recovered' | NotRecovered> {
  const epochAtSeq = position === null ? null : await epochAt(room, position.seq);
  return judgePosition(position, { head: room.head, trimmedTo: room.trimmedTo, epochAtSeq, overflowRecords });
}

/** The epoch of the record at a place of the log; null where there is none, or none is known any more. */
export async function epochAt(room: Room, seq: number): Promise<string | null> {
  if (seq <= 0 || seq > room.head.seq) return null;
  if (seq === room.head.seq) return room.head.epoch;
  return room.recent.at(seq)?.epoch ?? room.store.epochAt(room.name, seq);
}
