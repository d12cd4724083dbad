import { type AccessCache, type Authorizer, createAccessCache } from '../../server/guard/authorize.ts';
import { createSocketBudgets, type SocketBudgets } from '../../server/guard/budgets.ts';
import { Limits } from '../../server/options.ts';
import { Connection } from '../../server/rooms/connection.ts';
import type { EncodedPacket } from '../../server/sockets/encode-packet.ts';
import type { Outbox } from '../../server/sockets/outbox.ts';
import type { Access } from '../../shared/access.ts';
import type { User } from '../../shared/user.ts';
import type { ManualClock } from './manual-clock.ts';

/** One receiver's queue without a socket: the test says how much fits, and when it drains. */
export class FakeOutbox implements Outbox {
  /** Events that were taken, oldest first: `[name, ...arguments]`; attachments stand where they were. */
  readonly taken: unknown[][] = [];
  /** Packets that fit until the next `drain`. */
  room = Number.POSITIVE_INFINITY;
  queuedBytes = 0;
  portionBytes = 256 * 1024;
  closed = false;
  #waiting: (() => void)[] = [];

  offer(packet: EncodedPacket): 'sent' | 'full' {
    if (this.room <= 0) return 'full';
    this.room -= 1;
    this.force(packet);
    return 'sent';
  }

  force(packet: EncodedPacket): void {
    this.queuedBytes += packet.bytes;
    const [text, ...attachments] = packet.packets;
    this.taken.push(fill(JSON.parse(String(text).replace(/^\d*-?/, '')), attachments) as unknown[]);
  }

  closeIfStuck(): void {}

  asContentOf(_room: string, write: () => void): void {
    write();
  }

  withdraw(): void {}

  whenDrained(task: () => void): void {
    this.#waiting.push(task);
  }

  /** The client has read everything; from now on so many packets fit. */
  drain(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    this.queuedBytes = 0;
    for (const task of this.#waiting.splice(0)) task();
  }
}

function fill(value: unknown, attachments: readonly unknown[]): unknown {
  if (Array.isArray(value)) return value.map((entry) => fill(entry, attachments));
  if (typeof value !== 'object' || value === null) return value;
  const { _placeholder: placeholder, num } = value as { _placeholder?: boolean; num?: number };
  if (placeholder === true) return attachments[num as number];
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, attachments)]));
}

export interface FakeConnectionOptions {
  readonly clock: ManualClock;
  readonly userId?: string;
  /** Decides at each question; left out: `write`. */
  readonly decide?: (room: string) => Access | Promise<Access>;
  readonly limits?: Partial<Limits>;
  /** Unix ms; left out: an hour from now. */
  readonly expiresAt?: number;
}

/** An authenticated connection without a socket, with real budgets and a real cache of decisions. */
export function fakeConnection(options: FakeConnectionOptions): Connection & { readonly outbox: FakeOutbox } {
  const { clock, userId = 'ada', decide = () => 'write', limits = {} } = options;
  const user: User = { id: userId, name: userId, color: '#336699', roles: [], permissions: [] };
  const outbox = new FakeOutbox();
  const authorizer: Authorizer = {
    decide: async (_user, room) => decide(room),
    setGrant: async () => {},
    forgetUser: () => {},
    slot: () => 0,
    stamp: () => 0,
  };
  const access: AccessCache = createAccessCache(authorizer, user);
  const budgets: SocketBudgets = createSocketBudgets(Limits.parse(limits), clock);
  const at = options.expiresAt ?? clock.now() + 3_600_000;
  const port = { id: `socket-of-${userId}`, outbox, close: () => {} };
  return new Connection(port, user, { at, monotonic: clock.monotonic() + at - clock.now() }, access, budgets) as Connection & {
    readonly outbox: FakeOutbox;
  };
}
