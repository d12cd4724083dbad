import { expect, test } from 'vitest';
import type { RealtimeServer } from '../../server/server.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

test('[5] an authorize callback that has the access of its user rechecked is refused in the end, and everything else goes on', async () => {
  let realtime: RealtimeServer | undefined;
  await using server = await startServer({
    authorize: async (user, room) => {
      if (room === 'mirror') await realtime?.recheckAccess(user.id);
      return 'write' as const;
    },
  });
  realtime = server.realtime;
  const anna = await server.connect(tokenFor('anna'), { auth: { autoJoin: false } });
  expect(await ask(anna, 'join-room', 'mirror')).toMatchObject({ success: false, error: { code: 'access-check-failed' } });
  expect(await ask(anna, 'join-room', 'lobby')).toMatchObject({ success: true });
});

test('the product hears of a chat message once, however often it is sent', async () => {
  await using server = await startServer();
  const heard: string[] = [];
  server.realtime.on('chat:message', ({ user, message, seq }) => heard.push(`${seq} ${user.id}: ${message.content}`));
  const anna = await server.connect(tokenFor('anna'));
  const say = (content: string, id: string) => ask(anna, 'chat:message', { sessionId: '1', content }, { id });
  const [first, again] = await Promise.all([say('one', 'm1'), say('one', 'm1')]);
  expect(await say('one', 'm1')).toEqual(first);
  expect(again).toEqual(first);
  await say('two', 'm2');
  expect(heard).toEqual(['1 anna: one', '2 anna: two']);
});
