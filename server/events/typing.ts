import type { RoomName } from '../../shared/room-name.ts';
import type { PublicUser } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';

/** What a room is told: someone types there, or has stopped. */
export interface TypingChange {
  readonly room: RoomName;
  readonly user: PublicUser;
  readonly isTyping: boolean;
  /** The socket whose doing it was. Its own user interface knows already. */
  readonly socketId: string;
}

export interface TypingOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** Typing that is not renewed ends after this. */
  readonly timeoutMs: number;
  /** Fans out. Called at once by `set` and `socketGone`, and later when typing runs out. */
  changed(change: TypingChange): void;
}

/** Who types where, by which socket. A user who types on two devices stops when both have. */
export interface Typing {
  /** A socket says that its user types, again (which renews it), or no longer. */
  set(room: RoomName, user: PublicUser, socketId: string, isTyping: boolean): void;
  /** A socket left a room: it types there no longer. */
  left(room: RoomName, socketId: string): void;
  /** A socket is gone: it types nowhere. */
  socketGone(socketId: string): void;
  /** Ends all timers. Nobody is told. */
  close(): void;
}

interface TypingUser {
  user: PublicUser;
  /** Socket → what cancels its timer. */
  readonly sockets: Map<string, () => void>;
}

/** Makes the state of all rooms. It holds those who type at this moment, and nobody else. */
export function createTyping({ clock, timeoutMs, changed }: TypingOptions): Typing {
  const rooms = new Map<RoomName, Map<string, TypingUser>>();
  /** Socket → room → the user it types for. */
  const sockets = new Map<string, Map<RoomName, string>>();

  const start = (room: RoomName, user: PublicUser, socketId: string): void => {
    const users = rooms.get(room) ?? new Map<string, TypingUser>();
    rooms.set(room, users);
    const typing = users.get(user.id) ?? { user, sockets: new Map() };
    users.set(user.id, typing);
    typing.user = user;
    typing.sockets.get(socketId)?.();
    typing.sockets.set(
      socketId,
      clock.after(timeoutMs, () => stop(room, socketId)),
    );
    const own = sockets.get(socketId) ?? new Map<RoomName, string>();
    sockets.set(socketId, own.set(room, user.id));
    // Told again with each renewal: the event is ephemeral, so somebody may have missed it or come in since.
    changed({ room, user, isTyping: true, socketId });
  };

  /** @returns whether the socket typed there */
  const stop = (room: RoomName, socketId: string): boolean => {
    const own = sockets.get(socketId);
    const userId = own?.get(room);
    const users = rooms.get(room);
    const typing = userId === undefined ? undefined : users?.get(userId);
    if (own === undefined || userId === undefined || users === undefined || typing === undefined) return false;
    own.delete(room);
    if (own.size === 0) sockets.delete(socketId);
    typing.sockets.get(socketId)?.();
    typing.sockets.delete(socketId);
    if (typing.sockets.size > 0) return true;
    users.delete(userId);
    if (users.size === 0) rooms.delete(room);
    changed({ room, user: typing.user, isTyping: false, socketId });
    return true;
  };

  return {
    set(room, user, socketId, isTyping) {
      if (isTyping) start(room, user, socketId);
      else if (!stop(room, socketId) && rooms.get(room)?.has(user.id) !== true) {
        // Nothing is known of it (it ran out meanwhile): said all the same, for those who missed the end.
        changed({ room, user, isTyping: false, socketId });
      }
    },
    left: (room, socketId) => void stop(room, socketId),
    socketGone(socketId) {
      for (const room of [...(sockets.get(socketId)?.keys() ?? [])]) stop(room, socketId);
    },
    close() {
      for (const users of rooms.values()) {
        for (const typing of users.values()) for (const cancel of typing.sockets.values()) cancel();
      }
      rooms.clear();
      sockets.clear();
    },
  };
}
