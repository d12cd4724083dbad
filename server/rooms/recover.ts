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
  let epochAtSeq: string | null = null;
  if (position !== null && position.seq > 0 && position.seq <= room.head.seq) {
    if (position.seq === room.head.seq) epochAtSeq = room.head.epoch;
    else epochAtSeq = room.recent.at(position.seq)?.epoch ?? (await room.store.epochAt(room.name, position.seq));
  }
  return judgePosition(position, { head: room.head, trimmedTo: room.trimmedTo, epochAtSeq, overflowRecords });
}
