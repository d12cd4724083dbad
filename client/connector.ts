import { io, type Socket } from 'socket.io-client';
import { PROTOCOL_VERSION } from '../shared/document-frame.ts';
import { AshlarError } from '../shared/errors.ts';
import type { SessionAnnouncement } from '../shared/messages.ts';
import {
  type Connection,
  type ConnectionEvent,
  type ConnectionRules,
  type ConnectionStatus,
  isActive,
  NOT_CONNECTED,
  reduceConnection,
} from './connection.ts';
import type { Environment } from './environment.ts';
import { type Writable, writable } from './readable.ts';
import { guarded, quiet, type Report } from './report.ts';
import { TokenRenewal, type TokenSource } from './token.ts';

export type Transport = 'websocket' | 'polling';

export interface ConnectorOptions {
  /** Address of the server, such as `https://app.example.com`; in a browser, default the page's own. */
  url?: string | undefined;
  token: TokenSource;
  /** Default: WebSocket, and HTTP long-polling where that is blocked. */
  transports?: readonly Transport[] | undefined;
  /** Path of Socket.IO: the server's prefix and `/socket.io/`. Default `/socket.io/`. */
  path?: string | undefined;
  /** Failed attempts in a row after which to give up. Default: never. */
  maxAttempts?: number | undefined;
}

/** What a part hears of the connection. */
export interface ConnectorEvents {
  /** The connection is ready: join rooms, send what waits. */
  up(session: SessionAnnouncement): void;
  /** It is gone; nothing that was under way will be answered. */
  down(): void;
  /** All that arrives and is not an ack. */
  message(event: string, args: readonly unknown[]): void;
}

export type AnswerListener = (error: AshlarError | null, answer: unknown) => void;

const TRANSPORTS: readonly Transport[] = ['websocket', 'polling'];
// From opening the transport to the `session` event, token included.
const CONNECT_TIMEOUT_MS = 20_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** The edge to socket.io: acts on what the reducer decides, one socket per attempt. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #env: Environment;
  readonly #report: Report;
  readonly #parts: Partial<ConnectorEvents>[] = [];
  readonly status: Writable<ConnectionStatus>;
  /** What the server announced; null while not connected. */
  readonly session: Writable<SessionAnnouncement | null>;
  readonly #renewal: TokenRenewal;
  /** Nothing is to be sent any more. */
  destroyed = false;
  #token: TokenSource;
  #newestToken: string | null = null;
  /** The user whom the server named for the token at hand, or for others of its function; null: nobody yet. */
  verifiedUser: string | null = null;
  #connection: Connection = NOT_CONNECTED;
  #socket: Socket | null = null;
  /** Grows with each attempt: what belongs to an older one is ignored. */
  #attempt = 0;
  #cancelTimer: () => void = () => {};
  #stopListening: (() => void) | null = null;
  #up = false;
  #tokenFailed = false;

  constructor(options: ConnectorOptions, env: Environment, report: Report) {
    this.#options = options;
    this.#env = env;
    this.#report = report;
    this.#token = options.token;
    this.status = writable<ConnectionStatus>(NOT_CONNECTED.status, report);
    this.session = writable<SessionAnnouncement | null>(null, report);
    this.#renewal = new TokenRenewal(env, report, (token, done) => this.request('auth:renew', [token], done));
  }

  /** The token that was used last, or is a constant. */
  get token(): string | null {
    return typeof this.#token === 'string' ? this.#token : this.#newestToken;
  }

  /** Adds a part that lives on the connection. They are told in the order added. */
  attach(part: Partial<ConnectorEvents>): void {
    this.#parts.push(part);
  }

  /**
   * Connects, and stays connected until `disconnect`.
   * @returns resolves once connected; rejects where the server refuses for good, or the client is closed before
   */
  connect(token?: TokenSource): Promise<void> {
    if (token !== undefined && token !== this.#token) {
      this.#token = token;
      this.#newestToken = null;
      this.verifiedUser = null;
    }
    return quiet(
      new Promise((resolve, reject) => {
        this.mustLive();
        this.#stopListening ??= this.#env.network.onChange((online) => this.#dispatch({ type: online ? 'online' : 'offline' }));
        this.#dispatch({ type: 'connect' });
        const settle = (status: ConnectionStatus): boolean => {
          if (status.state === 'connected') resolve();
          else if (status.state === 'refused') reject(new AshlarError(status.code));
          else if (!isActive(status)) reject(new AshlarError('client-closed'));
          else return false;
          return true;
        };
        if (settle(this.status.get())) return;
        const stop = this.status.subscribe((status) => {
          if (settle(status)) stop();
        });
      }),
    );
  }

  disconnect(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#dispatch({ type: 'disconnect' });
  }

  /** Sends without an ack. @returns false where there is no connection: nothing was sent */
  send(event: string, args: readonly unknown[]): boolean {
    if (!this.#up || this.#socket === null) return false;
    this.#socket.emit(event, ...args);
    return true;
  }

  /**
   * Asks and listens for the ack, which is read before anything that the server sent after it.
   * @param onAnswer called once: `not-connected` where the connection is or goes away, `timeout` after 20 s
   */
  request(event: string, args: readonly unknown[], onAnswer: AnswerListener): void {
    const socket = this.#socket;
    if (!this.#up || socket === null) {
      onAnswer(new AshlarError('not-connected'), undefined);
      return;
    }
    socket.timeout(ANSWER_TIMEOUT_MS).emit(event, ...args, (error: Error | null, ack: unknown) => {
      guarded(this.#report, event, () => {
        if (error) onAnswer(new AshlarError(socket.connected ? 'timeout' : 'not-connected'), ack);
        else onAnswer(isRecord(ack) && ack.success === true ? null : AshlarError.fromWire(Object(ack).error), ack);
      });
    });
  }

  /** @throws AshlarError `client-closed` once the client is destroyed */
  mustLive(): void {
    if (this.destroyed) throw new AshlarError('client-closed');
  }

  /** Tells that a room that was joined again could not go on from where it was. */
  missed(): void {
    this.#dispatch({ type: 'missed' });
  }

  /** Bytes given to the transport and not yet sent; Infinity while long-polling is busy. Large uploads wait for it to shrink. */
  backlogBytes(): number {
    const transport: unknown = this.#socket?.io.engine?.transport;
    if (!isRecord(transport)) return 0;
    if (transport.name === 'polling') return transport.writable === true ? 0 : Number.POSITIVE_INFINITY;
    return isRecord(transport.ws) && typeof transport.ws.bufferedAmount === 'number' ? transport.ws.bufferedAmount : 0;
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.#connection;
    this.#connection = reduceConnection(before, event, this.#rules());
    const { status } = this.#connection;
    if (status === before.status) return;
    const kept = before.status.state === 'connected' && status.state === 'connected';
    if (!kept) {
      this.#cancelTimer();
      if (status.state !== 'connected') this.#close();
      if (status.state === 'connecting') this.#open();
      if (status.state === 'reconnecting') {
        this.#cancelTimer = this.#env.after(status.retryAt - this.#env.now(), () => this.#dispatch({ type: 'retry' }));
      }
    }
    this.status.set(status);
  }

  #rules(): ConnectionRules {
    return {
      now: this.#env.now(),
      random: this.#env.random(),
      online: this.#env.network.online(),
      canRenewToken: typeof this.#token === 'function',
      maxAttempts: this.#options.maxAttempts ?? Number.POSITIVE_INFINITY,
    };
  }

  #open(): void {
    const attempt = ++this.#attempt;
    this.#cancelTimer = this.#env.after(CONNECT_TIMEOUT_MS, () => this.#dispatch({ type: 'lost', cause: 'transport' }));

    this.#fetchToken().then(
      (value) => {
        this.#tokenFailed = false;
        if (attempt !== this.#attempt) return;
        this.#newestToken = value;
        this.#openSocket(attempt, value);
      },
      (error: unknown) => {
        if (attempt !== this.#attempt) return;
        // Once in a row of failures: the retries go on for as long as the outage does.
        if (!this.#tokenFailed) this.#report(error, 'token function');
        this.#tokenFailed = true;
        this.#dispatch({ type: 'lost', cause: 'token' });
      },
    );
  }

  #fetchToken(): Promise<string> {
    const token = this.#token;
    return Promise.resolve(typeof token === 'function' ? Promise.resolve().then(token) : token);
  }

  #openSocket(attempt: number, token: string): void {
    const { url, path = '/socket.io/', transports = TRANSPORTS } = this.#options;
    const options = {
      path,
      transports: [...transports],
      // WebSocket first, long-polling where that cannot be opened.
      tryAllTransports: true,
      // Ours: socket.io's own stops for ever at a refusal, and knows nothing of tokens.
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MS,
      auth: { token, protocol: PROTOCOL_VERSION, autoJoin: false },
    };
    const socket = url === undefined ? io(options) : io(url, options);
    const mine = (): boolean => attempt === this.#attempt;
    this.#socket = socket;
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (!mine()) return;
      if (error.data === undefined) this.#dispatch({ type: 'lost', cause: 'transport' });
      else {
        const { code, retryAfterMs } = AshlarError.fromWire(error.data);
        this.#dispatch({ type: 'rejected', code, retryAfterMs });
      }
    });
    socket.on('disconnect', (reason) => {
      if (mine()) this.#dispatch({ type: 'lost', cause: reason === 'io server disconnect' ? 'server' : 'transport' });
    });
    socket.onAny((event: string, ...args: unknown[]) => {
      if (mine()) this.#receive(socket, event, args);
    });
  }

  #receive(socket: Socket, event: string, args: readonly unknown[]): void {
    const [first] = args;
    if (event === 'session') {
      if (!this.#up && isSession(first)) this.#ready(socket, first);
      return;
    }
    if (event === 'server:closing') {
      const ms = isRecord(first) && typeof first.reconnectAfterMs === 'number' ? first.reconnectAfterMs : 1_000;
      this.#dispatch({ type: 'closing', reconnectAfterMs: Math.min(Math.max(0, ms), 60_000) });
      return;
    }
    for (const part of this.#parts) guarded(this.#report, event, () => part.message?.(event, args));
  }

  #ready(socket: Socket, session: SessionAnnouncement): void {
    this.#up = true;
    this.verifiedUser = session.user.id;
    this.session.set(session);
    this.#dispatch({ type: 'accepted', id: socket.id ?? '' });
    // A listener of the status may have disconnected.
    if (socket !== this.#socket) return;
    const token = this.#token;
    if (typeof token === 'function') this.#renewal.start(token, session.expiresAt);
    for (const part of this.#parts) guarded(this.#report, 'connection up', () => part.up?.(session));
  }

  #close(): void {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = null;
    const wasUp = this.#up;
    this.#up = false;
    this.#renewal.stop();
    if (socket !== null) {
      socket.offAny();
      socket.disconnect();
    }
    if (!wasUp) return;
    this.session.set(null);
    for (const part of this.#parts) guarded(this.#report, 'connection down', () => part.down?.());
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isSession(value: unknown): value is SessionAnnouncement {
  return (
    isRecord(value) &&
    isRecord(value.user) &&
    typeof value.user.id === 'string' &&
    isRecord(value.limits) &&
    typeof value.limits.frameBytes === 'number'
  );
}
