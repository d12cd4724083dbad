import type { Socket } from 'socket.io-client';
import type { EventMeta, Position } from '../../shared/position.ts';
import { connectTo } from './connect-to.ts';
import { ask } from './start-server.ts';

/** One room's log events as a stock client has them: each exactly once, in order, over all its connections. */
export class EventReplica implements AsyncDisposable {
  readonly room: string;
  readonly event: string;
  readonly token: string;
  /** The payloads that came, in order of arrival, since the last join that did not recover. */
  payloads: unknown[] = [];
  position: Position | null = null;
  #socket: Socket | undefined;
  #joined = false;
  #waiting: (() => void)[] = [];
  #failure: Error | null = null;

  constructor(token: string, room: string, event: string) {
    this.token = token;
    this.room = room;
    this.event = event;
  }

  get socket(): Socket {
    if (this.#socket === undefined) throw new Error('not connected');
    return this.#socket;
  }

  /** A new connection; the one before is forgotten. */
  async connect(url: string, options: { transports?: string[] } = {}): Promise<void> {
    const old = this.#socket;
    old?.removeAllListeners();
    old?.disconnect();
    this.#joined = false;
    const socket = await connectTo(url, this.token, options);
    this.#socket = socket;
    socket.on(this.event, (payload: unknown, meta: EventMeta) => this.#take(payload, meta));
    for (const wake of ['disconnect', 'error']) socket.on(wake, () => this.#wake());
  }

  /** Joins from its position. @returns the join's answer */
  // biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field by the tests.
  join(): Promise<any> {
    // What comes before the answer belongs to the membership before, which the answer ends.
    return new Promise((resolve, reject) => {
      const from = this.position ?? {};
      this.#joined = false;
      this.socket.timeout(10_000).emit('join-room', this.room, from, (late: Error | null, answer: JoinAck) => {
        if (late !== null) return reject(late);
        if (answer.success) {
          if (!answer.recovered) this.payloads = [];
          this.position = { epoch: answer.epoch, seq: answer.seq };
          this.#joined = true;
        }
        resolve(answer);
      });
    });
  }

  /** Resolves when everything up to this `seq` is here. @throws Error where an event was missing, doubled or out of order */
  async reached(seq: number): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (this.position !== null && this.position.seq >= seq) return;
      if (!this.socket.connected) throw new Error(`disconnected at ${this.position?.seq}, before ${seq}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Leaves nothing under way: the answers to what was sent before are here. */
  async flushed(): Promise<void> {
    await ask(this.socket, 'room:members', this.room);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.disconnect();
  }

  #take(payload: unknown, meta: EventMeta): void {
    if (!this.#joined || meta.room !== this.room || meta.seq === undefined) return;
    if (meta.seq !== (this.position?.seq ?? 0) + 1) {
      this.#failure = new Error(`${this.event} ${meta.seq} behind ${this.position?.seq}`);
    } else {
      this.payloads.push(payload);
      this.position = meta.position ?? { epoch: meta.epoch as string, seq: meta.seq };
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

type JoinAck = { success: boolean; recovered: boolean; epoch: string; seq: number };
