import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { OpenOwnClient } from './own-client.ts';

export const open: OpenOwnClient = async ({ port, document, onFailure }) => {
  const doc = new Y.Doc();
  const WebSocketPolyfill = WebSocket as unknown as typeof globalThis.WebSocket;
  // Two documents of one process would tell each other by broadcast channel, past the server.
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, document, doc, { WebSocketPolyfill, disableBc: true });
  provider.on('connection-error', () => onFailure(new Error('connection error')));
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()));
  provider.on('connection-close', () => onFailure(new Error('the connection ended')));
  return { doc };
};
