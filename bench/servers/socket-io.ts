import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { answerParent } from './answer-parent.ts';

// Stock Socket.IO as its documentation shows it: rooms, relayed events, binary arguments as attachments. No identity, no storage.
const http = createServer();
const io = new Server(http);
io.on('connection', (socket) => {
  socket.on('join', (room: string, ack: () => void) => {
    void socket.join(room);
    ack();
  });
  socket.on('update', (room: string, update: unknown) => socket.to(room).emit('update', update));
  socket.on('awareness', (room: string, awareness: unknown) => socket.to(room).emit('awareness', awareness));
  socket.on('chat', (room: string, message: unknown, ack: () => void) => {
    io.to(room).emit('chat:message', message);
    ack();
  });
});
http.listen(0, '127.0.0.1', () =>
  answerParent((http.address() as AddressInfo).port, {
    publish: ({ room, name, data }) => void io.to(room as string).emit(name as string, data),
  }),
);
