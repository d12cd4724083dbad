import type { IncomingMessage } from 'node:http';
import { Server as Engine, type ServerOptions, type Transport } from 'engine.io';
import { type WebSocket, WebSocketServer, type ServerOptions as WebSocketServerOptions } from 'ws';
import { AshlarError } from '../../shared/errors.ts';
import { answerPings } from './answer-pings.ts';
import { boundPolling, type PollingLimits } from './bounded-polling.ts';

/** A request as the engine hands it to a transport. */
type EngineRequest = IncomingMessage & { _query?: Record<string, string>; websocket?: WebSocket };

/** ws answers pings by itself, whether the answers are read or not: here `answerPings` does. */
class WebSocketServerWithoutPongs extends WebSocketServer {
  constructor(options: WebSocketServerOptions) {
    super({ ...options, autoPong: false });
  }
}

/** engine.io as it is, with bounds on what a connection can make it hold. Whoever makes it feeds it requests and upgrades. */
export class BoundedEngine extends Engine {
  readonly #limits: PollingLimits;
  readonly #onClose: () => void;

  /** @param onClose called once the engine was told to close, after its connections were */
  constructor(options: ServerOptions, limits: PollingLimits, onClose: () => void) {
    super({ ...options, wsEngine: WebSocketServerWithoutPongs });
    this.#limits = limits;
    this.#onClose = onClose;
  }

  protected override createTransport(name: 'polling' | 'websocket' | 'webtransport', request: EngineRequest): Transport {
    // JSONP decodes its bodies by itself, past our bounds; no client of this protocol version asks for it.
    if (name === 'polling' && request._query?.j !== undefined) {
      throw new AshlarError('unknown-message', { detail: 'JSONP' });
    }
    const transport = super.createTransport(name, request);
    if (name === 'polling') boundPolling(transport, this.#limits);
    else if (request.websocket !== undefined) answerPings(request.websocket);
    return transport;
  }

  override close(): this {
    super.close();
    this.#onClose();
    return this;
  }
}
