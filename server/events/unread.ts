import { invariant } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { LogRecord, StateValue } from '../storage/store.ts';

/**
 * What a user has read, kept as state values of the user's own room under the event `notification:read`:
 * - key = a notification's id, value = ISO 8601 time: that one is read;
 * - key `*`, value `{ seqs: { [room]: seq }, at }` (`at` in Unix ms): everything up to there is read.
 * Ids are kept only beyond `*`, and `*` moves up to the first that is unread: so marks never outgrow what is unread around them.
 */
export const NOTIFICATION_READ = 'notification:read';
const ALL = '*';

/** A user's marks, parsed. */
export interface ReadMarks {
  /** Room → everything up to and with this `seq` is read. */
  readonly seqs: ReadonlyMap<string, number>;
  /** Read one by one. */
  readonly ids: ReadonlySet<string>;
}

/** A notification in a log: in `notifications`, or in the user's own room. */
export interface LoggedNotification {
  readonly room: RoomName;
  readonly seq: number;
  readonly id: string;
  readonly record: LogRecord;
}

/** A state value of the user's room to write; null removes the key. Values are JSON. */
export interface MarkChange {
  readonly key: string;
  readonly value: string | null;
}

/** Reads the marks out of the state values of the user's room. Other events' values are passed over. */
export function readMarks(states: Iterable<StateValue>): ReadMarks {
  const ids = new Set<string>();
  let seqs = new Map<string, number>();
  for (const { event, key, value } of states) {
    if (event !== NOTIFICATION_READ || value === null) continue;
    if (key === ALL) seqs = new Map(Object.entries((JSON.parse(value) as { seqs: Record<string, number> }).seqs));
    else ids.add(key);
  }
  return { seqs, ids };
}

/** The `seq` after which a room's log has to be read: everything up to it is read by the user. */
export function readUpTo(marks: ReadMarks, room: RoomName): number {
  return marks.seqs.get(room) ?? 0;
}

/** The notifications among a room's records, in order. */
export function notificationsIn(room: RoomName, records: readonly LogRecord[]): LoggedNotification[] {
  const decoder = new TextDecoder();
  return records
    .filter((record) => record.kind === 'system:notification')
    .map((record) => {
      const { id } = JSON.parse(decoder.decode(record.payload)) as { id: string };
      return { room, seq: record.seq, id, record };
    });
}

/** Those that the user has not read, in the order given. */
export function unreadOf(notifications: readonly LoggedNotification[], marks: ReadMarks): LoggedNotification[] {
  return notifications.filter(({ room, seq, id }) => seq > readUpTo(marks, room) && !marks.ids.has(id));
}

export interface MarkReadOptions {
  /** What the user marks. Ids that are unknown, or read already, change nothing. */
  readonly request: { readonly ids: readonly string[] } | { readonly all: true };
  readonly marks: ReadMarks;
  /** All notifications of the user's rooms beyond `readUpTo`, in order per room. */
  readonly notifications: readonly LoggedNotification[];
  /** The rooms and their newest committed `seq`, as those notifications were read. */
  readonly heads: ReadonlyMap<RoomName, number>;
  /** Unix ms. */
  readonly at: number;
}

/**
 * Marks notifications read, and tidies up: `*` moves to just before the first unread one of each room (or to its head), and ids
 * that it has overtaken, or whose notification has left the log, go.
 * @returns what to write, nothing where nothing changes; and the ids that were unread until now
 */
export function markRead(options: MarkReadOptions): { changes: MarkChange[]; newlyRead: string[] } {
  const { request, marks, notifications, heads, at } = options;
  const wanted = 'all' in request ? null : new Set(request.ids);
  const newlyRead: string[] = [];
  const stillUnread = new Map<string, number>();
  const seqs = new Map(marks.seqs);
  for (const notification of unreadOf(notifications, marks)) {
    const { room, seq, id } = notification;
    invariant(heads.has(room), 'a notification lies in a room whose head is known', { room });
    if (wanted === null || wanted.has(id)) newlyRead.push(id);
    else if (!stillUnread.has(room)) stillUnread.set(room, seq);
  }
  if (newlyRead.length === 0) return { changes: [], newlyRead };

  for (const [room, head] of heads) {
    const first = stillUnread.get(room);
    seqs.set(room, Math.max(seqs.get(room) ?? 0, first === undefined ? head : first - 1));
  }
  const read = new Set([...marks.ids, ...newlyRead]);
  const kept = new Set<string>();
  for (const { room, seq, id } of notifications) {
    // A notification whose id is `*` has no key of its own: it is read once all before it are.
    if (seq > (seqs.get(room) ?? 0) && read.has(id) && id !== ALL) kept.add(id);
  }

  const changes: MarkChange[] = [];
  if ([...seqs].some(([room, seq]) => marks.seqs.get(room) !== seq)) {
    changes.push({ key: ALL, value: JSON.stringify({ seqs: Object.fromEntries(seqs), at }) });
  }
  for (const id of kept) if (!marks.ids.has(id)) changes.push({ key: id, value: JSON.stringify(new Date(at).toISOString()) });
  for (const id of marks.ids) if (!kept.has(id)) changes.push({ key: id, value: null });
  return { changes, newlyRead };
}
