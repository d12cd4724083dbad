import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Gives a request that asked for an upgrade which nobody on this server offers back to Node as an ordinary request, as it
 * would have been without our upgrade listener: RFC 9110 lets a server ignore `Upgrade`. curl --http2 and Java's HttpClient
 * ask for h2c on ordinary requests, also on those with a body.
 * @param head what Node had read behind the headers: the start of the body
 */
export function replayWithoutUpgrade(httpServer: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'upgrade' || lower === 'http2-settings') continue;
    if (lower !== 'connection') lines.push(`${name}: ${value}`);
    else {
      const kept = value.split(',').filter((token) => !/^\s*(upgrade|http2-settings)\s*$/i.test(token));
      if (kept.length > 0) lines.push(`${name}: ${kept.join(',')}`);
    }
  }
  // Header bytes are latin1 both ways: what came in goes back unchanged.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  // Documented by Node as the way to hand a connection to a server; TLS servers listen to the other event.
  httpServer.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}
