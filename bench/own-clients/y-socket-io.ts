import { SocketIOProvider } from 'y-socket.io';
import * as Y from 'yjs';
import type { OpenOwnClient } from './own-client.ts';

export const open: OpenOwnClient = async ({ port, document, onFailure }) => {
  const doc = new Y.Doc();
  // Two documents of one process would tell each other by broadcast channel, past the server.
  const provider = new SocketIOProvider(`ws://127.0.0.1:${port}`, document, doc, { disableBc: true });
  provider.on('connection-error', onFailure);
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()));
  provider.on('connection-close', () => onFailure(new Error('the connection ended')));
  return { doc };
};
