import type { ServerResponse } from 'node:http';
import { AshlarError } from '../../shared/errors.ts';

export interface PollingLimits {
  /** Engine packets in one body. */
  maxPacketsPerBody: number;
  /** How long a closing connection waits for the poll that takes the news to its client, or for the answer to its WebSocket's close, ms. */
  closeTimeoutMs: number;
}

/** What engine.io's polling transport has and its types hide. */
interface PollingTransport {
  closeTimeout: number;
  res: ServerResponse | null;
  onData(body: string): void;
  onError(message: string, description?: unknown): void;
  doWrite(body: string | Buffer, options: unknown, callback: () => void): void;
  emit(event: 'flushed'): boolean;
}

interface Unflushed {
  bytes: number;
  readonly responses: Set<ServerResponse>;
}

const unflushed = new WeakMap<object, Unflushed>();

const RECORD_SEPARATOR = '\x1e';

/**
 * Bounds one connection's long-polling transport. A body with too many packets closes the connection before any of it is
 * decoded (300,000 packets fit into 900 kB and stall the event loop for 1.3 s), as a body that cannot be decoded does.
 * The transport tells what its responses still hold, `polledBytes`, and emits `flushed` when one of them is gone.
 */
export function boundPolling(transport: object, limits: PollingLimits): void {
  const polling = transport as PollingTransport;
  const waiting: Unflushed = { bytes: 0, responses: new Set() };
  unflushed.set(transport, waiting);
  // engine.io waits 30 s for a poll: handshakes without a CONNECT would pile up for that long.
  polling.closeTimeout = limits.closeTimeoutMs;

  const onData = polling.onData.bind(polling);
  polling.onData = (body) => {
    if (holdsMoreRecordsThan(body, limits.maxPacketsPerBody)) {
      polling.onError('too many packets in one body', new AshlarError('too-large', { detail: 'packets in one polling body' }));
    } else onData(body);
  };

  const doWrite = polling.doWrite.bind(polling);
  polling.doWrite = (body, options, callback) => {
    const response = polling.res;
    const bytes = Buffer.byteLength(body);
    if (response !== null) {
      waiting.bytes += bytes;
      waiting.responses.add(response);
      // `close` follows `finish`, which says that the kernel has everything, and comes alone where the connection breaks.
      response.once('close', () => {
        waiting.bytes -= bytes;
        waiting.responses.delete(response);
        polling.emit('flushed');
      });
    }
    doWrite(body, options, callback);
  };
}

/** Bytes of responses that the kernel has not taken yet; 0 for other transports. */
export function polledBytes(transport: object): number {
  return unflushed.get(transport)?.bytes ?? 0;
}

/** Breaks off the responses that are still on their way. */
export function abandonPolls(transport: object): void {
  for (const response of unflushed.get(transport)?.responses ?? []) response.destroy();
}

function holdsMoreRecordsThan(body: string, limit: number): boolean {
  let records = 1;
  for (let at = body.indexOf(RECORD_SEPARATOR); at !== -1; at = body.indexOf(RECORD_SEPARATOR, at + 1)) {
    if (++records > limit) return true;
  }
  return false;
}
