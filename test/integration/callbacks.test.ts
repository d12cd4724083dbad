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
