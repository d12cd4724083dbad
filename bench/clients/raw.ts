import type { ConnectDocument } from './document-client.ts';
import { openWebSocket } from './open-websocket.ts';

/** Updates as they are, one a message. */
export const connectRaw: ConnectDocument = async ({ port, document, onUpdate, onFailure }) => {
  const { socket, opened, close } = openWebSocket(port, `/${document}`, onUpdate, onFailure);
  await opened;
  return { send: (update) => socket.send(update), close };
};
