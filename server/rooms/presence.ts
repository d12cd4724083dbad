import type { RoomName } from '../../shared/room-name.ts';
import type { Member, PublicUser } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import { SmallMap } from '../small-map.ts';

/** Changes of a room are gathered for this long and told together… */
const GATHER_MS = 50;
/** …and in a large one for this long per user in it: a crowd that comes in costs each room about a thousand messages a second, not its square. */
const GATHER_MS_PER_USER = 1;
/** Rooms with more users online than this are told nothing, until there are fewer: each change would cost a message to everyone. They may still ask. */
const MAX_TOLD = 500;
/** Changes that a large room is told of later, per room: the newest. */
const MAX_UNTOLD = 2_000;
/** Members remembered after they went, per room: the newest. */
const MAX_OFFLINE = 100;

export interface PresenceOptions {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** A user is offline this long after the last socket went. */
  readonly graceMs: number;
  /** Tells a room who came, went or changed name or colour: each as it is now, at most every 50 ms per room, and every 1 ms per user in it. */
  changed(room: RoomName, users: Member[]): void;
}

/** Who is in which room. Several sockets of a user are one member; a reload within the grace is not seen by anyone. */
export interface Presence {
  /** A socket of a user came into a room. Again: only the user's name and colour are looked at. */
  join(room: RoomName, user: PublicUser, socketId: string): void;
  /** A socket left a room. */
  leave(room: RoomName, socketId: string): void;
  /** A socket was put out: without the grace, and a user with no other socket there is not remembered either. */
  expel(room: RoomName, socketId: string): void;
  /** A socket is gone, from all of its rooms. */
  socketGone(socketId: string): void;
  /** A user without sockets is neither there nor remembered, in any room. Others see it go. */
  forget(userId: string): void;
  /** Who is there, in the order they came; then who was, newest first. */
  members(room: RoomName): Member[];
  /** Ends all timers and forgets everybody. Nobody is told. */
  close(): void;
  /** How much is held in memory: sockets that are in a room, and rooms in which somebody is online. */
  readonly held: { readonly sockets: number; readonly rooms: number };
}

interface Present {
  user: PublicUser;
  /** How many of its sockets are there. */
  sockets: number;
  /** Unix ms: when the last socket went. Counts while there is none. */
  leftAt: number;
  /** Ends the grace; null while there are sockets. */
  cancelGrace: (() => void) | null;
}

interface RoomPresence {
  /** Online: with sockets, or within the grace. */
  readonly present: SmallMap<string, Present>;
  /** By the time they went, oldest first. */
  readonly offline: SmallMap<string, Member>;
  /** Users to tell of: null where they are online, else as they went (they may be forgotten before they are told of). */
  readonly changed: SmallMap<string, Member | null>;
  cancelFlush: (() => void) | null;
}

/** Makes the presence of all rooms. A room in which nobody is online is forgotten: there is nobody to tell. */
export function createPresence({ clock, graceMs, changed }: PresenceOptions): Presence {
  const rooms = new Map<RoomName, RoomPresence>();
  /** Socket → room → the user it stands for there. */
  const sockets = new Map<string, SmallMap<RoomName, string>>();

  const onlineMember = ({ user, leftAt, cancelGrace }: Present): Member => ({
    userId: user.id,
    name: user.name,
    color: user.color,
    status: 'online',
    lastSeen: cancelGrace === null ? clock.now() : leftAt,
  });

  const flush = (name: RoomName, room: RoomPresence): void => {
    room.cancelFlush = null;
    if (room.present.size > MAX_TOLD) {
      // Kept for when there are fewer again: whoever has a list would show those who went meanwhile for ever.
      for (const oldest of room.changed.keys()) {
        if (room.changed.size <= MAX_UNTOLD) break;
        room.changed.delete(oldest);
      }
      return;
    }
    const users: Member[] = [];
    for (const [userId, gone] of room.changed) {
      const present = room.present.get(userId);
      if (present !== undefined) users.push(onlineMember(present));
      else if (gone !== null) users.push(gone);
    }
    room.changed.clear();
    if (users.length > 0) changed(name, users);
  };
  const tell = (name: RoomName, room: RoomPresence, userId: string, gone: Member | null): void => {
    room.changed.set(userId, gone);
    room.cancelFlush ??= clock.after(gatherMs(room.present.size), () => flush(name, room));
  };

  const goOffline = (name: RoomName, room: RoomPresence, present: Present): void => {
    const { user, leftAt } = present;
    room.present.delete(user.id);
    if (room.present.size === 0) {
      room.cancelFlush?.();
      rooms.delete(name);
      return;
    }
    const gone: Member = { userId: user.id, name: user.name, color: user.color, status: 'offline', lastSeen: leftAt };
    room.offline.set(user.id, gone);
    tell(name, room, user.id, gone);
    const oldest = room.offline.keys().next();
    if (room.offline.size > MAX_OFFLINE && !oldest.done) room.offline.delete(oldest.value);
  };

  const leave = (name: RoomName, socketId: string): void => {
    const own = sockets.get(socketId);
    const userId = own?.get(name);
    const room = rooms.get(name);
    const present = userId === undefined ? undefined : room?.present.get(userId);
    if (own === undefined || room === undefined || present === undefined) return;
    own.delete(name);
    if (own.size === 0) sockets.delete(socketId);
    present.sockets -= 1;
    if (present.sockets > 0) return;
    present.leftAt = clock.now();
    present.cancelGrace = clock.after(graceMs, () => goOffline(name, room, present));
  };

  return {
    join(name, user, socketId) {
      const room = rooms.get(name) ?? {
        present: new SmallMap(),
        offline: new SmallMap(),
        changed: new SmallMap(),
        cancelFlush: null,
      };
      rooms.set(name, room);
      const own = sockets.get(socketId) ?? new SmallMap<RoomName, string>();
      // A socket stands for one user; should that ever change, the other is not left behind as a ghost.
      if (own.has(name) && own.get(name) !== user.id) leave(name, socketId);
      const isThere = own.has(name);
      sockets.set(socketId, own.set(name, user.id));
      const present = room.present.get(user.id);
      if (present === undefined) {
        room.present.set(user.id, { user, sockets: 1, leftAt: 0, cancelGrace: null });
        room.offline.delete(user.id);
        tell(name, room, user.id, null);
        return;
      }
      if (!isThere) present.sockets += 1;
      present.cancelGrace?.();
      present.cancelGrace = null;
      if (present.user.name !== user.name || present.user.color !== user.color) tell(name, room, user.id, null);
      present.user = user;
    },
    leave,
    expel(name, socketId) {
      const userId = sockets.get(socketId)?.get(name);
      leave(name, socketId);
      const room = rooms.get(name);
      const present = userId === undefined ? undefined : room?.present.get(userId);
      if (userId === undefined || room === undefined || present === undefined || present.sockets > 0) return;
      present.cancelGrace?.();
      goOffline(name, room, present);
      room.offline.delete(userId);
    },
    socketGone(socketId) {
      for (const name of [...(sockets.get(socketId)?.keys() ?? [])]) leave(name, socketId);
    },
    forget(userId) {
      for (const [name, room] of rooms) {
        const present = room.present.get(userId);
        if (present !== undefined && present.sockets === 0) {
          present.cancelGrace?.();
          goOffline(name, room, present);
        }
        room.offline.delete(userId);
      }
    },
    members(name) {
      const room = rooms.get(name);
      if (room === undefined) return [];
      return [...[...room.present.values()].map(onlineMember), ...[...room.offline.values()].reverse()];
    },
    close() {
      for (const room of rooms.values()) {
        room.cancelFlush?.();
        for (const present of room.present.values()) present.cancelGrace?.();
      }
      rooms.clear();
      sockets.clear();
    },
    get held() {
      return { sockets: sockets.size, rooms: rooms.size };
    },
  };
}

function gatherMs(users: number): number {
  return Math.max(GATHER_MS, users * GATHER_MS_PER_USER);
}
