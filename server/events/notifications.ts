import { permits } from '../../shared/access.ts';
import { NotificationList, NotificationRead } from '../../shared/messages.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import { parseRoomName, type RoomName, userRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Connection } from '../rooms/connection.ts';
import { encodeDomainEvent, fanOutEphemeral, logMeta } from '../rooms/fan-out.ts';
import { type Room, stateKey } from '../rooms/room.ts';
import type { StateValue } from '../storage/store.ts';
import type { EventPorts } from './event-ports.ts';
import { readNotifications } from './history.ts';
import { readPayload } from './read-payload.ts';
import { type MarkChange, markRead, NOTIFICATION_READ, readMarks, readUpTo, unreadOf } from './unread.ts';

const FOR_ALL = parseRoomName('notifications');

/** `notification:read` and `notification:list`: unread until marked, on every device of the user. */
export function registerNotifications(ports: EventPorts): void {
  const { guard, catalog, clock, rooms } = ports;
  /** A user's marks are changed one after the other, and read in between. */
  const turns = new Map<string, Promise<unknown>>();

  function inTurn<Result>(user: User, task: () => Promise<Result>): Promise<Result> {
    const turn = (turns.get(user.id) ?? Promise.resolve()).catch(() => {}).then(task);
    turns.set(user.id, turn);
    return turn.finally(() => {
      if (turns.get(user.id) === turn) turns.delete(user.id);
    });
  }

  /** The user's own room, and that of all where the user may read it. */
  async function readableRooms(user: User, { access }: Connection): Promise<readonly [own: Room, ...forAll: Room[]]> {
    const own = await rooms.open(userRoom(user.id));
    const held = access.cached(FOR_ALL) ?? (await access.decide(FOR_ALL));
    return permits(held, 'read') ? [own, await rooms.open(FOR_ALL)] : [own];
  }

  async function list(user: User, readable: Awaited<ReturnType<typeof readableRooms>>, limit: number) {
    const [own] = readable;
    return inTurn(user, async () => {
      const marks = readMarks(own.states.values());
      const unread = [];
      for (const room of readable) {
        const logged = await readNotifications(room, readUpTo(marks, room.name), room.head.seq);
        for (const { record } of unreadOf(logged, marks)) unread.push({ record, meta: logMeta(room, record) });
      }
      unread.sort((left, right) => left.record.at - right.record.at);
      const newest = unread.slice(-limit);
      return {
        notifications: newest.map(({ record, meta }) => ({ data: readPayload(catalog, record), meta })),
        unread: unread.length,
      };
    });
  }

  async function mark(
    readable: Awaited<ReturnType<typeof readableRooms>>,
    request: { ids: string[] } | { all: true },
  ): Promise<string[]> {
    const [own] = readable;
    const marks = readMarks(own.states.values());
    const heads = new Map<RoomName, number>(readable.map((room) => [room.name, room.head.seq]));
    const notifications = [];
    for (const room of readable) {
      notifications.push(...(await readNotifications(room, readUpTo(marks, room.name), heads.get(room.name) ?? 0)));
    }
    const at = clock.now();
    const { changes, newlyRead } = markRead({ request, marks, notifications, heads, at });
    if (changes.length > 0) await write(own, changes, at);
    return newlyRead;
  }

  function write(own: Room, changes: readonly MarkChange[], at: number): Promise<void> {
    const states: StateValue[] = changes.map((change) => ({ event: NOTIFICATION_READ, rev: own.nextRev(), at, ...change }));
    return new Promise((resolve, reject) =>
      own.submit({
        durable: true,
        states,
        leave: () => {
          for (const state of states) {
            const key = stateKey(state.event, state.key);
            if (state.value === null) own.states.delete(key);
            else own.states.set(key, state);
          }
          resolve();
        },
        fail: reject,
      }),
    );
  }

  guard.handle(
    {
      name: NOTIFICATION_READ,
      budget: 'joins',
      needs: 'read',
      glance: ([request], user) => ({ room: userRoom(user.id), payload: request }),
      parse: (request) => parsePayload(NotificationRead, request, NOTIFICATION_READ),
    },
    async ({ user, connection, payload }) => {
      const readable = await readableRooms(user, connection);
      const [own] = readable;
      const read = await inTurn(user, () => mark(readable, payload));
      const at = clock.now();
      if (read.length > 0) {
        // Every device of the user, the asking one too: they all count alike.
        const data = { ...payload, ids: read, at };
        fanOutEphemeral(own, encodeDomainEvent(NOTIFICATION_READ, data, { room: own.name, at }));
      }
      return { answer: { read } };
    },
  );

  guard.handle(
    {
      name: 'notification:list',
      budget: 'joins',
      needs: 'read',
      glance: ([query], user) => ({ room: userRoom(user.id), payload: query }),
      parse: (query) => parsePayload(NotificationList, query ?? {}, 'notification:list'),
    },
    async ({ user, connection, payload }) => {
      const readable = await readableRooms(user, connection);
      const answer = await connection.readInTurn(() => list(user, readable, payload.limit));
      return { answer, ...(readable.length > 1 ? { content: FOR_ALL } : {}) };
    },
  );
}
