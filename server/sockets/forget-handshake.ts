import type { Socket } from 'socket.io';

/** What Socket.IO and Engine.IO keep of the handshake, and their types call unchangeable. */
interface HandshakeHolder {
  handshake: unknown;
  readonly conn: { request: unknown };
}

const FORGOTTEN = Object.freeze({});

/**
 * Lets go of what a socket began with: the HTTP request, its headers and the token, 1.5 kB for as long as the connection lives. Call it when
 * all of that has been read: neither Socket.IO nor Engine.IO asks again.
 */
export function forgetHandshake(socket: Socket): void {
  const holder = socket as unknown as HandshakeHolder;
  holder.handshake = FORGOTTEN;
  holder.conn.request = undefined;
}
