import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { Access } from '../shared/access.ts';
import { createCatalog, type EventNameBy, type Events, type PayloadOf, type WithCatalog } from '../shared/catalog.ts';
import { AshlarError } from '../shared/errors.ts';
import type { EventMeta } from '../shared/position.ts';
import { parseRoomName } from '../shared/room-name.ts';
import { Audit } from './audit.ts';
import type { Clock } from './clock.ts';
import { createLog } from './create-log.ts';
import { type ServerDocuments, serverDocuments } from './documents/server-documents.ts';
import { createDocumentWorkers, type DocumentWorkers } from './documents/worker/document-workers.ts';
import { acceptSockets } from './guard/accept-sockets.ts';
import { type AddressLimiter, createAddressLimiter } from './guard/address-limiter.ts';
import { type Authenticate, createAuthenticator } from './guard/authenticate.ts';
import { createUserBudgets, type UserBudgets } from './guard/budgets.ts';
import { checkUserId } from './guard/check-user-id.ts';
import { createClientAddress } from './guard/client-address.ts';
import { Erasing } from './guard/erasing.ts';
import { Expiries } from './guard/expiries.ts';
import { createRemoteKeys, type FetchedKeys } from './guard/remote-keys.ts';
import { registerRenewal } from './guard/renew-token.ts';
import { Hooks, type ServerEventHandler, type ServerEventName } from './hooks.ts';
import { attachHttpApi } from './http/attach-http-api.ts';
import { Metrics, type MetricsNow } from './metrics.ts';
import type { Authorize, RealtimeServerOptions, Settings } from './options.ts';
import { Patience } from './patience.ts';
import { Platform } from './platform.ts';
import { readOptions } from './read-options.ts';
import { tellClosing } from './rooms/tell-closing.ts';
import type { Attachment } from './sockets/attach.ts';
import { closeConnections } from './sockets/close-connections.ts';
import { createSocketServer } from './sockets/create-socket-server.ts';
import type { Stats } from './stats.ts';
import { openSqliteStore } from './storage/sqlite/sqlite-store.ts';
import type { Erasure, Store } from './storage/store.ts';
import { watchQuota } from './storage/watch-quota.ts';
import { createSystemClock, LONGEST_TIMER_MS, watchEventLoop } from './system-clock.ts';
import { UnderWay } from './under-way.ts';

/** What a publication answers: where it stands. `seq` and `epoch` for what was logged. */
export type PublishedAs = EventMeta;

// What a client that reads takes in, with a queue as full as it gets.
const DRAIN_MS = 1_000;
// Longer than a disk takes that works, and soon enough for a process manager that kills after 30 s.
const DISK_MS = 10_000;

/**
 * The realtime server: attach it to the HTTP server of an existing product, or run it alone (`ashlar serve`).
 * @example
 * const realtime = new RealtimeServer({ jwtSecret: process.env.JWT_SECRET });
 * await realtime.initialize(httpServer);
 * await realtime.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: 7, timestamp: new Date().toISOString() });
 */
export class RealtimeServer<Own extends Events = []> {
  readonly #settings: Settings;
  readonly #own: Events;
  readonly #authorize: Authorize | undefined;
  readonly #givenStore: Store | undefined;
  readonly #clock: Clock = createSystemClock();
  readonly #log: Logger;
  readonly #hooks: Hooks;
  readonly #audit: Audit;
  readonly #metrics: Metrics;
  readonly #userBudgets: UserBudgets;
  readonly #addresses: AddressLimiter;
  readonly #authenticate: Authenticate;
  readonly #erasing = new Erasing();
  #fetchedKeys: FetchedKeys | null = null;
  #expiries: Expiries | null = null;
  #platform: Platform | null = null;
  #store: Store | null = null;
  #workers: DocumentWorkers | null = null;
  #io: Server | null = null;
  #http: Attachment | null = null;
  readonly #underWay = new UnderWay();
  /** Documents, from the backend. */
  readonly documents: ServerDocuments = serverDocuments(() => this.#ready().documents, this.#underWay);
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #state: 'new' | 'starting' | 'ready' | 'closing' | 'closed' = 'new';

  /** @throws AshlarError `invalid-options`: its detail names each wrong option, what was given and what is allowed */
  constructor(options: RealtimeServerOptions<Own>) {
    const { settings, events, authorize, store, logger } = readOptions(options);
    this.#settings = settings;
    this.#own = events;
    this.#authorize = authorize;
    this.#givenStore = store;
    this.#log = logger ?? createLog(this.#settings.logLevel);
    this.#audit = new Audit(this.#log, this.#clock);
    this.#metrics = new Metrics(() => this.#now(), watchEventLoop());
    this.#hooks = new Hooks((name, error) => this.#log.error({ hook: name, err: error }, 'hook:failed'));
    this.#userBudgets = createUserBudgets(this.#settings.limits, this.#clock);
    this.#addresses = createAddressLimiter(this.#settings.limits, this.#clock);
    const { jwtSecret, jwtAlgorithms, jwtKeys, jwtJwksUrl, jwtAudience, jwtIssuer } = this.#settings;
    const authenticate = createAuthenticator({
      secret: jwtSecret,
      algorithms: jwtAlgorithms,
      keys: jwtKeys,
      remote: jwtJwksUrl === undefined ? undefined : { find: (kid) => this.#fetchedKeys?.find(kid) },
      audience: jwtAudience,
      issuer: jwtIssuer,
      clock: this.#clock,
    });
    this.#authenticate = (token) => {
      const principal = authenticate(token);
      this.#erasing.refuse(principal.user.id);
      return principal;
    };
  }

  /**
   * Takes Ashlar's own paths of an HTTP server (see `prefix`) and none of the app's, whether the app's handler was added before or is added
   * later. Until this resolves those paths answer 503.
   * @throws AshlarError `storage-locked`, `storage-damaged`, `storage-unavailable`
   */
  async initialize(httpServer: HttpServer): Promise<void> {
    if (this.#state !== 'new') throw new AshlarError('invalid-options', { detail: 'initialize is called once' });
    if (typeof (httpServer as Partial<HttpServer> | undefined)?.listeners !== 'function')
      throw new AshlarError('invalid-options', { detail: 'initialize(httpServer): an http.Server of Node' });
    this.#state = 'starting';
    this.#starting = this.#start(httpServer);
    try {
      await this.#starting;
      if (this.#closing !== null) throw new AshlarError('server-closing', { detail: 'closed while it started' });
    } catch (error) {
      await this.close();
      throw AshlarError.from(error);
    }
    this.#state = 'ready';
  }

  async #start(httpServer: HttpServer): Promise<void> {
    const { limits, prefix, allowedOrigins, jwtJwksUrl } = this.#settings;
    if (jwtJwksUrl !== undefined)
      this.#fetchedKeys = createRemoteKeys({ url: jwtJwksUrl, clock: this.#clock, fetch, log: this.#log });
    const unavailable = () => this.#unavailable();
    const io = createSocketServer(httpServer, {
      path: `${prefix}/socket.io`,
      allowedOrigins,
      connectTimeout: Math.min(limits.connectTimeoutMs, LONGEST_TIMER_MS),
      unavailable,
    });
    this.#io = io;
    this.#http = attachHttpApi(httpServer, {
      clock: this.#clock,
      settings: this.#settings,
      catalog: createCatalog(this.#own),
      authenticate: this.#authenticate,
      audit: this.#audit,
      metrics: this.#metrics,
      log: this.#log,
      userBudgets: this.#userBudgets,
      addresses: this.#addresses,
      unavailable,
      publish: async (user, events, key) => this.#underWay.follow(this.#ready().publisher.publishAll(user, events, key)),
      stats: () => this.getStats(),
      probe: () => this.#storeOf().probe(),
    });
    const { bytes, warnAt } = this.#settings.quota;
    this.#store =
      this.#givenStore ??
      (await openSqliteStore({
        dataDir: this.#settings.dataDir,
        clock: this.#clock,
        log: this.#log,
        quota: bytes === undefined ? undefined : { bytes, warnAt },
        onSpace: watchQuota({
          warnAt,
          log: this.#log,
          changed: (now) => this.#hooks.emit('storage:quota', now),
        }),
      }));
    this.#workers = createDocumentWorkers({ clock: this.#clock, threads: 2 });
    this.#platform = this.#assemble(io, this.#store, this.#workers);
  }

  /**
   * Sends an event to every connected socket whose user may read the event's room, joined or not. Resolves when the delivery class's
   * promise holds (log: on disk).
   * @throws AshlarError `unknown-event`, `invalid-payload`, `wrong-room` (the event has many rooms: use `toRoom`), `storage-…`
   */
  broadcast<Name extends BackendEvent<Own>>(event: Name, data: Payload<Own, Name>): Promise<PublishedAs> {
    return this.#publish({ event, data });
  }

  /** Sends an event into a room. @throws AshlarError `wrong-room` where the event does not belong there; `invalid-room`; as `broadcast` */
  async toRoom<Name extends BackendEvent<Own>>(room: string, event: Name, data: Payload<Own, Name>): Promise<PublishedAs> {
    // One that is undefined would be a broadcast.
    return this.#publish({ event, data, room: parseRoomName(room) });
  }

  /**
   * Sends an event to all sockets of one user, through the room `user:<id>`.
   * @throws AshlarError `invalid-payload` for an id that no token can have; as `toRoom`
   */
  async toUser<Name extends BackendEvent<Own>>(userId: string, event: Name, data: Payload<Own, Name>): Promise<PublishedAs> {
    checkUserId(userId);
    return this.#publish({ event, data, userId });
  }

  /** Who is connected, and how many sockets each room has. */
  getStats(): Stats {
    const connections = [...(this.#platform?.connections.values() ?? [])];
    const rooms: { [room: string]: number } = {};
    for (const room of this.#platform?.rooms.values() ?? []) if (room.members.size > 0) rooms[room.name] = room.members.size;
    return {
      totalConnections: connections.length,
      totalUsers: new Set(connections.map((connection) => connection.user.id)).size,
      rooms,
    };
  }

  /** The server's counters in Prometheus' text form: what `GET /metrics` answers, for a page or a port of the product's own. */
  metrics(): Promise<string> {
    return this.#metrics.render();
  }

  /** Stores what a user may do in a room, above every other rule; open sockets follow at once. @throws AshlarError `invalid-room`, `storage-…` */
  async grant(userId: string, room: string, access: Access): Promise<void> {
    return this.#underWay.follow(this.#ready().setAccess(parseRoomName(room), userId, access, 'backend'));
  }

  /** As `grant` with `none`: the user's sockets are out of the room before this resolves. */
  revoke(userId: string, room: string): Promise<void> {
    return this.grant(userId, room, 'none');
  }

  /**
   * After a change that only the product's `authorize` callback knows of, such as another role: asks it anew for each room that the user's open
   * sockets are in, and puts them out of those they may no longer read. Resolves when that is done.
   * @throws AshlarError `invalid-payload` for an id that no token can have
   */
  async recheckAccess(userId: string): Promise<void> {
    checkUserId(userId);
    return this.#ready().rechecks.ask(userId);
  }

  /**
   * Erases a user: what it sent, its own room, its name on what it wrote with others, its grants, sessions and keys, from the store and from
   * memory. Its sockets are closed, and until this resolves it cannot come back; afterwards a token that is still good makes a new, empty user
   * of it, so stop signing them first. Writes wait while the database is written anew.
   * @returns what went, and what others still say of it
   * @throws AshlarError `invalid-room` where it is no user's id; `storage-…`: done in part at most, to be done again
   */
  async eraseUser(userId: string): Promise<Erasure> {
    return this.#ready().eraseUser(userId);
  }

  /** Listens to what happens. @returns a function that takes the handler off again */
  on<Name extends ServerEventName>(event: Name, handler: ServerEventHandler<Name>): () => void {
    return this.#hooks.on(event, handler);
  }

  /**
   * Drains: takes nothing new, tells clients to reconnect, commits what is under way, lets go of the data. The HTTP server stays open.
   * @throws AshlarError `timeout` where the disk hangs for 10 s: what was under way is not confirmed, and the data let go of with the process
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    // What it opens is let go of when it has it.
    await this.#starting?.catch(() => {});
    const platform = this.#platform;
    tellClosing(platform?.connections.values() ?? []);
    const patience = new Patience(this.#clock, DISK_MS);
    // What was taken before this may still wait for its room to be read.
    await patience.wait(this.#underWay.settled().then(() => platform?.rooms.groupCommit.settled()));
    if (this.#io !== null) await closeConnections(this.#io, this.#clock, DRAIN_MS);
    this.#expiries?.close();
    await patience.wait(platform?.close());
    await this.#io?.close();
    this.#http?.detach();
    this.#fetchedKeys?.close();
    this.#metrics.close();
    await this.#workers?.close();
    await patience.wait(this.#store?.close());
    this.#state = 'closed';
    if (patience.end()) throw new AshlarError('timeout', { detail: `the store did not close in ${DISK_MS / 1_000} s` });
  }

  #assemble(io: Server, store: Store, workers: DocumentWorkers): Platform {
    const { limits, trustedProxies } = this.#settings;
    const clock = this.#clock;
    const log = this.#log;
    const audit = this.#audit;
    const platform = new Platform({
      settings: this.#settings,
      catalog: createCatalog(this.#own),
      store,
      workers,
      clock,
      log,
      hooks: this.#hooks,
      audit,
      metrics: this.#metrics,
      authorize: this.#authorize,
      erasing: this.#erasing,
      soon: setImmediate,
    });
    const authenticate = this.#authenticate;
    const expiries = new Expiries({
      clock,
      connections: () => platform.connections.values(),
      expired: (connection) => {
        audit.expired(connection);
        connection.tell('error', new AshlarError('token-expired').toWire());
        connection.close();
      },
    });
    this.#expiries = expiries;
    registerRenewal(platform.guard, authenticate, clock, (connection) => {
      audit.renewed(connection);
      expiries.watch(connection);
      void platform.recheck(connection);
    });
    acceptSockets(io, {
      guard: platform.guard,
      soon: setImmediate,
      clock,
      limits,
      authenticate,
      authorizer: platform.authorizer,
      addresses: this.#addresses,
      clientAddress: createClientAddress(trustedProxies),
      userBudgets: this.#userBudgets,
      connected: (connection, autoJoin, address) => {
        audit.connected(connection, address);
        platform.connected(connection);
        expiries.watch(connection);
        if (autoJoin) void platform.joinStanding(connection);
        log.info({ userId: connection.user.id, socketId: connection.id }, 'websocket:connection');
        this.#hooks.emit('connection', { user: connection.user, socketId: connection.id });
      },
      disconnected: (connection, reason, unreadable) => {
        platform.disconnected(connection);
        if (unreadable !== undefined) this.#metrics.refused(unreadable.code, 'socket');
        const { code, detail } = unreadable ?? {};
        log.info({ userId: connection.user.id, socketId: connection.id, reason, code, detail }, 'websocket:disconnection');
        this.#hooks.emit('disconnection', { user: connection.user, socketId: connection.id, reason });
      },
      refused: (address, error) => {
        this.#metrics.refused(error.code, 'handshake');
        audit.handshakeRefused(address, error);
        log.info({ address, code: error.code }, 'websocket:refused');
      },
    });
    return platform;
  }

  #now(): MetricsNow {
    const connections = [...(this.#platform?.connections.values() ?? [])];
    const rooms = [...(this.#platform?.rooms.values() ?? [])];
    const space = this.#store?.space;
    const queues = connections.map(({ outbox }) => outbox.queuedBytes);
    return {
      connections: connections.length,
      users: new Set(connections.map(({ user }) => user.id)).size,
      rooms: rooms.length,
      members: rooms.reduce((sum, { members }) => sum + members.size, 0),
      queuedBytes: queues.reduce((sum, bytes) => sum + bytes, 0),
      queuedBytesMost: queues.reduce((most, bytes) => Math.max(most, bytes), 0),
      stored: space === undefined ? null : { ...space, quota: space.quota ?? 0 },
    };
  }

  async #publish(request: { event: string; data: unknown; room?: string; userId?: string }): Promise<PublishedAs> {
    return (await this.#underWay.follow(this.#ready().publisher.publish(request))).meta;
  }

  #ready(): Platform {
    if (this.#platform === null || this.#state === 'new' || this.#state === 'starting') throw new AshlarError('not-ready');
    if (this.#state !== 'ready') throw new AshlarError('server-closing');
    return this.#platform;
  }

  #storeOf(): Store {
    if (this.#store === null) throw new AshlarError('not-ready');
    return this.#store;
  }

  #unavailable(): AshlarError | undefined {
    if (this.#state === 'ready') return undefined;
    return new AshlarError(this.#state === 'closing' || this.#state === 'closed' ? 'server-closing' : 'not-ready', {
      retryAfterMs: 1_000,
    });
  }
}

type BackendEvent<Own extends Events> = EventNameBy<WithCatalog<Own>, 'backend'>;
type Payload<Own extends Events, Name extends string> = PayloadOf<WithCatalog<Own>, Name>;
