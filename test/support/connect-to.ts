import { io, type Socket } from 'socket.io-client';

/** A stock socket.io-client at an address, connected, that never comes back by itself: for servers and networks that fail. */
export function connectTo(url: string, token: string, options: { transports?: string[]; auth?: object } = {}): Promise<Socket> {
  const { transports = ['websocket'], auth = {} } = options;
  const socket = io(url, { auth: { token, ...auth }, transports, forceNew: true, reconnection: false });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
}
