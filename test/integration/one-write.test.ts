import { expect, test } from 'vitest';
import { startServer, tokenFor } from '../support/start-server.ts';

const JOINS = 300;

test('[5] what a sender asks for in one write is not answered in one turn of the event loop: everybody else has theirs in between', async () => {
  let asked = 0;
  let most = 0;
  await using server = await startServer({
    limits: { roomsPerSocket: 1_000 },
    authorize: () => {
      asked += 1;
      return 'read';
    },
  });
  const eve = await server.connect(tokenFor('eve', { access: undefined }));
  const before = asked;
  let seen = before;
  let watching = setImmediate(function look() {
    most = Math.max(most, asked - seen);
    seen = asked;
    watching = setImmediate(look);
  });
  const answers = await Promise.all(
    Array.from(
      { length: JOINS },
      (_, index) => eve.emitWithAck('join-room', `batch:${index}`, {}) as Promise<{ success: boolean }>,
    ),
  );
  clearImmediate(watching);
  expect(answers.filter(({ success }) => success)).toHaveLength(JOINS);
  expect(asked - before).toBe(JOINS);
  expect(most).toBeLessThanOrEqual(64);
});
