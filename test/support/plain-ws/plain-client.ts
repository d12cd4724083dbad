import { randomUUID } from 'node:crypto';
import { PlainDocument } from './plain-document.ts';
import { type Answer, ConnectRefused, WireConnection } from './wire-connection.ts';

interface Position {
  epoch: string;
  seq: number;
}

/** A domain event, or any other event, as it came: `meta` is its last argument. */
export interface Received {
  readonly name: string;
  readonly data: Answer;
  readonly meta: Answer;
}

/**
 * A client written from docs/protocol.md alone: a WebSocket, Yjs for documents' content, and nothing of Ashlar's. It stays in its
 * rooms over reconnects, with positions.
 */
export class PlainClient implements Disposable {
  /** Everything received but document frames, without doubles, in order. */
  readonly received: Received[] = [];
  /** The newest answer of each room joined. */
  readonly rooms = new Map<string, Answer>();
  session: Answer = null;
  #url: string;
  readonly #token: string;
  readonly #positions = new Map<string, Position>();
  /** `epoch` and `rev` of the newest state value per room, event and key. */
  readonly #revs = new Map<string, { epoch: string; rev: number }>();
  readonly #documents = new Map<string, PlainDocument>();
  readonly #watchers = new Set<() => void>();
  #connection: WireConnection | null = null;
  #wanted = true;
  #retry: NodeJS.Timeout | undefined;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Connects, and waits for `session`. @throws ConnectRefused */
  static async connect(url: string, token: string): Promise<PlainClient> {
    const client = new PlainClient(url, token);
    await client.#connect();
    return client;
  }

  get online(): boolean {
    return this.#connection !== null;
  }

  get frameBytes(): number {
    return this.session.limits.frameBytes;
  }

  emit(name: string, ...args: readonly unknown[]): void {
    this.#connection?.emit(name, ...args);
  }

  ask(name: string, ...args: readonly unknown[]): Promise<Answer> {
    return new Promise((resolve) => this.request(resolve, name, ...args));
  }

  /** As `ask`, but `onAnswer` runs before anything that came behind the answer. */
  request(onAnswer: (answer: Answer) => void, name: string, ...args: readonly unknown[]): void {
    if (this.#connection === null) throw new Error('not connected');
    this.#connection.ask(onAnswer, name, ...args);
  }

  /** Joins a room and stays in it. */
  join(room: string): Promise<Answer> {
    const position = this.#positions.get(room);
    return new Promise((resolve) => {
      const onAnswer = (answer: Answer) => {
        if (answer.success) this.#joined(answer);
        resolve(answer);
      };
      this.request(onAnswer, 'join-room', room, ...(position === undefined ? [] : [position]));
    });
  }

  async leave(room: string): Promise<Answer> {
    this.rooms.delete(room);
    this.#positions.delete(room);
    return this.ask('leave-room', room);
  }

  /** Sends a chat message that a repeat does not double. */
  say(sessionId: string, content: string, id: string = randomUUID()): Promise<Answer> {
    return this.ask('chat:message', { sessionId, content }, { id });
  }

  /** Opens a document with a Y.Doc of its own. */
  document(name: string): PlainDocument {
    const document = new PlainDocument(`doc:${name}`, this, () => this.#changed());
    this.#documents.set(document.room, document);
    document.connected();
    return document;
  }

  /** Waits until something holds; asked again after whatever arrives. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#watchers.delete(wake);
          resolve();
        };
        this.#watchers.add(wake);
      });
    }
  }

  /** The first event of a name received, from the beginning, that fits; waits for it. */
  async event(name: string, where: (data: Answer, meta: Answer) => boolean = () => true): Promise<Received> {
    const find = () => this.received.find((event) => event.name === name && where(event.data, event.meta));
    await this.until(() => find() !== undefined);
    return find() as Received;
  }

  /** Pulls the plug. The client comes back by itself, unless it is told to stay away. */
  cut({ stayAway = false } = {}): void {
    this.#wanted = !stayAway;
    this.#connection?.cut();
  }

  /** From now on a lost connection is not made again. */
  stayAway(): void {
    this.#wanted = false;
  }

  /** The next connection is made there. */
  moveTo(url: string): void {
    this.#url = url;
  }

  /** Comes back after `cut({ stayAway: true })`. */
  async comeBack(): Promise<void> {
    this.#wanted = true;
    await this.#connect();
  }

  [Symbol.dispose](): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#connection?.close();
    for (const document of this.#documents.values()) document.doc.destroy();
  }

  async #connect(): Promise<void> {
    this.session = null;
    // The standing rooms are joined here, so that they too go on from a position.
    const auth = { token: this.#token, protocol: 1, autoJoin: false };
    const connection = await WireConnection.open(this.#url, auth, {
      event: (name, args) => this.#event(name, args),
      closed: () => this.#closed(),
    });
    this.#connection = connection;
    await this.until(() => this.session !== null);
    if (this.#connection !== connection) return;
    for (const document of this.#documents.values()) document.connected();
    const rooms = new Set([`user:${this.session.user.id}`, 'system', ...this.rooms.keys()]);
    // An answer may be a refusal (no access to `system`): the room is then not ours.
    await Promise.all([...rooms].map((room) => this.join(room)));
  }

  #closed(): void {
    this.#connection = null;
    for (const document of this.#documents.values()) document.disconnected();
    this.#changed();
    if (this.#wanted) this.#retry = setTimeout(() => void this.#reconnect(1), 20);
  }

  async #reconnect(attempt: number): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      // A refusal by code: a fresh token would be fetched here. All else passes.
      if (error instanceof ConnectRefused && error.data.code !== 'rate-limited') return;
      const backoff = Math.random() * Math.min(5_000, 100 * 2 ** attempt);
      if (this.#wanted) this.#retry = setTimeout(() => void this.#reconnect(attempt + 1), backoff);
    }
  }

  #event(name: string, args: readonly Answer[]): void {
    const [first, second] = args;
    if (name === 'session') this.session = first;
    else if (name === 'document') this.#documents.get(first)?.receive(second);
    else if (this.#isNew(name, first, second)) this.received.push({ name, data: first, meta: second });
    if (name === 'room:access') this.#documents.get(first.room)?.accessChanged(first.access);
    this.#changed();
  }

  // Log events count by position, state values by rev; all else is always new.
  #isNew(name: string, data: Answer, meta: Answer): boolean {
    if (meta?.seq !== undefined) {
      // An event of a room that we are not in comes as it comes.
      const known = this.#positions.get(meta.room);
      if (known === undefined) return true;
      if (meta.seq <= known.seq) return false;
      this.#positions.set(meta.room, meta.position ?? { epoch: meta.epoch, seq: meta.seq });
    } else if (meta?.rev !== undefined) {
      const key = JSON.stringify([meta.room, name, data.widgetId ?? data.batchId]);
      const known = this.#revs.get(key);
      if (known !== undefined && known.epoch === meta.epoch && meta.rev <= known.rev) return false;
      this.#revs.set(key, meta);
    }
    return true;
  }

  #joined(answer: Answer): void {
    this.rooms.set(answer.room, answer);
    this.#positions.set(answer.room, { epoch: answer.epoch, seq: answer.seq });
  }

  #changed(): void {
    for (const wake of [...this.#watchers]) wake();
  }
}
