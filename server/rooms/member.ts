import type { Access } from '../../shared/access.ts';
import type { Position } from '../../shared/position.ts';
import { SmallMap } from '../small-map.ts';
import type { LogRecord } from '../storage/store.ts';
import type { Connection } from './connection.ts';
import type { Room } from './room.ts';

/**
 * How a member gets what is new.
 * - `waiting`: nothing yet; the client must first ask for the document's state.
 * - `catching-up`: from the log, as fast as its queue drains.
 * - `live`: with everyone else, the frame that was encoded once.
 */
export type Delivery = 'waiting' | 'catching-up' | 'live';

/** Each connection is a member of several rooms: what they mostly lack is one object for all. */
const NONE: readonly LogRecord[] = [];

/** One socket in one room. */
export class Member {
  readonly connection: Connection;
  readonly room: Room;
  access: Access;
  delivery: Delivery = 'waiting';
  /** Everything up to and with this record was sent. */
  sent: Position;
  /** Records of its user that go out before the log goes on behind `sent`: unread notifications, which are not all there is. */
  unread: readonly LogRecord[] = NONE;
  /** State values that changed while its queue was full or it was catching up: the latest of each goes out afterwards. */
  readonly staleStates = new SmallMap<string, true>();
  /** Set when it leaves: a catch-up under way stops. */
  left = false;
  /** A catch-up is running. */
  pumping = false;

  constructor(connection: Connection, room: Room, access: Access, sent: Position) {
    this.connection = connection;
    this.room = room;
    this.access = access;
    this.sent = sent;
  }

  get gone(): boolean {
    return this.left || this.connection.closed;
  }
}
