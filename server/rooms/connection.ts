import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { AccessCache } from '../guard/authorize.ts';
import type { SocketBudgets } from '../guard/budgets.ts';
import { SmallMap } from '../small-map.ts';
import { encodeEvent } from '../sockets/encode-packet.ts';
import type { Outbox } from '../sockets/outbox.ts';
import type { Member } from './member.ts';

/** What a connection needs of the transport: a socket in production, a few lines in a test. */
export interface ConnectionPort {
  readonly id: string;
  readonly outbox: Outbox;
  /** Closes the transport. */
  close(): void;
}

/** One authenticated socket: who it is, what it may do, what it is in, and its way out. */
export class Connection {
  readonly id: string;
  readonly outbox: Outbox;
  readonly access: AccessCache;
  readonly budgets: SocketBudgets;
  /** The rooms it is in. */
  readonly rooms = new Map<RoomName, Member>();
  /** Rooms that it is about to be in: they count against its limit. */
  entering = 0;
  /** Joins under way: what follows for such a room waits for it. */
  readonly joining = new SmallMap<RoomName, Promise<unknown>>();
  user: User;
  /** When the token ends, Unix ms: what the client is told. */
  expiresAt: number;
  /** When it ends by the monotonic clock: what counts, so that a jump of the wall clock logs nobody out. */
  endsAt: number;
  /** Set once, when the socket is gone: everything asynchronous checks it after each await. */
  closed = false;
  readonly #port: ConnectionPort;
  #reading: Promise<unknown> = Promise.resolve();

  /** @param ends when the token ends: Unix ms, and ms of the monotonic clock */
  constructor(
    port: ConnectionPort,
    user: User,
    ends: { at: number; monotonic: number },
    access: AccessCache,
    budgets: SocketBudgets,
  ) {
    this.id = port.id;
    this.outbox = port.outbox;
    this.#port = port;
    this.user = user;
    this.expiresAt = ends.at;
    this.endsAt = ends.monotonic;
    this.access = access;
    this.budgets = budgets;
  }

  /** Sends an event to this socket alone, beyond the queue's cap: for answers, refusals and the like, bounded by what the client asked for. */
  tell(event: string, ...args: readonly unknown[]): void {
    if (!this.closed) this.outbox.force(encodeEvent([event, ...args]));
  }

  /**
   * Reads pages for its answers one at a time: a hundred questions at once, whose answers nobody reads, hold one page's memory.
   * @throws AshlarError `not-connected` where the socket is gone before its turn
   */
  readInTurn<Page>(read: () => Promise<Page>): Promise<Page> {
    const turn = this.#reading.then(() => {
      if (this.closed) throw new AshlarError('not-connected');
      return read();
    });
    this.#reading = turn.catch(() => {});
    return turn;
  }

  /** Closes the transport. The rooms are left when the socket's disconnection is seen. */
  close(): void {
    this.#port.close();
  }
}
