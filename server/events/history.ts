import type { Position } from '../../shared/position.ts';
import { userRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Settings } from '../options.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { LogRecord } from '../storage/store.ts';
import { type LoggedNotification, notificationsIn, readMarks, readUpTo, unreadOf } from './unread.ts';

const PAGE = 500;
/** Unread notifications that one join receives at most: the newest. */
const MOST_UNREAD = 1_000;

/** What a first join receives of a log. */
export interface History {
  /** Everything behind this is sent. */
  readonly after: number;
  /** And these before it. */
  readonly unread: readonly LogRecord[];
}

/** What a first join receives, oldest first, of a log with this head: the newest records; in the rooms of notifications the user's unread ones. */
export async function readHistory(
  rooms: Rooms,
  settings: Pick<Settings, 'chatHistory' | 'history'>,
  room: Room,
  user: User,
  head: Position,
): Promise<History> {
  if (room.name === 'notifications' || room.name === userRoom(user.id)) {
    const marks = readMarks((await rooms.open(userRoom(user.id))).states.values());
    const notifications = await readNotifications(room, readUpTo(marks, room.name), head.seq);
    const unread = unreadOf(notifications, marks).slice(-MOST_UNREAD);
    return { after: head.seq, unread: unread.map((notification) => notification.record) };
  }
  const limit = room.name.startsWith('chat:') ? settings.chatHistory : settings.history;
  return { after: Math.max(room.trimmedTo, head.seq - limit), unread: [] };
}

/** A room's notifications after `seq`, up to and with `head`. */
export async function readNotifications(room: Room, seq: number, head: number): Promise<LoggedNotification[]> {
  const found: LoggedNotification[] = [];
  // Most users' rooms are empty, and each of them joins its own.
  if (head <= Math.max(seq, room.trimmedTo)) return found;
  for (let after = seq; ; ) {
    const page = await room.store.read(room.name, { after, before: head + 1, limit: PAGE, kind: 'system:notification' });
    found.push(...notificationsIn(room.name, page));
    const last = page[page.length - 1];
    if (last === undefined || page.length < PAGE) return found;
    after = last.seq;
  }
}
