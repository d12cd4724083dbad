import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { io } from 'socket.io-client';
import { RealtimeServer } from '../../dist/server/index.js';

// A product's process, which says no `process.exit`: it ends once nothing holds it any more, or never.
const jwtSecret = 'a secret that is at least thirty-two bytes long';
const http = createServer();
const realtime = new RealtimeServer({
  jwtSecret,
  dataDir: process.argv[2],
  logLevel: 'silent',
  retention: { log: { maxAgeMs: 60_000 } },
});
await realtime.initialize(http);
await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));

const token = jwt.sign({ id: 'ada', access: { '*': 'write' } }, jwtSecret, { expiresIn: 3_600 });
const socket = io(`http://127.0.0.1:${http.address().port}`, { auth: { token }, reconnection: false });
const done = (answer) => {
  if (answer.success !== true) throw new Error(JSON.stringify(answer));
};
await new Promise((resolve) => socket.once('connect', resolve));
// What each of these leaves behind: an end of typing, a grace, a round, a room that is let go later.
done(await socket.emitWithAck('join-room', 'chat:1'));
done(await socket.emitWithAck('chat:message', { sessionId: '1', content: 'hello' }));
done(await socket.emitWithAck('chat:typing', { sessionId: '1', isTyping: true }));
await realtime.documents.transact('notes', (doc) => doc.getText('text').insert(0, 'hello'));
await realtime.grant('bob', 'doc:notes', 'read');
done(await socket.emitWithAck('join-room', 'doc:notes'));

const gone = new Promise((resolve) => socket.once('disconnect', resolve));
await realtime.close();
await gone;
socket.close();
await new Promise((resolve) => http.close(resolve));
process.stdout.write('closed');
