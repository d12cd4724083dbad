import type { Socket } from 'socket.io';
import { abandonPolls } from './bounded-polling.ts';

/** The WebSocket below engine.io's transport. */
interface WebSocketTransport {
  readonly name: string;
  readonly socket?: { terminate(): void };
}

/**
 * Ends a connection at once: nothing that it has sent is handled any more, and nothing that waits for it is sent. A polite
 * close would queue behind what a stalled reader does not take, and hold all of it for seconds.
 * @param transport one that is not, or not yet, the connection's own, to be ended with it
 */
export function dropConnection(conn: Socket['conn'], transport = conn.transport): void {
  const own = conn.transport;
  // First the engine, which tells Socket.IO before it returns; then the TCP connection.
  conn.close(true);
  endTransport(own as unknown as WebSocketTransport);
  if (transport !== own) endTransport(transport as unknown as WebSocketTransport);
}

function endTransport(transport: WebSocketTransport): void {
  if (transport.name === 'websocket') transport.socket?.terminate();
  else abandonPolls(transport);
}
