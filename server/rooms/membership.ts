import { type Access, permits } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { JoinOptions } from '../../shared/messages.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Connection } from './connection.ts';
import type { Member } from './member.ts';
import type { Presence } from './presence.ts';
import type { Joined } from './room.ts';
import type { Rooms } from './rooms.ts';

/** Who is in which room: joins, leaves, and what goes with a socket. */
export class Membership {
  readonly #rooms: Rooms;
  readonly #presence: Presence;
  readonly #roomsPerSocket: number;
  readonly #left: (name: RoomName, connection: Connection) => void;
  readonly #joined: (member: Member) => void;

  /** @param options.joined told of each membership that holds; `left` of each that ends, whatever ended it */
  constructor(options: {
    rooms: Rooms;
    presence: Presence;
    roomsPerSocket: number;
    joined: (member: Member) => void;
    left: (name: RoomName, connection: Connection) => void;
  }) {
    this.#rooms = options.rooms;
    this.#presence = options.presence;
    this.#roomsPerSocket = options.roomsPerSocket;
    this.#left = options.left;
    this.#joined = options.joined;
  }

  /**
   * Makes a connection a member. Nothing is sent yet: the caller sends the answer, then calls `start`.
   * @throws AshlarError `too-many-rooms`, `gone`, `id-in-use`, `foreign-client-id`, `storage-damaged`, `not-connected`
   */
  async join(connection: Connection, name: RoomName, access: Access, options: JoinOptions): Promise<Joined> {
    const others = connection.rooms.size - (connection.rooms.has(name) ? 1 : 0);
    if (others + connection.entering >= this.#roomsPerSocket) throw new AshlarError('too-many-rooms', { room: name });
    connection.entering += 1;
    let entering = true;
    const entered = () => {
      if (entering) connection.entering -= 1;
      entering = false;
    };
    try {
      return await this.#enter(connection, name, access, options, entered);
    } finally {
      entered();
    }
  }

  /** @param entered called with the membership, so that no room counts twice: as one that is entered and as one that is being entered */
  async #enter(
    connection: Connection,
    name: RoomName,
    access: Access,
    options: JoinOptions,
    entered: () => void,
  ): Promise<Joined> {
    const room = await this.#rooms.open(name);
    if (connection.closed) throw new AshlarError('not-connected');
    // Joining again starts over.
    const old = connection.rooms.get(name);
    if (old !== undefined) this.evict(old);
    const joined = await room.content.join(connection, access, options);
    if (connection.closed) {
      room.content.left(joined.member);
      throw new AshlarError('not-connected');
    }
    room.members.set(connection, joined.member);
    connection.rooms.set(name, joined.member);
    entered();
    if (showsPresence(name)) this.#presence.join(name, connection.user, connection.id);
    return joined;
  }

  /**
   * As `join`, with the access that holds at the moment of membership: it may change while the room is read.
   * @param access as decided a moment ago
   * @throws AshlarError `access-denied`; as `join`
   */
  async joinAsDecided(connection: Connection, name: RoomName, access: Access, options: JoinOptions): Promise<Joined> {
    let joined = await this.join(connection, name, access, options);
    for (let held = access; connection.access.cached(name) !== held; ) {
      this.leave(connection, name);
      held = await connection.access.decide(name);
      if (!permits(held, 'read')) throw new AshlarError('access-denied', { room: name });
      joined = await this.join(connection, name, held, options);
    }
    this.#joined(joined.member);
    return joined;
  }

  /**
   * Makes a connection a member, from the start, unless it is one or becomes one: joins that nobody asked for in so many words wait for those
   * under way, and give way to them. Joining over another membership would send its history a second time.
   * @throws AshlarError as `joinAsDecided`
   */
  async ensure(connection: Connection, name: RoomName, access: Access): Promise<void> {
    for (let turn = connection.joining.get(name); turn !== undefined; turn = connection.joining.get(name)) {
      await turn.catch(() => {});
    }
    if (connection.rooms.has(name)) return;
    const turn = this.joinAsDecided(connection, name, access, {});
    connection.joining.set(name, turn);
    try {
      (await turn).start();
    } finally {
      if (connection.joining.get(name) === turn) connection.joining.delete(name);
    }
  }

  /** Ends a membership, where there is one. */
  leave(connection: Connection, name: RoomName): void {
    const member = connection.rooms.get(name);
    if (member !== undefined) this.evict(member);
  }

  /** Puts a member out of its room. */
  evict(member: Member): void {
    if (member.left) return;
    this.#remove(member);
    if (showsPresence(member.room.name)) this.#presence.leave(member.room.name, member.connection.id);
  }

  /** Puts out a member that may no longer be here: the others see it go at once. */
  expel(member: Member): void {
    if (member.left) return;
    this.#remove(member);
    if (showsPresence(member.room.name)) this.#presence.expel(member.room.name, member.connection.id);
  }

  /** The socket is gone, and with it all of its memberships. */
  disconnected(connection: Connection): void {
    connection.closed = true;
    for (const member of [...connection.rooms.values()]) this.#remove(member);
    this.#presence.socketGone(connection.id);
  }

  #remove(member: Member): void {
    if (member.left) return;
    member.left = true;
    const { room, connection } = member;
    if (room.members.get(connection) === member) room.members.delete(connection);
    if (connection.rooms.get(room.name) === member) connection.rooms.delete(room.name);
    room.content.left(member);
    this.#left(room.name, connection);
    if (room.members.size === 0) this.#rooms.release(room);
  }
}

// A user's own room has one reader: there is nobody to tell.
function showsPresence(name: RoomName): boolean {
  return !name.startsWith('user:');
}
