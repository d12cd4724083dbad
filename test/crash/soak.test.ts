import { expect, test } from 'vitest';
import { CLIENT_LIMITS, SERVER_LIMITS, soak } from '../support/soak.ts';
import { whatGrew } from '../support/what-grew.ts';

// `npm run soak -- --minutes 60` for more.
test('a crowd that types, chats, reloads and loses its network leaves server and clients as large as they were', {
  timeout: 120_000,
}, async () => {
  const seed = Date.now() % 2 ** 31;
  console.info(`soak.test.ts: seed ${seed}`);
  const { server, clients } = await soak({ rounds: 9, everyMs: 0, seed });
  expect(whatGrew([{ name: 'server', samples: server }], SERVER_LIMITS)).toEqual([]);
  expect(whatGrew([{ name: 'clients', samples: clients }], CLIENT_LIMITS)).toEqual([]);
  expect(server).toHaveLength(9);
});
