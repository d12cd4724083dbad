import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { YSocketIO } from 'y-socket.io/dist/server';
import { answerParent } from './answer-parent.ts';
import { dataFolder } from './data-folder.ts';

const http = createServer();
const io = new Server(http);
new YSocketIO(io, { levelPersistenceDir: dataFolder() }).initialize();
http.listen(0, '127.0.0.1', () => answerParent((http.address() as AddressInfo).port));
