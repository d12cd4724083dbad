import { expect, test } from 'vitest';
import { Savers } from '../../client/documents/savers.ts';
import { AshlarError } from '../../shared/errors.ts';

/** Who waits, and what became of it: nothing yet, `saved`, or a code. */
function waiting(savers: Savers, through: number | null) {
  const wait: { became: string | null } = { became: null };
  savers.wait(through).then(
    () => {
      wait.became = 'saved';
    },
    (error: AshlarError) => {
      wait.became = error.code;
    },
  );
  return wait;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('edits that cannot be put back fail those who wait for them, and nobody who waits for later ones', async () => {
  const savers = new Savers();
  const lost = waiting(savers, 3);
  savers.uncount();
  const later = waiting(savers, 1);
  savers.rejectUncounted(new AshlarError('invalid-update'));
  await settle();
  expect([lost.became, later.became]).toEqual(['invalid-update', null]);
  savers.savedThrough(1);
  await settle();
  expect(later.became).toBe('saved');
});

test('edits that were put back are waited for as the newest of them, and later ones as what they are', async () => {
  const savers = new Savers();
  const back = waiting(savers, 9);
  savers.uncount();
  const early = waiting(savers, 1);
  savers.recount(4);
  savers.savedThrough(3);
  await settle();
  expect([back.became, early.became]).toEqual([null, 'saved']);
  savers.savedThrough(4);
  await settle();
  expect(back.became).toBe('saved');
});
