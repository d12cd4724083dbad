import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { answerParent } from './answer-parent.ts';
import { dataFolder } from './data-folder.ts';

// The server that comes with y-websocket 2.1.0, with y-leveldb, as `YPERSISTENCE=… y-websocket` starts it.
process.env.YPERSISTENCE = dataFolder();
console.info = () => undefined;
// @ts-expect-error it has no types
const { setupWSConnection } = (await import('y-websocket/bin/utils')) as {
  setupWSConnection(socket: unknown, request: unknown): void;
};
const http = createServer();
const sockets = new WebSocketServer({ server: http });
sockets.on('connection', setupWSConnection);
http.listen(0, '127.0.0.1', () => answerParent((http.address() as AddressInfo).port));
