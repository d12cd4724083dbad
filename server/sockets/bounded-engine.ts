import { type IncomingMessage, ServerResponse } from 'node:http';
import { Server as Engine, type ServerOptions, type Transport } from 'engine.io';
import { type WebSocket, WebSocketServer, type ServerOptions as WebSocketServerOptions } from 'ws';
import { AshlarError } from '../../shared/errors.ts';
import { answerPings } from './answer-pings.ts';
import { boundPolling, type PollingLimits } from './bounded-polling.ts';
import { tellUpgradeAsked } from './upgrade-asked.ts';

/** A request as the engine hands it to a transport. */
type EngineRequest = IncomingMessage & { _query?: Record<string, string>; websocket?: WebSocket };

/** Makes the engine's WebSocket server: it takes a class, and passes options of its own. */
function webSocketServer({ closeTimeoutMs }: PollingLimits): new (options: WebSocketServerOptions) => WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: WebSocketServerOptions) {
      // ws answers pings by itself, whether the answers are read or not: here `answerPings` does. And by itself it reads on for 30 s from a peer
      // that does not answer its close.
      const ours: BoundedOptions = { ...options, autoPong: false, closeTimeout: closeTimeoutMs };
      super(ours);
    }
  };
}

/** An option of ws that its types do not have yet. */
type BoundedOptions = WebSocketServerOptions & { readonly closeTimeout: number };

/** engine.io as it is, with bounds on what a connection can make it hold. Whoever makes it feeds it requests and upgrades. */
export class BoundedEngine extends Engine {
  readonly #limits: PollingLimits;
  readonly #onClose: () => void;
  /** Those that the engine adds by itself (CORS): they do not ask when a response is closed. */
  readonly #ownMiddlewares: number;

  /** @param onClose called once the engine was told to close, after its connections were */
  constructor(options: ServerOptions, limits: PollingLimits, onClose: () => void) {
    super({ ...options, wsEngine: webSocketServer(limits) });
    this.#limits = limits;
    this.#onClose = onClose;
    this.#ownMiddlewares = this.middlewares.length;
  }

  protected override createTransport(name: 'polling' | 'websocket' | 'webtransport', request: EngineRequest): Transport {
    // JSONP decodes its bodies by itself, past our bounds; no client of this protocol version asks for it.
    if (name === 'polling' && request._query?.j !== undefined) {
      throw new AshlarError('unknown-message', { detail: 'JSONP' });
    }
    const transport = super.createTransport(name, request);
    if (name === 'polling') boundPolling(transport, this.#limits);
    else if (request.websocket !== undefined) answerPings(request.websocket);
    const sid = request._query?.sid;
    // The engine has looked the id up before it asks for a transport.
    if (sid) tellUpgradeAsked(this.clients[sid] as object, transport);
    return transport;
  }

  /** Called right after the engine has made an upgrade's response. */
  protected override _applyMiddlewares(
    request: IncomingMessage,
    response: ServerResponse,
    done: (error?: unknown) => void,
  ): void {
    if (this.middlewares.length === this.#ownMiddlewares) forgetUpgradeResponse(response);
    super._applyMiddlewares(request, response, done);
  }

  override close(): this {
    super.close();
    this.#onClose();
    return this;
  }
}

/**
 * The engine tells middlewares by a response of its own when an upgraded connection closes, and holds that response and its request, 2 kB, for
 * as long. Without middlewares of the product's nobody listens.
 */
function forgetUpgradeResponse(response: ServerResponse): void {
  const { socket } = response;
  if (response instanceof ServerResponse || socket === null) return;
  // It is the latest listener: the response was made a moment ago.
  const listener = socket.rawListeners('close').at(-1);
  if (listener !== undefined) socket.removeListener('close', listener as () => void);
}
