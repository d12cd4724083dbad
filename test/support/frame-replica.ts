import * as Y from 'yjs';
import type { ServerFrame } from '../../shared/document-frame.ts';
import type { Position } from '../../shared/position.ts';
import { connectTo } from './connect-to.ts';
import { FrameClient } from './frame-client.ts';

/** A document as one member has it, from frames by hand: its state pulled whole, then each record exactly once and in order. */
export class FrameReplica implements AsyncDisposable {
  readonly client: FrameClient;
  readonly doc: Y.Doc;
  /** Every record that came, in order of arrival; own ones too. */
  readonly seqs: number[] = [];
  /** The highest counter of its own session that it was told is on disk. */
  saved = 0;
  position: Position | null = null;
  /** The answer to the last join. */
  // biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field by the tests.
  joined: any;
  #read = 0;
  #waiting: { done: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = [];
  #transfer: Uint8Array[] = [];
  #failure: Error | null = null;

  constructor(client: FrameClient, doc = new Y.Doc()) {
    this.client = client;
    this.doc = doc;
    client.socket.on('document', () => this.#take());
  }

  /** Connects, joins, pulls the state, and is at the log's head as it was at the join. */
  static async open(
    url: string,
    token: string,
    name: string,
    clientId = 1 + Math.floor(Math.random() * 2 ** 31),
  ): Promise<FrameReplica> {
    const replica = new FrameReplica(new FrameClient(await connectTo(url, token), name, clientId));
    replica.doc.clientID = clientId;
    await replica.join();
    return replica;
  }

  /** Joins, from its position where it has one, and waits until it has what the log had then. @returns the join's answer */
  // biome-ignore lint/suspicious/noExplicitAny: acks are looked into field by field by the tests.
  async join(options: object = {}): Promise<any> {
    const answer = await this.client.join({ ...this.position, ...options });
    this.joined = answer;
    if (!answer.success) return answer;
    if (answer.recovered !== true) {
      this.position = null;
      this.client.sync();
    }
    await this.reached(answer.head);
    return answer;
  }

  /** The same document on a new connection, from its position. The old connection is forgotten, alive or not. */
  async reconnect(url: string, token: string): Promise<FrameReplica> {
    this.client.socket.disconnect();
    const { clientId, room, session } = this.client;
    const client = new FrameClient(await connectTo(url, token), room.slice('doc:'.length), clientId, session);
    const replica = new FrameReplica(client, this.doc);
    replica.position = this.position;
    replica.saved = this.saved;
    await replica.join();
    return replica;
  }

  /** The `seq` that it has come to. */
  get seq(): number {
    return this.position?.seq ?? 0;
  }

  get text(): string {
    return this.doc.getText('text').toString();
  }

  /** Resolves when everything up to this `seq` is here. @throws Error where a record was missing, doubled or out of order */
  reached(seq: number): Promise<void> {
    return this.#until(() => this.position !== null && this.position.seq >= seq);
  }

  /** Resolves when it was told that its own update of this counter is on disk. */
  savedUpTo(counter: number): Promise<void> {
    return this.#until(() => this.saved >= counter);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.socket.disconnect();
    this.doc.destroy();
  }

  #take(): void {
    for (; this.#read < this.client.received.length; this.#read++) {
      const frame = this.client.received[this.#read] as ServerFrame;
      if (frame.type === 'state') this.#takeState(frame);
      if (frame.type === 'committed') this.#takeRecords(frame);
      if (frame.type === 'saved') this.saved = Math.max(this.saved, frame.counter);
    }
    for (const waiting of this.#waiting.splice(0)) {
      if (this.#failure !== null) waiting.reject(this.#failure);
      else if (waiting.done()) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }

  #until(done: () => boolean): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ done, resolve, reject }));
  }

  #takeState(frame: Extract<ServerFrame, { type: 'state' }>): void {
    this.#transfer.push(frame.bytes);
    if (frame.index + 1 < frame.count) {
      this.client.send({ type: 'pull', transfer: frame.transfer, index: frame.index + 1 });
      return;
    }
    Y.applyUpdate(this.doc, new Uint8Array(Buffer.concat(this.#transfer)), this);
    this.#transfer = [];
    this.position = { epoch: frame.epoch, seq: frame.seq };
  }

  #takeRecords(frame: Extract<ServerFrame, { type: 'committed' }>): void {
    for (const entry of frame.entries) {
      if (this.position === null || entry.seq !== this.position.seq + 1) {
        this.#failure = new Error(`record ${entry.seq} behind ${this.position?.seq}`);
        return;
      }
      this.seqs.push(entry.seq);
      this.position = { epoch: frame.epoch, seq: entry.seq };
      if ('update' in entry) Y.applyUpdate(this.doc, entry.update, this);
      else this.saved = Math.max(this.saved, entry.counter);
    }
  }
}
