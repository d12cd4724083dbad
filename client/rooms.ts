import type { Access } from '../shared/access.ts';
import { AshlarError } from '../shared/errors.ts';
import type { JoinAnswer } from '../shared/messages.ts';
import type { NotRecovered } from '../shared/position.ts';
import { isDocumentRoom, parseRoomName, userRoom } from '../shared/room-name.ts';
import { backoffMs, jittered } from './backoff.ts';
import type { Connector } from './connector.ts';
import type { Environment } from './environment.ts';
import { type Readable, type Writable, writable } from './readable.ts';
import { quiet, type Report } from './report.ts';
import { newCursor, type RoomCursor, startFrom } from './room-cursor.ts';

export type RoomStatus =
  | { readonly state: 'left' }
  /** Wanted, and not there yet: the join is under way, or waits for the connection. */
  | { readonly state: 'joining' }
  | {
      readonly state: 'joined';
      readonly access: Access;
      /**
       * Whether nothing was missed since the status before. False, with a `reason`: events may be missing; the state follows. A status
       * that only tells of another `access` says true.
       */
      readonly recovered: boolean;
      readonly reason: NotRecovered | undefined;
    }
  /** Tried again at the next connection, and with the next `joinRoom`; `too-many-rooms` by itself, since one may be left. */
  | { readonly state: 'refused'; readonly error: AshlarError };

/** What `joinRoom` resolves with. */
export type Joined = Pick<JoinAnswer, 'room' | 'access' | 'recovered'> & { reason?: NotRecovered | undefined };

interface Room {
  readonly name: string;
  readonly status: Writable<RoomStatus>;
  leases: number;
  cursor: RoomCursor;
  /** The last answer to a join, with the access of now. */
  last: Joined | null;
  /** The last join sent on this connection; an answer to an older one is ignored. 0: none. */
  join: number;
  failures: number;
  cancel: () => void;
}

const JOINING: RoomStatus = { state: 'joining' };
const LEAVE_GRACE_MS = 250;
const RETRY = { baseMs: 1_000, capMs: 30_000 };

/** The rooms that somebody wants to be in: joined once however many ask, again after a reconnect, left when all have gone. */
export class Rooms {
  readonly #connector: Connector;
  readonly #env: Environment;
  readonly #report: Report;
  readonly #rooms = new Map<string, Room>();
  readonly #statuses = new Map<string, Writable<RoomStatus>>();
  #up = false;
  #ownRoom: string | undefined;
  #joins = 0;

  constructor(connector: Connector, env: Environment, report: Report) {
    this.#connector = connector;
    this.#env = env;
    this.#report = report;
    // Read by every client, joined by the SDK itself: it knows its position there.
    this.#lease('system');
    connector.attach({
      up: (session) => this.#onUp(session.user.id),
      down: () => this.#onDown(),
      message: (event, args) => {
        if (event === 'room:access') this.#onAccess(args[0]);
      },
    });
  }

  /**
   * Takes a lease. Each call needs its own `leave`, also where it was refused.
   * @returns resolves once joined (offline it waits); rejects where the server refuses for good
   */
  join(name: string): Promise<Joined> {
    return quiet(
      new Promise((resolve, reject) => {
        parseRoomName(name);
        if (isDocumentRoom(name))
          throw new AshlarError('invalid-room', { detail: `open it with client.document('${name.slice(4)}')` });
        this.#connector.mustLive();
        const room = this.#lease(name);
        if (isJoined(room) && room.last !== null) {
          resolve(room.last);
          return;
        }
        const stop = room.status.subscribe((status) => {
          if (status.state === 'joining') return;
          stop();
          if (status.state === 'refused') reject(status.error);
          else if (status.state === 'left') reject(new AshlarError('client-closed', { room: name, detail: 'the room was left' }));
          // Set before the status, by the same answer.
          else resolve(room.last!);
        });
        this.#start(room);
      }),
    );
  }

  /** Gives one lease back. The room is left 250 ms after the last, so that a page change causes no traffic. */
  leave(name: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined || room.leases === 0) return;
    room.leases--;
    if (room.leases > 0) return;
    this.#env.after(LEAVE_GRACE_MS, () => {
      if (room.leases === 0 && this.#rooms.get(name) === room) this.#forget(room);
    });
  }

  /** Leaves all. */
  destroy(): void {
    for (const room of [...this.#rooms.values()]) this.#forget(room);
  }

  status(name: string): Readable<RoomStatus> {
    return this.#status(name);
  }

  /** The cursor of a room that the client is in or on its way to. */
  cursor(name: string): { cursor: RoomCursor; joined: boolean } | undefined {
    const room = this.#rooms.get(name);
    return room === undefined ? undefined : { cursor: room.cursor, joined: isJoined(room) };
  }

  cursors(): Iterable<RoomCursor> {
    return [...this.#rooms.values()].map((room) => room.cursor);
  }

  #lease(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = {
        name,
        status: this.#status(name),
        leases: 0,
        cursor: newCursor(),
        last: null,
        join: 0,
        failures: 0,
        cancel: () => {},
      };
      this.#rooms.set(name, room);
      room.status.set(JOINING);
    }
    room.leases++;
    return room;
  }

  #forget(room: Room): void {
    this.#rooms.delete(room.name);
    room.cancel();
    if (isSent(room)) this.#connector.send('leave-room', [room.name]);
    room.join = 0;
    room.status.set({ state: 'left' });
  }

  #onUp(userId: string): void {
    const own = userRoom(userId);
    if (own !== this.#ownRoom) {
      const former = this.#rooms.get(this.#ownRoom ?? '');
      // What another user was told is not what this one has.
      for (const room of this.#rooms.values()) room.cursor = newCursor();
      this.#ownRoom = own;
      this.#lease(own);
      if (former && --former.leases === 0) this.#forget(former);
    }
    this.#up = true;
    for (const room of [...this.#rooms.values()]) this.#start(room);
  }

  #onDown(): void {
    this.#up = false;
    for (const room of this.#rooms.values()) {
      room.cancel();
      room.join = 0;
      room.status.set(JOINING);
    }
  }

  #start(room: Room): void {
    if (isSent(room)) return;
    room.cancel();
    if (this.#up) this.#send(room);
  }

  #send(room: Room): void {
    const join = ++this.#joins;
    room.join = join;
    room.status.set(JOINING);
    const { position } = room.cursor;
    // The answer is read in the order of the wire, before the events that follow it.
    this.#connector.request('join-room', position === null ? [room.name] : [room.name, position], (error, answer) => {
      if (room.join !== join) return;
      if (error === null) this.#joined(room, answer as JoinAnswer);
      else this.#refused(room, error);
    });
  }

  #joined(room: Room, answer: JoinAnswer): void {
    // Told first, so that whoever sees the answer sees a status that fits it.
    if (room.last !== null && !answer.recovered) this.#connector.missed();
    room.failures = 0;
    startFrom(room.cursor, answer);
    const { access, recovered, reason } = answer;
    room.last = { room: room.name, access, recovered, reason };
    room.status.set({ state: 'joined', access, recovered, reason });
  }

  #refused(room: Room, error: AshlarError): void {
    if (error.code === 'not-connected') return;
    if (error.retry === 'later') {
      const wait = error.retryAfterMs === undefined ? 0 : jittered(error.retryAfterMs, this.#env.random());
      const delay = Math.max(wait, backoffMs(++room.failures, this.#env.random(), RETRY));
      room.cancel = this.#env.after(delay, () => this.#send(room));
      // This one lasts until a room is left, and somebody should hear of it.
      if (error.code !== 'too-many-rooms') return;
    }
    if (room.last !== null) this.#connector.missed();
    // A position of before the refusal stays good: what was missed follows if the user is let in again.
    room.status.set({ state: 'refused', error });
  }

  #onAccess(update: unknown): void {
    const { room: name, access } = (update ?? {}) as { room?: unknown; access?: Access };
    const room = typeof name === 'string' ? this.#rooms.get(name) : undefined;
    if (room === undefined || access === undefined) return;
    const status = room.status.get();
    if (status.state === 'refused') {
      // Told that it may come in after all.
      if (status.error.code === 'access-denied' && access !== 'none') this.#start(room);
    } else if (status.state === 'joined' && status.access !== access) {
      if (room.last !== null) room.last = { ...room.last, access };
      // What the join said of missing events has been told, and is no news.
      if (access !== 'none') room.status.set({ state: 'joined', access, recovered: true, reason: undefined });
      else room.status.set({ state: 'refused', error: new AshlarError('access-denied', { room: room.name }) });
    }
  }

  #status(name: string): Writable<RoomStatus> {
    let status = this.#statuses.get(name);
    if (status === undefined) {
      status = writable<RoomStatus>({ state: 'left' }, this.#report, { same: sameStatus });
      this.#statuses.set(name, status);
    }
    return status;
  }
}

function isJoined({ status }: Room): boolean {
  return status.get().state === 'joined';
}

/** The server counts us in, or is about to. */
function isSent({ join, status }: Room): boolean {
  return join !== 0 && status.get().state !== 'refused';
}

function sameStatus(left: RoomStatus, right: RoomStatus): boolean {
  if (left.state === 'joined' || left.state === 'refused') return false;
  return left.state === right.state;
}
