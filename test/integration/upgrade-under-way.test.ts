import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { auditEvents } from '../support/audit-events.ts';
import { EnginePeer } from '../support/engine-peer.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

test('what is on its way with a poll, to a client that has upgraded meanwhile, is broken off with its access', async () => {
  await using ashlar = await startServer({ events: [...auditEvents], limits: { queueBytes: 64_000_000 } });
  const { realtime } = ashlar;
  const engine = `${ashlar.url}/socket.io/?EIO=4`;
  const get = async (query: string) => (await fetch(`${engine}&${query}`)).text();
  const { sid } = JSON.parse((await get('transport=polling')).slice(1)) as { sid: string };
  const polling = `transport=polling&sid=${sid}`;
  const post = (body: string) => fetch(`${engine}&${polling}`, { method: 'POST', body });
  await post(`40${JSON.stringify({ token: tokenFor('bob'), autoJoin: false })}`);
  await post('421["join-room","audit:1"]');
  for (let said = ''; !said.includes('431'); ) said += await get(polling);

  // More than the kernel takes for a client that does not read.
  const padding = 'x'.repeat(900_000);
  for (let entry = 0; entry < 30; entry++) await realtime.toRoom('audit:1', 'audit:entry', { entry, padding });
  const { hostname, port } = new URL(ashlar.url);
  const slow = connect(Number(port), hostname);
  slow.on('error', () => {});
  slow.write(`GET /socket.io/?EIO=4&${polling} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  await once(slow, 'readable');
  await using upgraded = EnginePeer.open(`${engine}&transport=websocket&sid=${sid}`);
  upgraded.socket.once('open', () => upgraded.send('2probe'));
  expect(await upgraded.next()).toBe('3probe');
  upgraded.send('5');
  upgraded.send('422["room:members","audit:1"]');
  expect(await upgraded.nextMessage()).toContain('432');

  await realtime.revoke('bob', 'audit:1');
  let received = '';
  slow.setEncoding('latin1').on('data', (text) => {
    received += text;
  });
  await once(slow, 'close');
  expect(received).toContain('"entry":0');
  expect(received).not.toContain('"entry":29');
  await upgraded.closed;
});
