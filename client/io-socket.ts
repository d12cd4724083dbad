import { Socket as Engine } from 'engine.io-client';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';

export interface IoSocketOptions {
  /** As `ConnectorOptions.url`. */
  url: string | undefined;
  path: string;
  transports: readonly ('websocket' | 'polling')[];
  /** What the server's middleware reads at the handshake. */
  auth: object;
}

/** What becomes of the connection. Nothing is told after `refused` or `closed`, nor after `disconnect`. */
export interface IoSocketListener {
  event(name: string, args: readonly unknown[]): void;
  /** The server's middleware said no. @param data what it sent along */
  refused(data: unknown): void;
  /** It could not be opened, or is gone. @param byServer the server closed it on purpose */
  closed(byServer: boolean): void;
}

const NAMESPACE = '/';

/**
 * One Socket.IO connection (protocol 5, the namespace `/`), open from its construction until it is lost. Of socket.io-client the SDK
 * would use no more than this: it decides itself when to connect again and what to send again, and a page that loads it pays for neither.
 */
export class IoSocket {
  readonly #engine: Engine;
  readonly #listener: IoSocketListener;
  readonly #encoder = new Encoder();
  readonly #decoder = new Decoder();
  readonly #acks = new Map<number, (answer: unknown) => void>();
  #nextAck = 0;
  #decoded: Packet | null = null;
  #id: string | null = null;
  #over = false;

  constructor({ url, path, transports, auth }: IoSocketOptions, listener: IoSocketListener) {
    this.#listener = listener;
    const options = { path, transports: [...transports], tryAllTransports: true };
    const address = addressOf(url);
    this.#engine = address === undefined ? new Engine(options) : new Engine(address, options);
    this.#decoder.on('decoded', (packet) => {
      this.#decoded = packet;
    });
    this.#engine
      .on('open', () => this.#write({ type: PacketType.CONNECT, nsp: NAMESPACE, data: auth }))
      .on('data', (data) => {
        if (!this.#over) this.#decode(data);
      })
      // A `close` follows an error of an open connection, and not always one of its opening.
      .on('error', () => this.#end(false))
      .on('close', () => this.#end(false));
  }

  /** The socket's id; null until the server accepted it. */
  get id(): string | null {
    return this.#id;
  }

  /** Engine.IO's transport: how much of what was sent is still here. */
  get transport(): unknown {
    return this.#engine.transport;
  }

  /** @param onAnswer called with the ack's first argument, in the order of the wire; with undefined where the connection goes before */
  emit(event: string, args: readonly unknown[], onAnswer?: (answer: unknown) => void): void {
    if (this.#over) {
      onAnswer?.(undefined);
      return;
    }
    const packet: Packet = { type: PacketType.EVENT, nsp: NAMESPACE, data: [event, ...args] };
    if (onAnswer !== undefined) {
      packet.id = this.#nextAck++;
      this.#acks.set(packet.id, onAnswer);
    }
    this.#write(packet);
  }

  /** Closes it. The listener hears nothing more. */
  disconnect(): void {
    if (this.#over) return;
    if (this.#id !== null) this.#write({ type: PacketType.DISCONNECT, nsp: NAMESPACE });
    this.#finish();
    this.#answerNobody();
  }

  #write(packet: Packet): void {
    for (const piece of this.#encoder.encode(packet)) this.#engine.write(piece);
  }

  #decode(data: unknown): void {
    try {
      this.#decoder.add(data);
    } catch {
      // Not Socket.IO: nothing that follows can be trusted.
      this.#end(false);
      return;
    }
    // Outside of the decoder: what a listener throws is no fault of the packet.
    const packet = this.#decoded;
    this.#decoded = null;
    if (packet !== null) this.#receive(packet);
  }

  #receive({ type, nsp, data, id }: Packet): void {
    if (nsp !== NAMESPACE) return;
    if (type === PacketType.CONNECT) {
      // A server of Socket.IO 2 names no id.
      if (typeof data?.sid === 'string') this.#id = data.sid;
      else this.#end(false);
    } else if (type === PacketType.CONNECT_ERROR) {
      this.#finish();
      this.#listener.refused(data?.data);
    } else if (type === PacketType.DISCONNECT) {
      this.#end(true);
    } else if (!Array.isArray(data)) {
      // An event or an answer without so much as a name: the parser lets it pass.
      this.#end(false);
    } else if (type === PacketType.ACK || type === PacketType.BINARY_ACK) {
      const onAnswer = this.#acks.get(id!);
      this.#acks.delete(id!);
      onAnswer?.(data[0]);
    } else {
      const [name, ...args] = data as [unknown, ...unknown[]];
      this.#listener.event(String(name), args);
    }
  }

  #end(byServer: boolean): void {
    if (this.#over) return;
    this.#finish();
    this.#listener.closed(byServer);
    this.#answerNobody();
  }

  #finish(): void {
    this.#over = true;
    this.#decoder.destroy();
    this.#engine.close();
  }

  #answerNobody(): void {
    const waiting = [...this.#acks.values()];
    this.#acks.clear();
    for (const onAnswer of waiting) onAnswer(undefined);
  }
}

// What Socket.IO's users may write: a host alone, `//host`, or a path of the page's own host.
function addressOf(url: string | undefined): string | undefined {
  if (url === undefined || /^\/(?!\/)/.test(url)) return undefined;
  if (/^(https?|wss?):\/\//.test(url)) return url;
  const protocol = typeof location === 'undefined' ? 'https:' : location.protocol;
  return `${protocol}//${url.replace(/^\/\//, '')}`;
}
