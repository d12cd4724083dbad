import { expect, test } from 'vitest';
import { Audit } from '../../server/audit.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { LogLines } from '../support/log-lines.ts';
import { createManualClock } from '../support/manual-clock.ts';

test('refusals of a socket beyond 60 a minute are counted, and the count stands in the next line, once', () => {
  const clock = createManualClock();
  const log = new LogLines();
  const audit = new Audit(log.logger, clock);
  const [eve, bob] = [fakeConnection({ clock, userId: 'eve' }), fakeConnection({ clock, userId: 'bob' })];
  for (let refusal = 0; refusal < 100; refusal++) audit.refused(eve, 'join-room', 'access-denied', 'doc:secret');
  audit.refused(bob, 'join-room', 'access-denied', 'doc:secret');
  clock.advance(2_000);
  for (let refusal = 0; refusal < 3; refusal++) audit.refused(eve, 'join-room', 'access-denied', 'doc:secret');
  clock.advance(1_000);
  audit.refused(eve, 'join-room', 'access-denied', 'doc:secret');
  const lines = log.all().map(({ userId, suppressed }) => [userId, suppressed]);
  expect(lines).toEqual([
    ...Array.from({ length: 60 }, () => ['eve', undefined]),
    ['bob', undefined],
    ['eve', 40],
    ['eve', undefined],
    ['eve', 1],
  ]);
});
