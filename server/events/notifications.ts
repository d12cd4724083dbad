import { parsePayload } from '../../shared/define-event.ts';
import { NotificationRead } from '../../shared/messages.ts';
import { parseRoomName, type RoomName, userRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import { encodeDomainEvent, fanOutEphemeral } from '../rooms/fan-out.ts';
import { type Room, stateKey } from '../rooms/room.ts';
import type { StateValue } from '../storage/store.ts';
import type { EventPorts } from './event-ports.ts';
import { readNotifications } from './history.ts';
import { type MarkChange, markRead, NOTIFICATION_READ, readMarks, readUpTo } from './unread.ts';

const FOR_ALL = parseRoomName('notifications');

/** `notification:read`: unread until marked, on every device of the user. */
export function registerNotifications(ports: EventPorts): void {
  const { guard, clock, rooms } = ports;
  /** A user's marks are changed one after the other. */
  const turns = new Map<string, Promise<unknown>>();

  async function mark(user: User, request: { ids: string[] } | { all: true }): Promise<string[]> {
    const own = await rooms.open(userRoom(user.id));
    const marks = readMarks(own.states.values());
    const both = [own, await rooms.open(FOR_ALL)];
    const heads = new Map<RoomName, number>(both.map((room) => [room.name, room.head.seq]));
    const notifications = [];
    for (const room of both) {
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
    async ({ user, payload }) => {
      const turn = (turns.get(user.id) ?? Promise.resolve()).catch(() => {}).then(() => mark(user, payload));
      turns.set(user.id, turn);
      const read = await turn.finally(() => {
        if (turns.get(user.id) === turn) turns.delete(user.id);
      });
      const own = await rooms.open(userRoom(user.id));
      const at = clock.now();
      if (read.length > 0) {
        // Every device of the user, the asking one too: they all count alike.
        const data = { ...payload, ids: read, at };
        fanOutEphemeral(own, encodeDomainEvent(NOTIFICATION_READ, data, { room: own.name, at }));
      }
      return { answer: { read } };
    },
  );
}
