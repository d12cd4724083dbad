import { expect, test } from 'vitest';
import { tellFailures } from '../../server/storage/sqlite/tell-failures.ts';
import { AshlarError } from '../../shared/errors.ts';

function collect() {
  const said: unknown[] = [];
  const note = (level: string) => (fields: { err?: AshlarError }, message: string) =>
    void said.push([level, message, ...(fields.err ? [fields.err.detail] : [])]);
  return { said, log: { info: note('info'), warn: note('warn'), error: note('error') } };
}

test('why nothing can be written is told once for each reason, and once when it is over', () => {
  const { said, log } = collect();
  const failures = tellFailures(log);
  const [full, cut] = [
    new AshlarError('storage-full', { detail: 'full' }),
    new AshlarError('storage-unavailable', { detail: 'it was cut' }),
  ];
  failures.succeeded('append');
  for (let time = 0; time < 3; time++) failures.failed('append', full);
  // A room that can only be read is opened all the same.
  failures.succeeded('open');
  failures.failed('append', full);
  failures.failed('probe', cut);
  failures.failed('append', new AshlarError('storage-damaged', { detail: 'one room' }));
  failures.succeeded('probe');
  failures.succeeded('append');
  failures.failed('append', cut);
  expect(said).toEqual([
    ['error', 'storage:write-failed', 'full'],
    ['error', 'storage:write-failed', 'it was cut'],
    ['info', 'storage:writes-again'],
    ['error', 'storage:write-failed', 'it was cut'],
  ]);
});
