import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { answerParent } from './answer-parent.ts';

// The floor: what comes from one socket goes to all others of its path. No protocol, no identity, no storage.
const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
const rooms = new Map<string, Set<WebSocket>>();
sockets.on('connection', (socket, request) => {
  const path = request.url ?? '/';
  const room = rooms.get(path) ?? new Set();
  rooms.set(path, room.add(socket));
  socket.on('message', (bytes: Buffer) => {
    for (const other of room) if (other !== socket) other.send(bytes, { binary: true });
  });
  socket.on('close', () => room.delete(socket));
});
http.listen(0, '127.0.0.1', () => answerParent((http.address() as AddressInfo).port));
