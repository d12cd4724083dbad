import { type Access, permits } from '../../shared/access.ts';
import { AshlarError, type ErrorCode } from '../../shared/errors.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../rooms/connection.ts';
import type { BudgetKind } from './budgets.ts';

declare const passed: unique symbol;

/** A message that passed every step. Only the guard makes one, so that no handler can be fed past it. */
export interface Admitted<Payload> {
  readonly connection: Connection;
  readonly user: User;
  readonly room: RoomName;
  readonly access: Access;
  readonly payload: Payload;
  /** `meta.id` of a client's event. */
  readonly id: string | undefined;
  readonly [passed]: true;
}

/** The cheap look at a message: which room it names, and what is still to be validated. */
export interface Glance {
  readonly room: unknown;
  readonly payload: unknown;
  readonly id?: string | undefined;
}

/** How one kind of message passes the guard. */
export interface Rule<Payload> {
  /** The Socket.IO event's name. */
  readonly name: string;
  /** What it is charged to; null: charged by its handler, by cost. */
  readonly budget: BudgetKind | null;
  /**
   * Access needed in the room that it names. `membership`: the decision made at the join counts, and nobody else is asked, so that what has
   * no budget of its own reaches no product's callback. `nothing`: nobody is asked (leaving, and what concerns one's own connection).
   */
  readonly needs: Exclude<Access, 'none'> | 'membership' | 'nothing';
  /** Decides anew, past the cache: joins. What names the room meanwhile waits for it. */
  readonly joins?: boolean;
  /** Reads name and room, no more. @throws AshlarError */
  glance(args: readonly unknown[], user: User): Glance;
  /** Validates the payload. @throws AshlarError */
  parse(payload: unknown): Payload;
}

/** What a handler gives back: the ack's answer, and what follows behind it. */
export interface Outcome {
  readonly answer?: object;
  /** The room whose content the answer is: it is given only while the asker may read that, and taken back with the access to it. */
  readonly content?: RoomName;
  readonly after?: () => void;
}

export type Handler<Payload> = (message: Admitted<Payload>) => Outcome | undefined | Promise<Outcome | undefined>;

/** A message that was charged, on its way to its handler. */
interface Arrival {
  readonly connection: Connection;
  readonly rule: Rule<unknown>;
  readonly handler: Handler<unknown>;
  readonly room: RoomName;
  readonly glance: Glance;
}

type Ack = (answer: object, content?: RoomName) => void;

export interface GuardOptions {
  readonly clock: Clock;
  /** Told of every refusal. `name`: the message's, which may be anything at all. */
  refused?(connection: Connection, name: string, code: ErrorCode, room: RoomName | undefined): void;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}

/**
 * The one pipeline that each inbound message passes, for events and documents alike: its bytes and packets were charged on arrival; then
 * authenticated → name and room read → within budget → authorized → validated → its handler. A handler is registered here or nowhere.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #entries = new Map<string, { rule: Rule<unknown>; handler: Handler<unknown> }>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Whether a message has its handler. */
  handles(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Registers the handler of one kind of message. @throws AshlarError `invalid-options` where the name has one already */
  handle<Payload>(rule: Rule<Payload>, handler: Handler<Payload>): void {
    if (this.#entries.has(rule.name)) throw new AshlarError('invalid-options', { detail: `two handlers for ${rule.name}` });
    this.#entries.set(rule.name, { rule: rule as Rule<unknown>, handler: handler as unknown as Handler<unknown> });
  }

  /**
   * Takes one Socket.IO event of a connection: `[name, ...arguments, ack?]`. Never throws: a refusal goes into the ack, or into the
   * event `error` where none was asked for.
   */
  receive(connection: Connection, packet: readonly unknown[]): void {
    const last = packet[packet.length - 1];
    const ack = typeof last === 'function' ? (last as Ack) : null;
    const args = packet.slice(1, ack === null ? undefined : -1);
    let room: RoomName | undefined;
    const refuse = (thrown: unknown) => this.#refuse(connection, ack, packet[0], thrown, room);
    try {
      this.#authenticated(connection);
      const entry = this.#entries.get(packet[0] as string);
      if (entry === undefined) throw this.#unknown(connection, packet[0]);
      const { rule, handler } = entry;
      const glance = rule.glance(args, connection.user);
      room = parseRoomName(glance.room);
      if (rule.budget !== null) {
        const taken = connection.budgets.take(rule.budget);
        if (!taken.ok) throw new AshlarError('rate-limited', { retryAfterMs: taken.retryAfterMs, room });
      }
      const outcome = this.#pass({ connection, rule, handler, room, glance });
      if (outcome instanceof Promise) {
        outcome
          .then(async (settled) => {
            if (settled?.content !== undefined) await requireStillRead(connection, settled.content);
            answer(connection, ack, settled);
          })
          .catch(refuse);
      } else answer(connection, ack, outcome);
    } catch (thrown) {
      refuse(thrown);
    }
  }

  // Synchronous wherever the decision is known: a document's updates must not overtake each other.
  #pass(arrival: Arrival): ReturnType<Handler<unknown>> {
    const { connection, rule, room } = arrival;
    const joining = connection.joining.get(room);
    if (rule.joins === true) {
      const turn = (joining ?? Promise.resolve())
        .catch(() => {})
        .then(async () => this.#admit(arrival, await connection.access.decide(room)));
      this.#nextTurn(connection, room, turn);
      return turn;
    }
    if (joining !== undefined) {
      // In line itself until its handler is called, and no longer: what comes later, another join too, must not overtake it.
      const started = joining.catch(() => {}).then(() => ({ outcome: this.#decided(arrival) }));
      this.#nextTurn(connection, room, started);
      return started.then(({ outcome }) => outcome);
    }
    return this.#decided(arrival);
  }

  #nextTurn(connection: Connection, room: RoomName, turn: Promise<unknown>): void {
    connection.joining.set(room, turn);
    const done = () => {
      if (connection.joining.get(room) === turn) connection.joining.delete(room);
    };
    turn.then(done, done);
  }

  #decided(arrival: Arrival): ReturnType<Handler<unknown>> {
    const { connection, rule, room } = arrival;
    if (rule.needs === 'nothing') return this.#admit(arrival, 'none');
    const member = connection.rooms.get(room);
    if (rule.needs === 'membership' && member === undefined) throw new AshlarError('not-a-member', { room });
    const access = member?.access ?? connection.access.cached(room);
    if (access !== undefined) return this.#admit(arrival, access);
    return connection.access.decide(room).then((decided) => this.#admit(arrival, decided));
  }

  #admit({ connection, rule, handler, room, glance }: Arrival, access: Access): ReturnType<Handler<unknown>> {
    if (connection.closed) throw new AshlarError('not-connected');
    const needed = rule.needs === 'membership' ? 'read' : rule.needs;
    if (needed !== 'nothing' && !permits(access, needed)) throw new AshlarError('access-denied', { room });
    const payload = rule.parse(glance.payload);
    const message = { connection, user: connection.user, room, access, payload, id: glance.id } as Admitted<unknown>;
    return handler(message);
  }

  // The expiry timer closes the socket; this covers what arrives before it fires.
  #authenticated(connection: Connection): void {
    if (connection.closed) throw new AshlarError('not-connected');
    if (connection.endsAt <= this.#options.clock.monotonic()) throw new AshlarError('token-expired');
  }

  #unknown(connection: Connection, name: unknown): AshlarError {
    const taken = connection.budgets.take('joins');
    if (!taken.ok) return new AshlarError('rate-limited', { retryAfterMs: taken.retryAfterMs });
    return new AshlarError('unknown-message', { detail: typeof name === 'string' ? name.slice(0, 64) : 'a message has a name' });
  }

  #refuse(connection: Connection, ack: Ack | null, name: unknown, thrown: unknown, room: RoomName | undefined): void {
    const error = AshlarError.from(thrown);
    this.#options.refused?.(connection, this.#entries.has(name as string) ? (name as string) : 'unknown', error.code, room);
    if (error.code === 'internal') {
      this.#options.log.error(
        { userId: connection.user.id, socketId: connection.id, room, err: error.cause ?? error },
        'guard:internal',
      );
    }
    const wire = { ...(room === undefined ? {} : { room }), ...error.toWire() };
    // What broke inside is for our log, not for the sender.
    if (error.code === 'internal') delete wire.detail;
    if (ack !== null) ack({ success: false, error: wire });
    else connection.tell('error', wire);
  }
}

// What was allowed when it was asked for may be read much later.
async function requireStillRead({ access }: Connection, room: RoomName): Promise<void> {
  if (!permits(access.cached(room) ?? (await access.decide(room)), 'read')) throw new AshlarError('access-denied', { room });
}

function answer(connection: Connection, ack: Ack | null, outcome: Outcome | undefined): void {
  if (ack !== null && !connection.closed) ack({ success: true, ...outcome?.answer }, outcome?.content);
  outcome?.after?.();
}
