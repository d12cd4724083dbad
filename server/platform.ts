import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type Access, permits } from '../shared/access.ts';
import type { Catalog } from '../shared/catalog.ts';
import type { AshlarError } from '../shared/errors.ts';
import { documentName, isDocumentRoom, parseRoomName, type RoomName, userRoom } from '../shared/room-name.ts';
import type { Audit, ChangedBy } from './audit.ts';
import type { Clock } from './clock.ts';
import { Compactor } from './documents/compactor.ts';
import { registerDocumentMessages } from './documents/document-messages.ts';
import type { DocumentPorts } from './documents/document-ports.ts';
import { DocumentRoom } from './documents/document-room.ts';
import { Documents } from './documents/documents.ts';
import { PrivateTransfers } from './documents/private-transfers.ts';
import { ReservedIds } from './documents/reserved-ids.ts';
import { WentBack } from './documents/went-back.ts';
import type { DocumentWorkers } from './documents/worker/document-workers.ts';
import { eraseUser } from './erase-user.ts';
import { keepCompleted } from './events/batch.ts';
import { registerChat } from './events/chat.ts';
import { registerDashboard } from './events/dashboard.ts';
import { readHistory } from './events/history.ts';
import { registerNotifications } from './events/notifications.ts';
import { registerOtherEvents } from './events/other-events.ts';
import { createPublish, type Publish } from './events/publish.ts';
import { createPublishOnce } from './events/publish-once.ts';
import { Retention } from './events/retention.ts';
import { startTyping } from './events/start-typing.ts';
import type { Typing } from './events/typing.ts';
import { type Authorizer, createAuthorizer } from './guard/authorize.ts';
import { checkGrant } from './guard/check-grant.ts';
import type { Erasing } from './guard/erasing.ts';
import { Guard } from './guard/guard.ts';
import { Rechecks } from './guard/rechecks.ts';
import type { Hooks } from './hooks.ts';
import { Publisher } from './http/publish-requests.ts';
import type { Metrics } from './metrics.ts';
import type { Authorize, Settings } from './options.ts';
import { createCatchUp } from './rooms/catch-up.ts';
import type { Connection } from './rooms/connection.ts';
import { EventRoom, type EventRoomPorts } from './rooms/event-room.ts';
import { encodeDomainEvent, fanOutEphemeral } from './rooms/fan-out.ts';
import type { Member } from './rooms/member.ts';
import { Membership } from './rooms/membership.ts';
import { createPresence, type Presence } from './rooms/presence.ts';
import type { Room } from './rooms/room.ts';
import { registerRoomMessages } from './rooms/room-messages.ts';
import { Rooms } from './rooms/rooms.ts';
import type { EncodedPacket } from './sockets/encode-packet.ts';
import type { Erasure, LogRecord, Store } from './storage/store.ts';

/** An Idempotency-Key is good for a day. */
const KEY_AGE_MS = 86_400_000;
/** What holds the event loop for longer than this is logged. */
const SLOW_MS = 250;
/** A loss of access is told within 100 ms, network included. */
const TELL_WITHIN_MS = 50;

export interface PlatformPorts {
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly store: Store;
  readonly workers: DocumentWorkers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hooks: Hooks;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly authorize: Authorize | undefined;
  readonly erasing: Erasing;
  /** Runs a task after the current turn of the event loop. */
  soon(task: () => void): void;
}

/** Everything behind the transport, put together: guard, rooms, events and documents over a store. No socket is named here. */
export class Platform {
  readonly guard: Guard;
  readonly authorizer: Authorizer;
  readonly rooms: Rooms;
  readonly membership: Membership;
  readonly documents: Documents;
  readonly publisher: Publisher;
  readonly connections = new Map<string, Connection>();
  readonly rechecks: Rechecks;
  readonly #ports: PlatformPorts;
  readonly #compactor: Compactor;
  readonly #presence: Presence;
  readonly #retention: Retention;
  readonly #typing: Typing;
  readonly #reservedIds = new ReservedIds();
  #cancelForgetting: () => void = () => {};

  constructor(ports: PlatformPorts) {
    const { settings, catalog, store, clock, log, audit, metrics } = ports;
    this.#ports = ports;
    this.guard = new Guard({
      clock,
      log,
      refused: (connection, name, code, room) => {
        // The SDK asks for it whatever its user may do: its refusal says nothing about anyone.
        if (name === 'join-room' && room === 'system' && code === 'access-denied') return;
        metrics.refused(code, 'socket');
        audit.refused(connection, name, code, room);
      },
    });
    this.authorizer = createAuthorizer({
      store,
      authorize: ports.authorize,
      defaultAccess: settings.defaultAccess,
      timeoutMs: settings.authorizeTimeoutMs,
      clock,
      log,
    });
    this.rechecks = new Rechecks({
      connectionsOf: (userId) => this.#connectionsOf(userId),
      follow: (connection) => this.recheck(connection),
      soon: ports.soon,
    });
    const catchUp = createCatchUp((member, error) => this.#stopped(member, error));
    this.#compactor = new Compactor({
      clock,
      log,
      ...settings.retention.documents,
      counted: (result) => metrics.compacted(result),
      quarantined: ({ room }, records) => this.#quarantined(room.name, records),
    });
    const documentPorts = this.#documentPorts(catchUp);
    const eventPorts: EventRoomPorts = {
      catalog,
      overflowRecords: settings.overflowRecords,
      history: (of, user, head) => readHistory(this.rooms, settings, of, user, head),
      catchUp,
    };
    this.rooms = new Rooms({
      store,
      clock,
      soon: ports.soon,
      catchUp,
      tally: metrics,
      erasing: ports.erasing,
      full: () => store.space?.full === true,
      waitingBytes: settings.limits.byteBurst,
      createContent: (room, lease) =>
        isDocumentRoom(room.name) ? new DocumentRoom(room, lease, documentPorts) : new EventRoom(room, eventPorts),
    });
    const presence = createPresence({
      clock,
      graceMs: settings.presenceGraceMs,
      changed: (name, users) => {
        const room = this.rooms.peek(name);
        if (room !== undefined)
          fanOutEphemeral(room, encodeDomainEvent('presence:update', { room: name, users }, { room: name, at: clock.now() }));
      },
    });
    this.membership = new Membership({
      rooms: this.rooms,
      presence,
      roomsPerSocket: settings.limits.roomsPerSocket,
      joined: ({ connection, room, access }) => audit.join(connection, room.name, access),
      left: (name, connection) => {
        audit.leave(connection, name);
        this.#typing.left(name, connection.id);
      },
    });
    const held = (room: RoomName, ms: number) => {
      metrics.documentHeld(ms);
      if (ms >= SLOW_MS) log.warn({ room, ms: Math.round(ms) }, 'document:slow');
    };
    this.documents = new Documents({ rooms: this.rooms, store, clock, held });
    this.#retention = new Retention({ clock, store, rooms: this.rooms, catalog, limits: settings.retention, log });
    const publish = keepCompleted(
      createPublish({
        clock,
        catchUp,
        toReaders: (room, packet) => this.#toReaders(room, packet),
        grown: (room) => this.#retention.grown(room),
      }),
    );
    this.publisher = new Publisher({ catalog, clock, rooms: this.rooms, store, publish, authorizer: this.authorizer });
    this.#presence = presence;
    this.#forgetKeys();
    this.#typing = this.#register(publish);
  }

  /** The rooms that a stock client is in without asking: the system's, and its own. */
  async joinStanding(connection: Connection): Promise<void> {
    for (const name of [parseRoomName('system'), userRoom(connection.user.id)]) {
      try {
        const access = await connection.access.decide(name);
        // The client may be quicker, with a position of its own.
        if (permits(access, 'read')) await this.membership.ensure(connection, name, access);
      } catch (error) {
        if (!connection.closed)
          this.#ports.log.warn({ socketId: connection.id, room: name, err: error }, 'room:standing-join-failed');
      }
    }
  }

  /** Every socket that is connected. */
  connected(connection: Connection): void {
    this.connections.set(connection.id, connection);
  }

  disconnected(connection: Connection): void {
    this.connections.delete(connection.id);
    this.membership.disconnected(connection);
  }

  /**
   * Stores a decision about one user in one room and acts on open sockets: what is taken away is gone before it is stored, what is
   * given holds once it is stored.
   */
  async setAccess(name: RoomName, userId: string, access: Access, by: ChangedBy): Promise<void> {
    checkGrant(name, userId, access);
    const members = () =>
      [...(this.rooms.peek(name)?.members.values() ?? [])].filter((member) => member.connection.user.id === userId);
    if (!permits(access, 'read')) {
      // Broadcasts, answers, and what a room that was left had still to send wait for sockets that are not in the room, too.
      for (const { rooms, outbox } of this.#connectionsOf(userId)) if (!rooms.has(name)) outbox.withdraw(name);
    }
    for (const member of members()) if (!permits(access, member.access)) this.#changeAccess(member, access);
    let stored = false;
    try {
      await this.authorizer.setGrant(name, userId, access);
      stored = true;
    } finally {
      this.#ports.audit.changed(by, { room: name, userId, access, stored });
    }
    // What holds by now, which another call may have changed meanwhile.
    for (const member of members()) await this.#followAccess(member);
    if (!permits(access, 'read')) return;
    // Whoever was put out, or was refused before, learns that it may come in.
    for (const connection of this.#connectionsOf(userId)) {
      if (!connection.rooms.has(name)) connection.tell('room:access', { room: name, access });
    }
  }

  /** Membership follows the claims of a renewed token: in all rooms at once, so that none waits for the answer about another. */
  async recheck({ rooms }: Connection): Promise<void> {
    await Promise.all([...rooms.values()].map((member) => this.#followAccess(member)));
  }

  #connectionsOf(userId: string): Connection[] {
    return [...this.connections.values()].filter((connection) => connection.user.id === userId);
  }

  /** Erases a user, from the store and from memory; its sockets are closed. */
  eraseUser(userId: string): Promise<Erasure> {
    const { store, audit, erasing } = this.#ports;
    return eraseUser(
      {
        store,
        rooms: this.rooms,
        connections: this.#connectionsOf(userId),
        erasing,
        authorizer: this.authorizer,
        presence: this.#presence,
        reservedIds: this.#reservedIds,
        audit,
        disconnected: (connection) => this.disconnected(connection),
      },
      userId,
    );
  }

  /** Waits for what is under way and ends it. */
  async close(): Promise<void> {
    this.#retention.close();
    await this.#compactor.close();
    const unsaved = await this.rooms.settled();
    if (unsaved.length > 0) this.#ports.log.error({ rooms: unsaved }, 'storage:states-lost');
    this.#cancelForgetting();
    this.rooms.close();
    this.#presence.close();
    this.#typing.close();
  }

  // Authors are told over whatever sockets they have, in the room or not.
  #quarantined(room: RoomName, records: readonly LogRecord[]): void {
    const userIds = [...new Set(records.map(({ userId }) => userId))];
    for (const connection of this.connections.values()) {
      const own = records.filter(({ userId }) => userId === connection.user.id).map(({ seq }) => seq);
      if (own.length > 0) connection.tell('document:quarantined', { room, seqs: own });
    }
    this.#ports.hooks.emit('document:quarantined', { name: documentName(room), seqs: records.map(({ seq }) => seq), userIds });
  }

  #forgetKeys(): void {
    const { clock, store, log } = this.#ports;
    store.forgetKeys(clock.now() - KEY_AGE_MS).catch((error: unknown) => log.warn({ err: error }, 'idempotency:forget-failed'));
    this.#cancelForgetting = clock.after(KEY_AGE_MS / 24, () => this.#forgetKeys());
  }

  async #followAccess(member: Member): Promise<void> {
    const access = await member.connection.access.decide(member.room.name).catch(() => 'none' as const);
    if (!member.gone && access !== member.access) this.#changeAccess(member, access);
  }

  #changeAccess(member: Member, access: Access): void {
    const { room, connection } = member;
    const tell = () => connection.tell('room:access', { room: room.name, access });
    if (access !== 'none') {
      member.access = access;
      tell();
      return;
    }
    // From here on nothing of the room leaves for it, also not what was queued before.
    this.membership.expel(member);
    connection.outbox.withdraw(room.name);
    room.content.dismissed(member);
    // Behind the acks of what it was allowed to write, but not for as long as a disk may hang.
    let told = false;
    const once = () => {
      if (!told) tell();
      told = true;
      cancel();
    };
    const cancel = this.#ports.clock.after(TELL_WITHIN_MS, once);
    void room.settled().then(once);
  }

  #stopped(member: Member, error: AshlarError): void {
    if (member.gone) return;
    this.#ports.log.warn({ room: member.room.name, socketId: member.connection.id, err: error }, 'room:catch-up-failed');
    // It must join again: better a socket that comes back than one that stands still.
    this.membership.evict(member);
    member.connection.tell('error', { ...error.toWire(), room: member.room.name });
  }

  // Decisions from the caches only; whoever is not yet decided is asked behind it.
  #toReaders(room: Room, packet: EncodedPacket): void {
    for (const connection of this.connections.values()) {
      // Who is about to join gets it from the log, or as a value, in its place.
      if (connection.rooms.has(room.name) || connection.joining.has(room.name)) continue;
      const access = connection.access.cached(room.name);
      if (access !== undefined) {
        if (permits(access, 'read')) connection.outbox.offer(packet);
        continue;
      }
      connection.access.decide(room.name).then(
        (decided) => {
          const joined = connection.rooms.has(room.name) || connection.joining.has(room.name);
          if (permits(decided, 'read') && !connection.closed && !joined) connection.outbox.offer(packet);
        },
        () => {},
      );
    }
  }

  #documentPorts(catchUp: (member: Member) => void): DocumentPorts {
    const { settings, clock, workers, hooks, store, log } = this.#ports;
    return {
      clock,
      workers,
      reservedIds: this.#reservedIds,
      wentBack: new WentBack({ clock, store, log }),
      privateTransfers: new PrivateTransfers(),
      overflowRecords: settings.overflowRecords,
      frameBytes: settings.limits.frameBytes,
      updateBytes: settings.limits.updateBytes,
      structsPerUpdate: settings.limits.structsPerUpdate,
      subdocuments: settings.subdocuments,
      compactAfterRecords: settings.compactAfterRecords,
      compactAfterBytes: settings.compactAfterBytes,
      hashSecret: (secret) => createHash('sha256').update(secret).digest('base64url'),
      catchUp,
      evict: (member) => this.membership.evict(member),
      refused: (member, code) => {
        this.#ports.metrics.refused(code, 'document');
        this.#ports.audit.refused(member.connection, 'document', code, member.room.name);
      },
      compact: (document, canWait) => this.#compactor.request(document, canWait),
      changed: (room, records) => {
        if (!hooks.has('document:changed')) return;
        const userIds = [...new Set(records.map((record) => record.userId))];
        hooks.emit('document:changed', { name: documentName(room.name), seq: room.head.seq, userIds });
      },
    };
  }

  #register(publish: Publish): Typing {
    const { settings, catalog, store, clock, hooks } = this.#ports;
    const { guard, rooms, membership } = this;
    const publishOnce = createPublishOnce(catalog, publish);
    const events = { guard, catalog, clock, settings, rooms, membership, store, hooks, publish, publishOnce };
    const typing = startTyping(events, (connectionId) => this.connections.get(connectionId));
    registerRoomMessages({
      guard,
      membership,
      presence: this.#presence,
      setAccess: (room, userId, access, by) => this.setAccess(room, userId, access, by),
    });
    registerDocumentMessages(guard);
    registerDashboard(events);
    registerChat(events, typing);
    registerNotifications(events);
    registerOtherEvents(events);
    return typing;
  }
}
