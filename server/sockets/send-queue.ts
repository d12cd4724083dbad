import type { Socket } from 'socket.io';
import { abandonPolls, polledBytes } from './bounded-polling.ts';
import { gathers, joinFrames } from './write-together.ts';

type Connection = Socket['conn'];
type Transport = Connection['transport'];

/** A packet in the engine's hands, as far as its cost goes. */
interface EnginePacket {
  readonly data?: string | ArrayBuffer | ArrayBufferView;
  options?: { readonly wsPreEncodedFrame?: readonly Uint8Array[]; readonly room?: string };
}

/**
 * What a waiting packet costs besides its bytes, about: the engine's object and options (145 bytes measured), then the stream's
 * write request. Without it a cap of 4 MB would hold 200,000 packets of 20 bytes, which are really 35 MB.
 */
const PACKET_OVERHEAD_BYTES = 200;

interface FrameSender {
  sendFrame(frames: readonly Uint8Array[], done: () => void): void;
}

/** What engine.io's WebSocket transport has and its types hide. */
interface WritableTransport {
  readonly writable: boolean;
  readonly socket?: {
    readonly bufferedAmount: number;
    readonly readyState: number;
    readonly _sender?: FrameSender;
  };
}

const WEBSOCKET_OPEN = 1;

/** Writes past the engine that are not yet reported: what the kernel took at once is, after the current turn. */
const MOST_WRITES = 1_000;

/** As much as is gathered before it is written. */
const MOST_GATHERED_BYTES = 16 * 1024;

interface Waiter {
  readonly limit: number;
  readonly task: () => void;
}

const queues = new WeakMap<Connection, SendQueue>();

/** The queue of a connection; made when first asked for. */
export function sendQueueOf(conn: Connection): SendQueue {
  let queue = queues.get(conn);
  if (queue === undefined) {
    queue = new SendQueue(conn);
    queues.set(conn, queue);
  }
  return queue;
}

/**
 * Counts what waits on one connection until the kernel has it, whoever sent it: our packets, Socket.IO's own, pings. The
 * engine's `drain` says only that packets were handed to the transport; so this follows them through the transport:
 *
 *     packetCreate → waiting in the engine → flush → under way in the transport (one batch at a time) → transport's drain → gone
 *
 * No timers: where something waits, a write is under way, and its end is an event.
 */
export class SendQueue {
  readonly #conn: Connection;
  #transport: Transport;
  /** Upgraded away from while its polls had bytes under way: a client need not have read them to say that it upgrades. */
  #former: Transport | undefined;
  #waitingBytes = 0;
  #packetsUnderWay = 0;
  /** Written past the engine, and not yet reported as written. */
  #writesUnderWay = 0;
  /** Taken by `writeThrough`, and not written yet. */
  #gathered: Uint8Array[] | null = null;
  #gatheredBytes = 0;
  #waiters: Waiter[] = [];
  /** The room whose content is being written by somebody else. */
  #contentOf: string | undefined;

  constructor(conn: Connection) {
    this.#conn = conn;
    this.#transport = conn.transport;
    for (const packet of (conn as unknown as { writeBuffer: EnginePacket[] }).writeBuffer) this.#waitingBytes += costOf(packet);
    conn.on('packetCreate', (packet: EnginePacket) => {
      this.writeGathered();
      if (this.#contentOf !== undefined) packet.options = { ...packet.options, room: this.#contentOf };
      this.#waitingBytes += costOf(packet);
    });
    conn.on('flush', (packets: readonly EnginePacket[]) => {
      this.#waitingBytes = 0;
      this.#packetsUnderWay += packets.length;
    });
    this.#follow(conn.transport);
  }

  /** Bytes that wait, with what it costs to keep them. */
  get bytes(): number {
    // What a dropped connection held is let go with it.
    if (this.#closed) return 0;
    return (
      this.#waitingBytes +
      this.#gatheredBytes +
      (this.#packetsUnderWay + this.#writesUnderWay) * PACKET_OVERHEAD_BYTES +
      this.#unsentBytes
    );
  }

  /** What the transports have been given and the kernel has not. */
  get #unsentBytes(): number {
    return unsentBytes(this.#transport) + (this.#former === undefined ? 0 : polledBytes(this.#former));
  }

  /** Runs `task` once when at most `limit` bytes wait; never before this returns, and never on a closed connection. */
  whenAtMost(limit: number, task: () => void): void {
    if (this.#closed) return;
    this.#waiters.push({ limit, task });
    if (this.bytes <= limit) queueMicrotask(() => this.#runWaiters());
  }

  /** What is written meanwhile counts as a room's content. */
  asContentOf(room: string, write: () => void): void {
    this.#contentOf = room;
    try {
      write();
    } finally {
      this.#contentOf = undefined;
    }
  }

  /**
   * Takes back what waits of a room's content.
   * @returns false where the transport holds bytes that the kernel has not taken: what is among them cannot be taken back; and where
   *   the first part of a packet has left with a poll and its attachment waits: without it the client takes the next packet for it
   */
  withdraw(room: string): boolean {
    this.writeGathered();
    const { writeBuffer } = this.#conn as unknown as { writeBuffer: EnginePacket[] };
    const [next] = writeBuffer;
    const parted = next?.options?.room === room && next.options.wsPreEncodedFrame === undefined && typeof next.data !== 'string';
    for (let index = writeBuffer.length - 1; index >= 0; index--) {
      const packet = writeBuffer[index] as EnginePacket;
      if (packet.options?.room !== room) continue;
      writeBuffer.splice(index, 1);
      this.#waitingBytes -= costOf(packet);
    }
    return !parted && this.#unsentBytes === 0;
  }

  /**
   * Writes finished WebSocket frames past the engine, which spends more on a packet than the kernel does: only where nothing is before
   * them, in the engine or in the transport, so that the order is the same. What the kernel does not take at once counts as ever.
   * @returns false where they have to go through the engine
   */
  writeThrough(frames: Uint8Array): boolean {
    const { writable, socket } = this.#transport as unknown as WritableTransport;
    const sender = socket?._sender;
    if (
      !writable ||
      this.#waitingBytes > 0 ||
      this.#writesUnderWay >= MOST_WRITES ||
      this.#conn.readyState !== 'open' ||
      this.#conn.transport !== this.#transport
    )
      return false;
    if (socket?.readyState !== WEBSOCKET_OPEN || socket.bufferedAmount > 0 || sender?.sendFrame === undefined) return false;
    if (gathers(this)) this.#gather(frames);
    else this.#write(sender, frames);
    return true;
  }

  /** Writes what `writeThrough` took while writes were gathered. */
  writeGathered(): void {
    if (this.#gathered === null) return;
    const frames = joinFrames(this.#gathered);
    this.#gathered = null;
    this.#gatheredBytes = 0;
    const { socket } = this.#transport as unknown as WritableTransport;
    // Closed meanwhile: it is lost with the connection.
    if (socket?.readyState === WEBSOCKET_OPEN && socket._sender !== undefined) this.#write(socket._sender, frames);
  }

  #gather(frames: Uint8Array): void {
    this.#gathered ??= [];
    this.#gathered.push(frames);
    this.#gatheredBytes += frames.length;
    if (this.#gatheredBytes > MOST_GATHERED_BYTES) this.writeGathered();
  }

  #write(sender: FrameSender, frames: Uint8Array): void {
    this.#writesUnderWay += 1;
    sender.sendFrame([frames], this.#written);
  }

  readonly #written = (): void => {
    this.#writesUnderWay -= 1;
    if (this.#waiters.length > 0) this.#runWaiters();
  };

  #follow(transport: Transport): void {
    if (transport !== this.#transport) this.#leave(this.#transport);
    this.#transport = transport;
    // What a polling transport had under way was answered before the upgrade.
    this.#packetsUnderWay = 0;
    transport.on('drain', () => {
      // A transport that was upgraded away from may still report.
      if (transport !== this.#transport) return;
      this.#packetsUnderWay = 0;
      this.#runWaiters();
    });
    // A WebSocket is not upgraded any further, and each listener costs an idle connection a hundred bytes.
    if (transport.name === 'websocket') return;
    transport.on('flushed', () => this.#runWaiters());
    this.#conn.once('upgrade', (next: Transport) => this.#follow(next));
  }

  #leave(former: Transport): void {
    if (polledBytes(former) === 0) return;
    this.#former = former;
    former.on('flushed', () => {
      if (polledBytes(former) === 0) this.#former = undefined;
    });
    // Whoever ends the connection knows of its new transport alone.
    this.#conn.once('close', () => abandonPolls(former));
  }

  get #closed(): boolean {
    return this.#conn.readyState === 'closed';
  }

  #runWaiters(): void {
    if (this.#closed) this.#waiters = [];
    // Those that a task adds wait for the next event: a task that finds no room asks again, and would spin.
    for (let count = this.#waiters.length; count > 0; count--) {
      const first = this.#waiters[0];
      if (first === undefined || this.bytes > first.limit) return;
      this.#waiters.shift();
      first.task();
    }
  }
}

function costOf({ data, options }: EnginePacket): number {
  const frames = options?.wsPreEncodedFrame;
  let bytes = PACKET_OVERHEAD_BYTES;
  if (frames !== undefined) for (const frame of frames) bytes += frame.length;
  else if (typeof data === 'string') bytes += Buffer.byteLength(data);
  else if (data !== undefined) bytes += data.byteLength;
  return bytes;
}

/** What the transport has been given and the kernel has not. */
function unsentBytes(transport: Transport): number {
  if (transport.name === 'polling') return polledBytes(transport);
  const { socket } = transport as unknown as { socket?: { readonly bufferedAmount?: number } };
  return socket?.bufferedAmount ?? 0;
}
