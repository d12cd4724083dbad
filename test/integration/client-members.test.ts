import { expect, test } from 'vitest';
import { createClient } from '../../client/index.ts';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

function clientOf(url: string, user: string) {
  const client = createClient({ url, token: tokenFor(user, { access: { '*': 'write' } }), onError: () => {} });
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

test('members of a room come and go, in one list that keeps its identity until it changes', async () => {
  await using server = await startServer({ presenceGraceMs: 20 });
  using ada = clientOf(server.url, 'ada');
  using bob = clientOf(server.url, 'bob');
  void ada.connect();
  void bob.connect();
  const members = ada.members('chat:s1');
  const stop = members.subscribe(() => {});
  await bob.joinRoom('chat:s1');
  const both = await until(members, (list) => list.length === 2 && list.every(({ status }) => status === 'online'));
  expect(members.get()).toBe(both);
  bob.disconnect();
  await until(members, (list) => list.some(({ userId, status }) => userId === 'bob' && status === 'offline'));
  stop();
});

test.each(['chat:s1', 'doc:handbook'])(
  '[4] whose access to %s ends no longer sees who is there, and does once it is given back',
  async (room) => {
    await using server = await startServer();
    using ada = clientOf(server.url, 'ada');
    using bob = clientOf(server.url, 'bob');
    await ada.connect();
    await bob.connect();
    if (room === 'doc:handbook') for (const client of [ada, bob]) client.document('handbook');
    else await ada.joinRoom(room);
    const members = bob.members(room);
    const stop = members.subscribe(() => {});
    await until(members, (list) => list.length === 2);
    await server.realtime.revoke('bob', room);
    await until(members, (list) => list.length === 0);
    await server.realtime.grant('bob', room, 'read');
    await until(members, (list) => list.length === 2);
    stop();
  },
);
