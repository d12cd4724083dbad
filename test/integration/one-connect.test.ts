import { once } from 'node:events';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { startServer, tokenFor } from '../support/start-server.ts';

test('[3] several CONNECTs in one read make one socket', async () => {
  await using server = await startServer();
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await once(ws, 'open');
  const answers: string[] = [];
  const refused = new Promise<void>((resolve) =>
    ws.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('4')) answers.push(text);
      if (answers.filter((answer) => answer.startsWith('44')).length === 4) resolve();
    }),
  );
  const connect = `40${JSON.stringify({ token: tokenFor('ada') })}`;
  for (let index = 0; index < 5; index++) ws.send(connect);
  await refused;
  expect(server.realtime.getStats().totalConnections).toBe(1);
  ws.close();
});

test('a connection that leaves its namespace is closed', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('ada'));
  const { engine } = socket.io;
  const closed = new Promise<void>((resolve) => engine.once('close', () => resolve()));
  engine.write('41');
  await closed;
  expect(server.realtime.getStats().totalConnections).toBe(0);
});
