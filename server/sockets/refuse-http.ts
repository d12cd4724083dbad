import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AshlarError } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';

/** Answers a request with an error: its status, `{ success: false, error }`, and `Retry-After` where waiting helps. */
export function refuseRequest(request: IncomingMessage, response: ServerResponse, error: AshlarError): void {
  const { status, headers, body } = answerOf(error);
  // The body that may still come is not read: the connection cannot be used for another request.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
}

/** The same for a request that asked for an upgrade: written on its socket, which is then closed. */
export function refuseUpgrade(socket: Duplex, error: AshlarError): void {
  const { status, headers, body } = answerOf(error);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}

function answerOf(error: AshlarError): { status: number; headers: Record<string, string>; body: string } {
  const status = HTTP_STATUS[error.code];
  const body = JSON.stringify({ success: false, error: error.toWire() });
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
  };
  if (error.retry === 'later') headers['Retry-After'] = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000)));
  return { status, headers, body };
}
