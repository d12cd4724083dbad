import { expect, test } from 'vitest';
import { crashLoop } from '../support/crash-loop.ts';

// `npm run crash -- --kills 1000` for more.
const KILLS = 20;

test('[1] whatever anyone saw or was told saved is there after kill -9, and nothing is doubled', {
  timeout: 240_000,
}, async () => {
  const seed = Date.now() % 2 ** 31;
  console.info(`kill.test.ts: seed ${seed}`);
  const tally = await crashLoop({ kills: KILLS, seed });
  // The kills met work under way, not an idle server.
  expect(tally.saved).toBeGreaterThan(KILLS);
  expect(tally.seen).toBeGreaterThan(KILLS);
  expect(tally.acked).toBeGreaterThan(KILLS);
});
