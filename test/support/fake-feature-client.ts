import type { ConnectionStatus } from '../../client/connection.ts';
import type { ChatPage, NotificationPage } from '../../client/event-client.ts';
import type { FeatureClient } from '../../client/features/feature-client.ts';
import { Listeners } from '../../client/listeners.ts';
import { type Writable, writable } from '../../client/readable.ts';
import type { RoomStatus } from '../../client/rooms.ts';
import type { EventMeta } from '../../shared/position.ts';

/** A question on its way: the test answers it, when it likes. */
export interface Asked<Answer> {
  readonly args: readonly unknown[];
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface FakeFeatureClient {
  readonly client: FeatureClient;
  readonly status: Writable<ConnectionStatus>;
  readonly user: Writable<{ id: string; name: string } | null>;
  /** In the order in which they were asked. */
  readonly histories: Asked<ChatPage>[];
  readonly lists: Asked<NotificationPage>[];
  readonly marks: Asked<void>[];
  readonly emitted: Asked<{ data?: unknown; meta?: Partial<EventMeta> }>[];
  room(name: string): Writable<RoomStatus>;
  /** The server tells an event. */
  tell(name: string, payload: unknown, meta: Partial<EventMeta>): void;
}

/** What chat, notifications, dashboards and batches need of a client, moved by a test alone. */
export function fakeFeatureClient(): FakeFeatureClient {
  const fail = (error: unknown): never => {
    throw error;
  };
  const listeners = new Listeners<Record<string, readonly unknown[]>>(fail);
  const rooms = new Map<string, Writable<RoomStatus>>();
  const status = writable<ConnectionStatus>({ state: 'connected', id: 'a', recovered: false, since: 0 }, fail);
  const user = writable<{ id: string; name: string } | null>({ id: 'ada', name: 'Ada' }, fail);
  const histories: Asked<ChatPage>[] = [];
  const lists: Asked<NotificationPage>[] = [];
  const marks: Asked<void>[] = [];
  const emitted: FakeFeatureClient['emitted'] = [];
  const asks = <Answer>(asked: Asked<Answer>[]) => {
    return (...args: readonly unknown[]): Promise<Answer> =>
      new Promise((resolve, reject) => asked.push({ args, resolve, reject }));
  };
  const room = (name: string): Writable<RoomStatus> => {
    const known = rooms.get(name) ?? writable<RoomStatus>({ state: 'left' }, fail);
    rooms.set(name, known);
    return known;
  };
  const client = {
    status,
    user,
    room,
    joinRoom: () => new Promise(() => {}),
    leaveRoom: (name: string) => room(name).set({ state: 'left' }),
    on: (name: string, listener: (...args: readonly unknown[]) => void) => listeners.on(name, listener),
    emit: asks(emitted),
    chatHistory: asks(histories),
    unreadNotifications: asks(lists),
    markNotificationsRead: asks(marks),
    onConnectionNotice: () => () => {},
  } as unknown as FeatureClient;
  return {
    client,
    status,
    user,
    histories,
    lists,
    marks,
    emitted,
    room,
    tell: (name, payload, meta) => listeners.emit(name, payload, meta),
  };
}
