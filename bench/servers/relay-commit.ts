import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type WebSocket, WebSocketServer } from 'ws';
import { answerParent } from './answer-parent.ts';
import { dataFolder } from './data-folder.ts';

// What durability costs by itself: the raw relay with one hop to a worker and one FULL SQLite commit per group, and nothing else.
interface Waiting {
  readonly bytes: Buffer;
  readonly from: WebSocket;
  readonly room: ReadonlySet<WebSocket>;
}

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
const worker = new Worker(new URL('./commit-worker.js', import.meta.url), { workerData: join(dataFolder(), 'relay.db') });
const rooms = new Map<string, Set<WebSocket>>();
let waiting: Waiting[] = [];
let underWay: Waiting[] = [];

function commit(): void {
  underWay = waiting;
  waiting = [];
  worker.postMessage(underWay.map(({ bytes }) => Uint8Array.from(bytes)));
}

worker.on('message', () => {
  for (const { bytes, from, room } of underWay) for (const other of room) if (other !== from) other.send(bytes, { binary: true });
  underWay = [];
  if (waiting.length > 0) commit();
});

sockets.on('connection', (socket, request) => {
  const path = request.url ?? '/';
  const room = rooms.get(path) ?? new Set();
  rooms.set(path, room.add(socket));
  socket.on('message', (bytes: Buffer) => {
    waiting.push({ bytes, from: socket, room });
    if (underWay.length === 0 && waiting.length === 1) setImmediate(commit);
  });
  socket.on('close', () => room.delete(socket));
});
http.listen(0, '127.0.0.1', () => answerParent((http.address() as AddressInfo).port));
