import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server, type ServerOptions } from 'socket.io';
import { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import { createSystemClock } from '../system-clock.ts';
import { attachPaths } from './attach.ts';
import { BoundedEngine } from './bounded-engine.ts';
import { createBoundedParser, type ParserLimits } from './bounded-parser.ts';
import type { PollingLimits } from './bounded-polling.ts';
import { createOriginCheck, normalizeOrigin } from './origin.ts';

/** Options of Socket.IO that have no meaning here. */
type Unsupported = 'parser' | 'serveClient' | 'connectionStateRecovery' | 'destroyUpgrade' | 'destroyUpgradeTimeout' | 'wsEngine';

/**
 * Socket.IO's and Engine.IO's own options, with defaults for servers that strangers reach, and bounds on what one connection
 * can cost. Times are in ms.
 *
 * Other than in stock Socket.IO: `pingInterval` 10,000 and `pingTimeout` 5,000 (a peer that vanished is gone after 15 s),
 * `connectTimeout` 5,000 (from handshake to an accepted CONNECT), `httpCompression` off; and bounds that stock Socket.IO lacks or sets
 * elsewhere: at most `maxAttachments` 2 binary attachments a packet (stock: 10), `maxJsonDepth` 64, `maxPacketsPerBody` 5,000. A client that
 * goes beyond is disconnected.
 */
export interface SocketServerOptions
  extends Partial<Omit<ServerOptions, Unsupported>>,
    Partial<ParserLimits>,
    Partial<PollingLimits> {
  /**
   * Origins whose pages may connect, such as `https://app.example.com`; `*` allows all; empty: only pages of the same host.
   * Holds for WebSocket too, and answers 403; sets `cors` unless that is given. Left out: any page may connect.
   */
  allowedOrigins?: readonly string[];
  /** An error while no new connection is taken (`not-ready`, `server-closing`): handshakes get its status and `Retry-After`. */
  unavailable?: () => AshlarError | undefined;
  /** Time for the parser's deadline. Default: the process's. */
  clock?: Clock;
}

const DEFAULTS = {
  path: '/socket.io',
  pingInterval: 10_000,
  pingTimeout: 5_000,
  connectTimeout: 5_000,
  // Announced to clients as `maxPayload`: a message above it closes the connection.
  maxHttpBufferSize: 1_000_000,
  // Frames encoded once for all receivers cannot be compressed per connection, and a compressed bomb cannot be sent to us.
  perMessageDeflate: false,
  httpCompression: false,
  // A client that waits 15 s for its poll is gone by its pings anyway.
  closeTimeoutMs: 3_000,
  maxPacketsPerBody: 5_000,
  maxAttachments: 2,
  attachmentTimeoutMs: 5_000,
  maxJsonDepth: 64,
} as const;

/**
 * Makes the Socket.IO server that `RealtimeServer` uses, on an HTTP server that may belong to an app: Engine.IO 4 and Socket.IO 5
 * on long-polling and WebSocket, for stock clients. It has no guard: whoever may connect may send, and nothing listens.
 *
 * It answers under `options.path` alone, whether the app adds its handlers before or after. `close()` ends the connections
 * and lets go of the path; the HTTP server stays open, because its owner opened it.
 *
 * @param httpServer may be listening already, or not yet
 * @throws AshlarError `invalid-options` where it is none, or a path or origin is not what it must be
 * @example
 * const io = createSocketServer(httpServer, { allowedOrigins: ['https://app.example.com'] });
 * io.on('connection', (socket) => socket.emit('hello'));
 */
export function createSocketServer(httpServer: HttpServer, options: SocketServerOptions = {}): Server {
  const { allowedOrigins, unavailable, clock = createSystemClock(), ...given } = options;
  const merged = { ...DEFAULTS, ...given };
  requireThat(typeof (httpServer as Partial<HttpServer> | undefined)?.listeners === 'function', 'an http.Server of Node');
  requireThat(typeof merged.path === 'string', 'path: a string such as /socket.io');
  requireThat(allowedOrigins === undefined || Array.isArray(allowedOrigins), 'allowedOrigins: a list of origins');
  const originAllowed = allowedOrigins === undefined ? undefined : createOriginCheck(allowedOrigins);
  const parser = createBoundedParser(merged, clock);
  const cors = given.cors ?? (allowedOrigins === undefined ? undefined : corsOf(allowedOrigins));
  const engineOptions = { ...merged, parser, serveClient: false, ...(cors === undefined ? {} : { cors }) };

  const io = new Server(engineOptions);
  const engine = new BoundedEngine(engineOptions, merged, () => attachment.detach());
  const attachment = attachPaths(httpServer, {
    name: `Socket.IO at ${merged.path}`,
    owns: pathMatcher(merged.path, given.addTrailingSlash !== false),
    handleRequest: (request, response) => engine.handleRequest(request, response),
    handleUpgrade: (request, socket, head) => engine.handleUpgrade(request, socket, head),
    unavailable(request) {
      if (originAllowed !== undefined && !originAllowed(request.headers.origin, request.headers.host)) {
        return new AshlarError('origin-refused');
      }
      // Whoever is connected may go on: a server that closes still takes the polls of its clients.
      return isHandshake(request) ? unavailable?.() : undefined;
    },
  });
  return io.bind(engine);
}

function requireThat(holds: boolean, allowed: string): void {
  if (!holds) throw new AshlarError('invalid-options', { detail: `createSocketServer(httpServer, options): ${allowed}` });
}

function corsOf(allowed: readonly string[]): ServerOptions['cors'] {
  // Same host: no header, and browsers ask for none.
  return allowed.length === 0 ? { origin: false } : { origin: allowed.includes('*') ? '*' : allowed.map(normalizeOrigin) };
}

/** As Engine.IO: everything below the path, which ends in a slash unless told otherwise. */
function pathMatcher(path: string, trailingSlash: boolean): (path: string) => boolean {
  const base = path.replace(/\/$/, '');
  const below = `${base}/`;
  return trailingSlash ? (asked) => asked.startsWith(below) : (asked) => asked === base || asked.startsWith(below);
}

function isHandshake(request: IncomingMessage): boolean {
  return !/[?&]sid=/.test(request.url ?? '');
}
