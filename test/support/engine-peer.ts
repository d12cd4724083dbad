import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server } from 'socket.io';
import { WebSocket } from 'ws';
import { createSocketServer, type SocketServerOptions } from '../../server/sockets/create-socket-server.ts';

export interface SocketServerFixture extends AsyncDisposable {
  readonly io: Server;
  readonly http: HttpServer;
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** The path of Engine.IO with protocol version and more query. */
  engineUrl(query: string): string;
}

/** Starts a Socket.IO server of ours on a port that the system picks. */
export async function startSocketServer(options: SocketServerOptions = {}, http = createServer()): Promise<SocketServerFixture> {
  const io = createSocketServer(http, options);
  const url = await listen(http);
  return {
    io,
    http,
    url,
    engineUrl: (query) => `${url}${options.path ?? '/socket.io'}/?EIO=4&${query}`,
    async [Symbol.asyncDispose]() {
      await io.close();
      await closeHttp(http);
    },
  };
}

/** Lets a server listen on 127.0.0.1. @returns its URL */
export async function listen(http: HttpServer): Promise<string> {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Closes a server and whatever is still connected to it. */
export async function closeHttp(http: HttpServer): Promise<void> {
  http.closeAllConnections();
  await new Promise<void>((resolve) => http.close(() => resolve()));
}

/** A WebSocket that loses no message between two awaits: they wait in a queue. */
export class EnginePeer implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #arrived: (string | Buffer)[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(url: string, options: WebSocket.ClientOptions) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), options);
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#arrived.push(isBinary ? data : data.toString());
      this.#wake?.();
    });
    // A refused handshake shows as `closed`.
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code) => {
        this.#ended = true;
        this.#wake?.();
        resolve(code);
      }),
    );
  }

  /** Begins to connect; `next()` gives the engine's handshake first. */
  static open(url: string, options: WebSocket.ClientOptions = {}): EnginePeer {
    return new EnginePeer(url, options);
  }

  /** Connects to namespace `/`; the next message is the first after its CONNECT. */
  static async connect(url: string, auth?: object): Promise<EnginePeer> {
    const peer = EnginePeer.open(url);
    await peer.next();
    peer.send(`40${auth === undefined ? '' : JSON.stringify(auth)}`);
    await peer.next();
    return peer;
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** The next message, in order. @throws where the connection ends first */
  async next(): Promise<string | Buffer> {
    for (;;) {
      const message = this.#arrived.shift();
      if (message !== undefined) return message;
      if (this.#ended) throw new Error('the connection ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next message that is no ping. */
  async nextMessage(): Promise<string | Buffer> {
    for (;;) {
      const message = await this.next();
      if (message !== '2') return message;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
