import { Socket as Engine } from 'engine.io-client';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import type { Environment } from './environment.ts';

export interface SocketIoOptions {
  /** As `io(url)` takes it; undefined: the page's own. */
  readonly url: string | undefined;
  readonly path: string;
  readonly transports: readonly ('websocket' | 'polling')[];
  /** What the server's handshake gets. */
  readonly auth: Readonly<Record<string, unknown>>;
}

export interface SocketIoEvents {
  event(name: string, args: readonly unknown[]): void;
  /** The server refused the connection. @param data of its error; undefined: it gave none */
  refused(data: unknown): void;
  /** The connection is gone, or could not be opened. Nothing follows. @param byServer it was told to be over */
  lost(byServer: boolean): void;
}

/** @param missing why there is no answer; null: there is */
export type AckListener = (missing: 'timeout' | 'not-connected' | null, answer: unknown) => void;

const NAMESPACE = '/';

/**
 * One Socket.IO connection (protocol 5, main namespace), from opening to its end: engine.io-client's transports and socket.io-parser's packets.
 * socket.io-client would bring reconnecting, buffers, retries and namespaces, which are the connector's own here, or of no use, and
 * 3 kB to every page.
 */
export class SocketIo {
  readonly #env: Pick<Environment, 'after'>;
  readonly #events: SocketIoEvents;
  readonly #engine: Engine;
  readonly #encoder = new Encoder();
  readonly #decoder = new Decoder();
  readonly #acks = new Map<number, AckListener>();
  #sent = 0;
  #id: string | null = null;
  #over = false;

  /** Opens at once. */
  constructor({ url, path, transports, auth }: SocketIoOptions, events: SocketIoEvents, env: Pick<Environment, 'after'>) {
    this.#events = events;
    this.#env = env;
    // WebSocket first, long-polling where that cannot be opened.
    const options = { path, transports: [...transports], tryAllTransports: true };
    this.#engine = url === undefined || url === '/' ? new Engine(options) : new Engine(absolute(url), options);
    this.#engine.on('open', () => this.#write({ type: PacketType.CONNECT, nsp: NAMESPACE, data: auth }));
    this.#engine.on('data', (data: unknown) => this.#read(data));
    this.#engine.on('close', () => this.#end(false));
    this.#decoder.on('decoded', (packet) => {
      // Later, so that what a listener throws is not taken for a broken packet.
      queueMicrotask(() => {
        if (!this.#over) this.#receive(packet);
      });
    });
  }

  /** The server's name for the connection; null: it has not let us in. */
  get id(): string | null {
    return this.#id;
  }

  /** The transport in use: engine.io-client's own, which says what it has not sent yet. */
  get transport(): unknown {
    return this.#engine.transport;
  }

  send(event: string, args: readonly unknown[]): void {
    this.#write({ type: PacketType.EVENT, nsp: NAMESPACE, data: [event, ...args] });
  }

  /** Sends, and listens for the answer. @param onAck called once */
  ask(event: string, args: readonly unknown[], timeoutMs: number, onAck: AckListener): void {
    const id = this.#sent++;
    const cancel = this.#env.after(timeoutMs, () => this.#settle(id, 'timeout', undefined));
    this.#acks.set(id, (missing, answer) => {
      cancel();
      onAck(missing, answer);
    });
    this.#write({ type: PacketType.EVENT, nsp: NAMESPACE, id, data: [event, ...args] });
  }

  /** Ends the connection; nothing is told of it but that questions have no answer. */
  close(): void {
    if (this.#over) return;
    if (this.#id !== null) this.#write({ type: PacketType.DISCONNECT, nsp: NAMESPACE });
    this.#stop();
    this.#settleAll();
  }

  #write(packet: Packet): void {
    // Text, or text and then its attachments.
    for (const part of this.#encoder.encode(packet)) this.#engine.write(part);
  }

  #read(data: unknown): void {
    if (this.#over) return;
    try {
      this.#decoder.add(data);
    } catch {
      this.#end(false);
    }
  }

  #receive({ type, nsp, id, data }: Packet): void {
    if (nsp !== NAMESPACE) return;
    switch (type) {
      case PacketType.CONNECT:
        this.#id = data?.sid ?? null;
        break;
      case PacketType.CONNECT_ERROR:
        this.#stop();
        this.#events.refused(data?.data);
        break;
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        this.#events.event(data[0], data.slice(1));
        break;
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        if (id !== undefined) this.#settle(id, null, data[0]);
        break;
      case PacketType.DISCONNECT:
        this.#end(true);
        break;
    }
  }

  #end(byServer: boolean): void {
    if (this.#over) return;
    this.#stop();
    this.#events.lost(byServer);
    this.#settleAll();
  }

  #stop(): void {
    this.#over = true;
    this.#decoder.destroy();
    this.#engine.close();
  }

  #settle(id: number, missing: 'timeout' | 'not-connected' | null, answer: unknown): void {
    const onAck = this.#acks.get(id);
    this.#acks.delete(id);
    onAck?.(missing, answer);
  }

  #settleAll(): void {
    for (const id of [...this.#acks.keys()]) this.#settle(id, 'not-connected', undefined);
  }
}

/** An address without a protocol gets the page's. */
function absolute(url: string): string {
  if (/^(https?|wss?):\/\//.test(url)) return url;
  return `${globalThis.location?.protocol ?? 'https:'}//${url.replace(/^\/\//, '')}`;
}
