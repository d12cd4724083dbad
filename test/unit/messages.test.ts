import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { JoinOptions } from '../../shared/messages.ts';

const takes = (options: object) => z.safeParse(JoinOptions, options).success;

test('the secret of a session is long enough that nobody draws it again, and no longer than a hash needs', () => {
  const lengths = [0, 21, 22, 64, 65];
  expect(lengths.map((length) => takes({ session: 'a'.repeat(length) }))).toEqual([false, false, true, true, false]);
  for (const letter of [' ', '.', '+', '/', '=', 'é', '\n']) expect(takes({ session: `${'a'.repeat(30)}${letter}` })).toBe(false);
});

test('a join names a place, its own id and a thousand former ones at most', () => {
  expect(takes({ epoch: 'x'.repeat(64), seq: 0, clientId: 0, formerIds: Array(1_000).fill(7) })).toBe(true);
  for (const wrong of [
    { epoch: 'x'.repeat(65) },
    { seq: -1 },
    { seq: 1.5 },
    { clientId: -1 },
    { formerIds: Array(1_001).fill(7) },
    { formerIds: [-1] },
  ]) {
    expect([wrong, takes(wrong)]).toEqual([wrong, false]);
  }
});
