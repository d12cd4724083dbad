import type { Socket } from 'socket.io';
import { dropConnection } from './drop-connection.ts';
import type { EncodedPacket } from './encode-packet.ts';
import { type SendQueue, sendQueueOf } from './send-queue.ts';
import { queuePacket, writeAtOnce, writePacket } from './write-packet.ts';

/**
 * One receiver's bounded queue: everything that is pushed to a socket goes through here, acks too.
 * Bytes count from `offer` until the kernel has taken them.
 */
export interface Outbox {
  /**
   * Queues a packet. `full`: nothing was queued; conflate a state event, catch a log event up from the log, drop an ephemeral one.
   * Order is the order of the calls. A queue that is at most half full takes any packet; a closed one takes and forgets it.
   */
  offer(packet: EncodedPacket): 'sent' | 'full';
  /** As `offer`, beyond the cap: for acks, refusals and the like, which are bounded by what the client asked for. */
  force(packet: EncodedPacket): void;
  /**
   * Before an answer that Socket.IO writes by itself: disconnects a client that has more waiting already than `force` may reach. It
   * asks and never reads.
   */
  closeIfStuck(): void;
  /**
   * Takes back what waits of a room's content, so that none of it arrives any more. A receiver that is so slow that some of it may be in the
   * transport already is disconnected: it comes back, and goes on in its other rooms from where it was.
   */
  withdraw(room: string): void;
  /** What `write` has Socket.IO write by itself, at once, counts as a room's content, for `withdraw`. */
  asContentOf(room: string, write: () => void): void;
  /** How much may be handed over in one go, bytes: at most half of the cap. Whoever has more waits with `whenDrained` between two goes. */
  readonly portionBytes: number;
  /** Bytes that wait for the kernel, ours and the transport's, and what it costs to keep them. */
  readonly queuedBytes: number;
  /**
   * Calls once when the queue has room again (at most half of its cap): never before it returns, and never once closed.
   * Tasks run in the order of the calls, each only while there is still room.
   */
  whenDrained(task: () => void): void;
  readonly closed: boolean;
}

const MOST_AT_ONCE = 256 * 1024;

export interface OutboxOptions {
  /** From here on `offer` says `full`. */
  capBytes: number;
  /**
   * What `force` may reach: a client that asks and never reads is disconnected beyond this. Default: twice `capBytes`.
   */
  hardCapBytes?: number;
}

/** Makes the outbox of a connected socket. Several of one connection share its queue. Nothing needs to be closed. */
export function createOutbox(socket: Socket, { capBytes, hardCapBytes = 2 * capBytes }: OutboxOptions): Outbox {
  const queue = sendQueueOf(socket.conn);
  return new SocketOutbox(socket, queue, capBytes, hardCapBytes);
}

class SocketOutbox implements Outbox {
  readonly #socket: Socket;
  readonly #queue: SendQueue;
  readonly #capBytes: number;
  readonly #hardCapBytes: number;

  constructor(socket: Socket, queue: SendQueue, capBytes: number, hardCapBytes: number) {
    this.#socket = socket;
    this.#queue = queue;
    this.#capBytes = capBytes;
    this.#hardCapBytes = hardCapBytes;
  }

  offer(packet: EncodedPacket): 'sent' | 'full' {
    if (writeAtOnce(this.#socket, packet, this.#queue)) return 'sent';
    // Counted as half the cap at most: else a packet above the cap would never find room, and its sender wait for ever.
    if (this.#queue.bytes + Math.min(packet.bytes, this.#capBytes / 2) > this.#capBytes && !this.closed) return 'full';
    queuePacket(this.#socket, packet);
    return 'sent';
  }

  force(packet: EncodedPacket): void {
    writePacket(this.#socket, packet, this.#queue);
    if (this.#queue.bytes > Math.max(this.#hardCapBytes, packet.bytes * 2)) dropConnection(this.#socket.conn);
  }

  closeIfStuck(): void {
    if (!this.closed && this.#queue.bytes > this.#hardCapBytes) dropConnection(this.#socket.conn);
  }

  withdraw(room: string): void {
    if (!this.closed && !this.#queue.withdraw(room)) dropConnection(this.#socket.conn);
  }

  asContentOf(room: string, write: () => void): void {
    this.#queue.asContentOf(room, write);
  }

  get portionBytes(): number {
    return Math.min(MOST_AT_ONCE, this.#capBytes / 2);
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  whenDrained(task: () => void): void {
    this.#queue.whenAtMost(this.#capBytes / 2, task);
  }

  get closed(): boolean {
    return !this.#socket.connected || this.#socket.conn.readyState !== 'open';
  }
}
