import type { NotRecovered, Position } from '../../shared/position.ts';

/** What is known of a room's log where a client's position is judged. */
export interface LogReach {
  readonly head: Position;
  /** Records up to and with this `seq` were cut. */
  readonly trimmedTo: number;
  /** The epoch of the record at the position's `seq` (the trim mark's for the last one cut); null: no such record. */
  readonly epochAtSeq: string | null;
  /** A client that missed more records than this gets the state instead. */
  readonly overflowRecords: number;
}

/**
 * Whether a client may go on from its position: only if the record at `seq` carries its epoch, so that a log which went back is
 * never taken for the same log.
 * @returns `recovered`, or why not
 */
export function judgePosition(position: Position | null, log: LogReach): 'recovered' | NotRecovered {
  if (position === null) return 'new';
  if (position.seq > log.head.seq) return 'epoch';
  if (position.seq < log.trimmedTo) return 'expired';
  // Before the first record nothing can have gone back.
  if (position.seq > 0 && log.epochAtSeq !== position.epoch) return 'epoch';
  if (log.head.seq - position.seq > log.overflowRecords) return 'overflow';
  return 'recovered';
}
