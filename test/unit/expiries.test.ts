import { beforeEach, expect, test } from 'vitest';
import { Expiries } from '../../server/guard/expiries.ts';
import type { Connection } from '../../server/rooms/connection.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

let clock: ManualClock;
let open: Set<Connection>;
let ended: [userId: string, at: number][];
let expiries: Expiries;

beforeEach(() => {
  clock = createManualClock();
  open = new Set();
  ended = [];
  expiries = new Expiries({
    clock,
    connections: () => open,
    expired: (connection) => {
      ended.push([connection.user.id, clock.monotonic()]);
      open.delete(connection);
    },
  });
});

function come(userId: string, ms: number): Connection {
  const connection = fakeConnection({ clock, userId, expiresAt: clock.now() + ms });
  open.add(connection);
  expiries.watch(connection);
  return connection;
}

test('each connection ends when its token does, whoever came first, with one timer for all', () => {
  come('ben', 5_000);
  come('ada', 2_000);
  come('eve', 9_000);
  come('zoe', 2_000);
  expect(clock.armed).toBe(1);
  clock.advance(10_000);
  expect(ended).toEqual([
    ['ada', 2_000],
    ['zoe', 2_000],
    ['ben', 5_000],
    ['eve', 9_000],
  ]);
  expect(clock.armed).toBe(0);
});

test('a token that was renewed counts from then on, longer or shorter', () => {
  const ada = come('ada', 2_000);
  const ben = come('ben', 9_000);
  ada.endsAt = 7_000;
  expiries.watch(ada);
  ben.endsAt = 3_000;
  expiries.watch(ben);
  clock.advance(10_000);
  expect(ended).toEqual([
    ['ben', 3_000],
    ['ada', 7_000],
  ]);
});

test('who has gone is not ended, and those who come later are watched', () => {
  open.delete(come('ada', 2_000));
  clock.advance(3_000);
  expect([ended, clock.armed]).toEqual([[], 0]);
  come('ben', 1_000);
  clock.advance(1_000);
  expect(ended).toEqual([['ben', 4_000]]);
});

test('a token that ended on the way in ends its connection at once', () => {
  come('ada', -1);
  clock.advance(0);
  expect(ended).toEqual([['ada', 0]]);
});

test('closed, it ends nothing and holds no timer', () => {
  come('ada', 2_000);
  expiries.close();
  expect(clock.armed).toBe(0);
  clock.advance(10_000);
  expect(ended).toEqual([]);
});
