import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import type { OpenOwnClient } from './own-client.ts';

export const open: OpenOwnClient = async ({ port, document, onFailure }) => {
  const doc = new Y.Doc();
  const websocketProvider = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: WebSocket });
  const provider = new HocuspocusProvider({ websocketProvider, name: document, document: doc });
  const synced = new Promise<void>((resolve) => provider.on('synced', () => resolve()));
  provider.on('authenticationFailed', () => onFailure(new Error('token refused')));
  provider.attach();
  await synced;
  provider.on('disconnect', () => onFailure(new Error('the connection ended')));
  return { doc };
};
