/** A place in a room's log: valid only if the record at `seq` carries `epoch`. `seq` 0 is the place before the first record. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Why a join could not continue from the client's position. */
export type NotRecovered = 'new' | 'expired' | 'epoch' | 'overflow';

/** What comes last in every domain event from the server. */
export interface EventMeta {
  readonly room: string;
  /** When the server took the event, Unix ms. */
  readonly at: number;
  /** Place in the room's log (log events). */
  readonly seq?: number;
  /** Log events: the record's epoch. State events: the epoch within which `rev` counts. */
  readonly epoch?: string;
  /** State events: grows with each value of the room; an older one is dropped. */
  readonly rev?: number;
  /** The position to keep where it is further than this event's own. */
  readonly position?: Position;
}
