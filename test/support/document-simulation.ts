import * as Y from 'yjs';
import { DocumentSession } from '../../client/documents/document-session.ts';
import type { ResetReason } from '../../client/documents/document-status.ts';
import { hasContent } from '../../client/documents/has-content.ts';
import { createReplica } from '../../client/documents/replica.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  type ServerFrame,
} from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { JoinOptions } from '../../shared/messages.ts';
import type { ModelDocumentServer, ModelMember } from './model-document-server.ts';

/** Time that only a test moves. */
export class SimulatedTime {
  now = 1_000_000;
  #timers: { at: number; task: () => void }[] = [];

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that are armed: 0 proves that nothing leaks. */
  get armed(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((left, right) => left.at - right.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.now = Math.max(this.now, due.at);
      due.task();
    }
    this.now = until;
  }
}

type ToServer =
  | { kind: 'frame'; bytes: Uint8Array }
  | { kind: 'join'; options: JoinOptions; answer: (error: AshlarError | null, answer: unknown) => void };
type ToClient = { kind: 'frame'; bytes: Uint8Array } | { kind: 'answer'; run: () => void };

/** A session with its document, on a wire that a test moves message by message. */
export class SimulatedClient {
  readonly doc: Y.Doc;
  readonly session: DocumentSession;
  readonly errors: AshlarError[] = [];
  failed: ResetReason | null = null;
  sent: ClientFrame[] = [];
  toServer: ToServer[] = [];
  toClient: ToClient[] = [];
  readonly #origin = {};
  readonly #server: ModelDocumentServer;
  readonly #access: 'read' | 'write';
  #member: ModelMember | null = null;

  constructor(
    name: string,
    server: ModelDocumentServer,
    time: SimulatedTime,
    random: () => number,
    options: { doc?: Y.Doc; access?: 'read' | 'write' } = {},
  ) {
    this.#server = server;
    this.#access = options.access ?? 'write';
    this.doc = options.doc ?? new Y.Doc();
    let secrets = 0;
    const session: DocumentSession = new DocumentSession(
      {
        replica: createReplica(
          this.doc,
          this.#origin,
          () => {},
          (error) => {
            throw error;
          },
        ),
        join: (joinOptions, answer) => this.toServer.push({ kind: 'join', options: joinOptions, answer }),
        send: (frame) => {
          this.sent.push(frame);
          this.toServer.push({ kind: 'frame', bytes: encodeFrame(frame) });
        },
        env: { now: () => time.now, random, after: (ms, task) => time.after(ms, task) },
        drawSecret: () => `${name}-${++secrets}`,
        drawClientId: () => Math.floor(random() * 2 ** 32),
        changed: () => {},
        edited: () => {},
        error: (error) => this.errors.push(error),
        failed: (reason) => {
          this.failed = reason;
        },
      },
      hasContent(this.doc),
    );
    this.session = session;
    this.doc.on('update', (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (origin !== this.#origin) session.localUpdate(update, transaction.local);
    });
  }

  get isConnected(): boolean {
    return this.#member !== null;
  }

  connect(): void {
    if (this.#member !== null) return;
    const member: ModelMember = {
      user: 'user',
      access: this.#access,
      session: '',
      clientId: undefined,
      live: false,
      blockedAt: null,
      transfer: null,
      parts: [],
      deliver: (frame) => {
        if (this.#member === member) this.toClient.push({ kind: 'frame', bytes: encodeFrame(frame) });
      },
    };
    this.#member = member;
    this.session.connected();
  }

  /** The connection is cut: what is under way in either direction is lost. The server may notice later. */
  cut(serverNotices: boolean): void {
    if (this.#member === null) return;
    if (serverNotices) this.#server.leave(this.#member);
    this.#member = null;
    this.toServer = [];
    this.toClient = [];
    this.session.disconnected();
  }

  /** The server takes the next message. */
  deliverToServer(): boolean {
    const message = this.toServer.shift();
    const member = this.#member;
    if (message === undefined || member === null) return false;
    if (message.kind === 'frame') {
      this.#server.receive(member, decodeClientFrame(message.bytes));
      return true;
    }
    try {
      const answer = this.#server.join(member, message.options);
      this.toClient.push({ kind: 'answer', run: () => message.answer(null, answer) });
      this.#server.afterJoin();
    } catch (error) {
      this.toClient.push({ kind: 'answer', run: () => message.answer(AshlarError.from(error), undefined) });
    }
    return true;
  }

  /** The client takes the next message. */
  deliverToClient(how: 'once' | 'twice' | 'lost' = 'once'): boolean {
    const message = this.toClient.shift();
    if (message === undefined) return false;
    if (message.kind === 'answer') {
      message.run();
      return true;
    }
    const frame: ServerFrame = decodeServerFrame(message.bytes);
    // Only what is told again may be lost: TCP loses nothing, a server under pressure may drop what it catches up from the log.
    if (how === 'lost' && frame.type === 'committed') return true;
    this.session.frame(frame);
    if (how === 'twice' && frame.type === 'committed') this.session.frame(frame);
    return true;
  }
}
