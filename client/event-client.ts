import type { Access } from '../shared/access.ts';
import type { Events, PayloadOf, StateEventName } from '../shared/catalog.ts';
import { CATALOG_FACTS } from '../shared/catalog-facts.ts';
import { collectByName } from '../shared/define-event.ts';
import type { SessionAnnouncement } from '../shared/messages.ts';
import type { EventMeta } from '../shared/position.ts';
import type { EventRoomLike, RoomNameLike } from '../shared/room-name.ts';
import type { Member } from '../shared/user.ts';
import { onAnotherUser } from './another-user.ts';
import type { ClientEvent } from './check-input.ts';
import { checkOptions, EVENT_CLIENT_OPTIONS, type Options } from './check-options.ts';
import type {
  AllEvents,
  EmitAnswerOf,
  EmitOptions,
  ListenableName,
  ListenerArgs,
  SendableName,
  SendInput,
} from './client-events.ts';
import type { ConnectionStatus } from './connection.ts';
import { Connector, type ConnectorOptions } from './connector.ts';
import { type Environment, platformEnvironment } from './environment.ts';
import { EventHub } from './event-hub.ts';
import { latestValue } from './latest-value.ts';
import { type ConnectionNotice, connectionNotices } from './lost-connection.ts';
import { Members } from './members.ts';
import { type Readable, writable } from './readable.ts';
import { quiet, type Report, reportToConsole, safeReport } from './report.ts';
import { Requests } from './requests.ts';
import { type Joined, type RoomStatus, Rooms } from './rooms.ts';
import type { TokenSource } from './token.ts';

/** Who the server takes us for. */
export type SessionUser = SessionAnnouncement['user'];

export interface EventClientOptions<Own extends Events = []> extends ConnectorOptions {
  /** The product's own events, made with `defineEvent`. */
  events?: Own;
  /** Told of errors that have no other way to the caller. Default: `console.error`. */
  onError?: Report;
  /** Answered messages that may wait for a connection or an answer. Default 500; then `emit` rejects with `queue-full`. */
  maxPending?: number;
  /** How long `emit` waits for its answer, reconnects included, ms. Default 120,000; then it rejects with `timeout`. */
  emitTimeoutMs?: number;
  /** Time, chance and the network's word; a test brings its own. */
  environment?: Environment;
}

/** One page of a chat's messages, oldest first. */
export interface ChatPage {
  messages: { data: PayloadOf<AllEvents<[]>, 'chat:message'>; meta: EventMeta }[];
  hasMore: boolean;
}

/** Unread notifications, oldest first, and how many there are in all. */
export interface NotificationPage {
  notifications: { data: PayloadOf<AllEvents<[]>, 'system:notification'>; meta: EventMeta }[];
  unread: number;
}

/** The SDK without documents. */
export interface EventClient<Own extends Events = []> {
  /**
   * Connects, and stays connected until `disconnect`: a lost connection comes back by itself.
   * @param options `token`: replaces the one given before (after `refused`, say)
   * @returns resolves once connected; rejects where the server refuses for good. Need not be awaited
   */
  connect(options?: { token?: TokenSource }): Promise<void>;
  /** Closes the connection until the next `connect`. Messages that wait are rejected with `client-closed`; rooms and documents stay. */
  disconnect(): void;
  /**
   * Ends the client for good: disconnects, drops the listeners of `on`, leaves all rooms, and destroys all document handles. Edits that are not on
   * the server's disk are lost unless they are kept `offline`, and the page is left without a question. From then on what would need a
   * connection is refused with `client-closed`. Calling it again does nothing.
   */
  destroy(): void;
  readonly status: Readable<ConnectionStatus>;
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  /**
   * Tells when a user should hear of the connection: `lost` after 5 s without one, `restored` only after that, `failed` where the
   * server refuses. What stands already (`lost`, `failed`) is told at once.
   */
  onConnectionNotice(listener: (notice: ConnectionNotice) => void): () => void;
  /** The user of the token; null until the first connection. */
  readonly user: Readable<SessionUser | null>;
  /** Answered messages that still wait. */
  readonly pending: Readable<number>;

  /**
   * Listens to an event. A listener of a state event also gets the present values of the rooms joined already.
   * @returns a function that removes the listener
   */
  on<Name extends ListenableName<AllEvents<Own>>>(
    name: Name,
    listener: (...args: ListenerArgs<AllEvents<Own>, Name>) => void,
  ): () => void;
  /** Removes one listener, or all of that name. */
  off<Name extends ListenableName<AllEvents<Own>>>(
    name: Name,
    listener?: (...args: ListenerArgs<AllEvents<Own>, Name>) => void,
  ): void;
  /**
   * Sends an event. `log`, `state` and `request` events wait through a reconnect and are never doubled by it; `ephemeral` ones are
   * dropped while offline.
   * @returns the server's answer (`data` and `meta` of log events as stored: on disk); rejects with an `AshlarError`. A
   *   rejection that nobody awaits is not thrown
   */
  emit<Name extends SendableName<AllEvents<Own>>>(
    name: Name,
    data: SendInput<AllEvents<Own>, Name>,
    options?: EmitOptions,
  ): Promise<EmitAnswerOf<AllEvents<Own>, Name>>;

  /**
   * Joins a room, and again after each reconnect, from where it was. Counted: each call needs one `leaveRoom`, also where it
   * rejected (the room is tried again at the next connection).
   * @returns resolves once in the room; waits while offline
   */
  joinRoom<const Room extends string>(room: EventRoomLike<Room>): Promise<Joined>;
  leaveRoom<const Room extends string>(room: EventRoomLike<Room>): void;
  /** A room as this client sees it. `recovered: false` says that events may be missing. */
  room<const Room extends string>(room: EventRoomLike<Room>): Readable<RoomStatus>;
  onRoom<const Room extends string>(room: EventRoomLike<Room>, listener: (status: RoomStatus) => void): () => void;
  /** Who is or was there. Subscribing holds a lease of the room; until then it is empty. */
  members<const Room extends string>(room: RoomNameLike<Room>): Readable<readonly Member[]>;

  /**
   * The newest value of a state event under one key: of `dashboard:update` a widget's, of `batch:progress` a batch's. Subscribing
   * holds a lease of its room. Undefined until known; a value stays, as the last one seen, while the room is away.
   * @param options `room`: default, the event's only room, or its pattern with the key in the place of `*`
   * @throws AshlarError `unknown-event`, or `invalid-options` for an event that is not of the class `state`
   */
  latest<Name extends StateEventName<AllEvents<Own>>>(
    name: Name,
    key: string,
    options?: { room?: string | undefined },
  ): Readable<PayloadOf<AllEvents<Own>, Name> | undefined>;

  /** A chat's messages before the `seq` `before` (default: the newest), at most `limit` (default 50, at most 200). */
  chatHistory(sessionId: string, page?: { before?: number; limit?: number }): Promise<ChatPage>;
  /** The user's unread notifications, oldest first: the newest `limit` (default 50, at most 200), and how many there are in all. */
  unreadNotifications(page?: { limit?: number }): Promise<NotificationPage>;
  markNotificationsRead(ids: readonly string[] | 'all'): Promise<void>;
  /** Needs `admin` in the room. */
  grant(userId: string, room: string, access: Access): Promise<void>;
  /** Needs `admin` in the room. */
  revoke(userId: string, room: string): Promise<void>;
}

/** The parts under a client, for what is built on top of it. */
export interface ClientCore {
  readonly connector: Connector;
  readonly members: Members;
  readonly user: Readable<SessionUser | null>;
  readonly env: Environment;
  readonly report: Report;
}

/** An `EventClient` and its parts. @param more what else may be among the options */
export function buildEventClient<const Own extends Events = []>(
  options: EventClientOptions<Own>,
  more: Options = {},
): { client: EventClient<Own>; core: ClientCore } {
  // What must be given, and is not, shows as null.
  const url = options?.url ?? (globalThis.location === undefined ? null : undefined);
  // From JavaScript: the letters of an address are no options.
  checkOptions(
    { ...(typeof options === 'string' ? { options } : options), url, token: options?.token ?? null },
    { ...EVENT_CLIENT_OPTIONS, ...more },
  );
  const env = options.environment ?? platformEnvironment();
  const report = safeReport(options.onError ?? reportToConsole);
  const catalog = collectByName<ClientEvent>(CATALOG_FACTS, options.events ?? []);
  const connector = new Connector(options, env, report);
  const rooms = new Rooms(connector, env, report);
  const requests = new Requests(connector, env, {
    maxPending: options.maxPending ?? 500,
    maxAgeMs: options.emitTimeoutMs ?? 120_000,
  });
  const user = writable<SessionUser | null>(null, report);
  const hub = new EventHub(catalog, connector, rooms, requests, env, report);
  const members = new Members(connector, rooms, user, env, report);
  // What one user asked for is not sent under another's name.
  onAnotherUser(user, () => requests.close())();
  connector.session.subscribe((session) => {
    if (session) user.set(session.user);
  });

  const client: EventClient<Own> = {
    connect: (given) => connector.connect(given?.token),
    disconnect() {
      connector.disconnect();
      requests.close();
    },
    destroy() {
      if (connector.destroyed) return;
      connector.destroyed = true;
      client.disconnect();
      rooms.destroy();
      hub.destroy();
    },
    status: connector.status,
    onStatus: (listener) => connector.status.subscribe(listener),
    onConnectionNotice: connectionNotices(connector.status, env, report),
    user,
    pending: requests.pending,
    // What JavaScript passes as null is none, as elsewhere. The hub knows events by name only; the signatures above bind each name to its payload.
    on: (name, listener) => hub.on(name, listener as (...args: readonly unknown[]) => void),
    off: (name, listener) => hub.off(name, listener as ((...args: readonly unknown[]) => void) | undefined),
    emit: (name, data, emitOptions) => hub.emit(name, data, emitOptions ?? {}) as Promise<never>,
    joinRoom: (room) => rooms.join(room),
    leaveRoom: (room) => rooms.leave(room),
    room: (room) => rooms.status(room),
    onRoom: (room, listener) => rooms.status(room).subscribe(listener),
    members: (room) => members.of(room),
    chatHistory: (sessionId, page) => requests.ask('chat:history', [{ sessionId, ...page }]) as Promise<ChatPage>,
    latest: (name, key, given) => latestValue({ catalog, rooms, user, hub, report }, name, key, given?.room) as Readable<never>,
    unreadNotifications: (page) => requests.ask('notification:list', [page ?? {}]) as Promise<NotificationPage>,
    markNotificationsRead: (ids) => done(requests.ask('notification:read', [ids === 'all' ? { all: true } : { ids }])),
    grant: (userId, room, access) => done(requests.ask('room:grant', [{ room, userId, access }])),
    revoke: (userId, room) => done(requests.ask('room:revoke', [{ room, userId }])),
  };
  return { client, core: { connector, members, user, env, report } };
}

function done(answer: Promise<unknown>): Promise<void> {
  return quiet(answer.then(() => {}));
}

/**
 * A client for events, rooms and presence that pulls no Yjs into a bundle.
 * @throws AshlarError `invalid-options` where an option is wrong or unknown, or an event declared twice; its detail names it
 * @example
 * const client = createEventClient({ url: 'https://app.example.com', token: () => fetchToken() });
 * client.on('dashboard:update', ({ widgetId, value }) => show(widgetId, value));
 * void client.joinRoom('dashboard');
 * await client.connect();
 */
export function createEventClient<const Own extends Events = []>(options: EventClientOptions<Own>): EventClient<Own> {
  return buildEventClient(options).client;
}
