import type { Socket } from 'socket.io-client';
import { type ClientFrame, decodeServerFrame, encodeFrame, type ServerFrame } from '../../shared/document-frame.ts';
import { ask } from './start-server.ts';

/** A document spoken below the SDK: frames by hand over a stock client. */
export class FrameClient {
  readonly socket: Socket;
  readonly room: string;
  readonly clientId: number;
  readonly session: string;
  /** Everything received, in order. */
  readonly received: ServerFrame[] = [];
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, name: string, clientId: number, session = `session-${clientId}-`.padEnd(32, 'x')) {
    this.socket = socket;
    this.room = `doc:${name}`;
    this.clientId = clientId;
    this.session = session;
    socket.on('document', (room: string, bytes: ArrayBuffer | Buffer) => {
      if (room !== this.room) return;
      this.received.push(decodeServerFrame(new Uint8Array(bytes)));
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** @param options more than clientId and session: a position, or other ids */
  // biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field by the tests.
  join(options: object = {}): Promise<any> {
    return ask(this.socket, 'join-room', this.room, { clientId: this.clientId, session: this.session, ...options });
  }

  send(frame: ClientFrame): void {
    this.socket.emit('document', this.room, encodeFrame(frame));
  }

  update(counter: number, update: Uint8Array, full = false): void {
    this.send({ type: 'update', counter, full, update });
  }

  /** Asks for the state, with an empty state vector. */
  sync(stateVector = new Uint8Array([0])): void {
    this.send({ type: 'sync', stateVector });
  }

  /** The first frame received, from the beginning, that fits; waits for it. */
  async frame<Type extends ServerFrame['type']>(
    type: Type,
    where: (frame: Extract<ServerFrame, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { type: Type }>> {
    for (;;) {
      const found = this.received.find((frame) => frame.type === type && where(frame as never));
      if (found !== undefined) return found as Extract<ServerFrame, { type: Type }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
