import { WebSocket } from 'ws';

/** A CONNECT that the server refused. */
export class ConnectRefused extends Error {
  readonly data: { code: string; retryAfterMs?: number };

  constructor(message: string, data: { code: string }) {
    super(message);
    this.data = data;
  }
}

export interface WireHandlers {
  event(name: string, args: readonly unknown[]): void;
  closed(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field, as a script would.
export type Answer = any;

/** One connection: Socket.IO 5 over Engine.IO 4 over one WebSocket, by hand. */
export class WireConnection {
  readonly #socket: WebSocket;
  readonly #handlers: WireHandlers;
  readonly #acks = new Map<number, (answer: Answer) => void>();
  #nextAck = 0;
  #pingDeadlineMs = 0;
  #pingTimer: NodeJS.Timeout | undefined;
  /** An event whose attachments are still to come. */
  #partial: { data: unknown[]; ack: number | null; missing: number; attachments: Uint8Array[] } | null = null;
  #connected: ((refusal: ConnectRefused | null) => void) | null = null;

  private constructor(socket: WebSocket, handlers: WireHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
  }

  /** @throws ConnectRefused; an Error where the WebSocket does not open */
  static open(url: string, auth: object, handlers: WireHandlers): Promise<WireConnection> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const connection = new WireConnection(socket, handlers);
    return new Promise((resolve, reject) => {
      connection.#connected = (refusal) => {
        connection.#connected = null;
        if (refusal === null) return resolve(connection);
        socket.close();
        reject(refusal);
      };
      socket.on('message', (raw: Buffer, binary: boolean) => connection.#received(raw, binary, auth));
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(connection.#pingTimer);
        if (connection.#connected !== null) reject(new Error('closed before it was connected'));
        else handlers.closed();
      });
    });
  }

  emit(name: string, ...args: readonly unknown[]): void {
    this.#send([name, ...args], '');
  }

  /**
   * Emits with an ack. `onAnswer` runs before the next message is looked at: what follows a join's answer counts from it. It never runs
   * where the connection is lost first: the caller asks again on the next one.
   */
  ask(onAnswer: (answer: Answer) => void, name: string, ...args: readonly unknown[]): void {
    const id = this.#nextAck++;
    this.#acks.set(id, onAnswer);
    this.#send([name, ...args], String(id));
  }

  /** Says goodbye. */
  close(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('41');
    this.#socket.close();
  }

  /** As if the network went away. */
  cut(): void {
    this.#socket.terminate();
  }

  #send(data: readonly unknown[], ackId: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const attachments: Uint8Array[] = [];
    const json = JSON.stringify(
      data.map((value) => {
        if (!(value instanceof Uint8Array)) return value;
        attachments.push(value);
        return { _placeholder: true, num: attachments.length - 1 };
      }),
    );
    this.#socket.send(attachments.length === 0 ? `42${ackId}${json}` : `45${attachments.length}-${ackId}${json}`);
    for (const attachment of attachments) this.#socket.send(attachment);
  }

  #received(raw: Buffer, binary: boolean, auth: object): void {
    if (binary) {
      this.#attachment(new Uint8Array(raw));
      return;
    }
    const text = raw.toString('utf8');
    switch (text[0]) {
      case '0': {
        const { pingInterval, pingTimeout } = JSON.parse(text.slice(1)) as { pingInterval: number; pingTimeout: number };
        this.#pingDeadlineMs = pingInterval + pingTimeout;
        this.#heard();
        this.#socket.send(`40${JSON.stringify(auth)}`);
        break;
      }
      case '1':
        this.#socket.close();
        break;
      case '2':
        this.#heard();
        this.#socket.send('3');
        break;
      case '4':
        this.#packet(text.slice(1));
        break;
    }
  }

  // A server that has not pinged for so long is gone.
  #heard(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => this.#socket.terminate(), this.#pingDeadlineMs);
  }

  #packet(packet: string): void {
    const [, type = '', count = '', ack = '', json = ''] = /^(\d)(?:(\d+)-)?(\d*)(.*)$/s.exec(packet) ?? [];
    const data = json === '' ? null : (JSON.parse(json) as unknown);
    const ackId = ack === '' ? null : Number(ack);
    switch (type) {
      case '0':
        this.#connected?.(null);
        break;
      case '1':
        this.#socket.close();
        break;
      case '2':
        this.#event(data as unknown[]);
        break;
      case '3':
        this.#acks.get(ackId ?? -1)?.((data as unknown[])[0]);
        this.#acks.delete(ackId ?? -1);
        break;
      case '4': {
        const { message, data: error } = data as { message: string; data: { code: string } };
        this.#connected?.(new ConnectRefused(message, error));
        break;
      }
      case '5':
        this.#partial = { data: data as unknown[], ack: ackId, missing: Number(count), attachments: [] };
        break;
    }
  }

  #attachment(bytes: Uint8Array): void {
    const partial = this.#partial;
    if (partial === null) return;
    partial.attachments.push(bytes);
    if (partial.attachments.length < partial.missing) return;
    this.#partial = null;
    this.#event(
      partial.data.map((value) => {
        const { _placeholder, num } = (value ?? {}) as { _placeholder?: true; num?: number };
        return _placeholder === true ? partial.attachments[num as number] : value;
      }),
    );
  }

  #event([name, ...args]: readonly unknown[]): void {
    this.#handlers.event(name as string, args);
  }
}
