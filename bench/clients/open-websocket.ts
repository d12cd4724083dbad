import { WebSocket } from 'ws';

/** A WebSocket to 127.0.0.1. Closing it by hand is no failure. */
export function openWebSocket(
  port: number,
  path: string,
  onMessage: (data: Buffer, binary: boolean) => void,
  onFailure: (error: Error) => void,
): { readonly socket: WebSocket; readonly opened: Promise<void>; close(): void } {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false, skipUTF8Validation: true });
  let closing = false;
  socket.on('message', onMessage);
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('close', (code) => {
      if (!closing) onFailure(new Error(`the server closed a connection (${code})`));
    });
    socket.on('error', (error) => {
      reject(error);
      onFailure(error);
    });
  });
  return {
    socket,
    opened,
    close() {
      closing = true;
      socket.terminate();
    },
  };
}
