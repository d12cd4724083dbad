import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAddressLimiter } from '../../server/guard/address-limiter.ts';
import { createSocketBudgets, createUserBudgets } from '../../server/guard/budgets.ts';
import { createTokenBucket } from '../../server/guard/token-bucket.ts';
import { Limits } from '../../server/options.ts';
import { AshlarError } from '../../shared/errors.ts';
import { createManualClock } from '../support/manual-clock.ts';

describe('a token bucket', () => {
  test('gives its burst at once and then its rate', () => {
    const clock = createManualClock();
    const bucket = createTokenBucket({ ratePerSecond: 2, burst: 3 }, clock);
    expect([1, 1, 1].map((cost) => bucket.take(cost).ok)).toEqual([true, true, true]);
    expect(bucket.take(1)).toEqual({ ok: false, retryAfterMs: 500 });
    clock.advance(499);
    expect(bucket.take(1)).toEqual({ ok: false, retryAfterMs: 1 });
    clock.advance(1);
    expect(bucket.take(1)).toEqual({ ok: true });
    clock.advance(3_600_000);
    expect(bucket.take(3)).toEqual({ ok: true });
    expect(bucket.take(1).ok).toBe(false);
  });

  test('lets a cost above its burst through when it is full, and makes it pay', () => {
    const clock = createManualClock();
    const bucket = createTokenBucket({ ratePerSecond: 10, burst: 100 }, clock);
    bucket.take(1);
    expect(bucket.take(300)).toEqual({ ok: false, retryAfterMs: 100 });
    clock.advance(100);
    expect(bucket.take(300)).toEqual({ ok: true });
    expect(bucket.take(1)).toEqual({ ok: false, retryAfterMs: 20_100 });
    clock.advance(20_100);
    expect(bucket.take(1)).toEqual({ ok: true });
  });

  test('charges nothing for what it refuses, nor for asking', () => {
    const clock = createManualClock();
    const bucket = createTokenBucket({ ratePerSecond: 1, burst: 10 }, clock);
    bucket.take(5);
    for (let round = 0; round < 100; round++) expect([bucket.take(6).ok, bucket.wait(6)]).toEqual([false, 1_000]);
    expect(bucket.take(5).ok).toBe(true);
    expect(bucket.take(0)).toEqual({ ok: true });
  });

  test('that arrivals overdraw owes one burst at most', () => {
    const clock = createManualClock();
    const bucket = createTokenBucket({ ratePerSecond: 10, burst: 10 }, clock);
    for (let round = 0; round < 100; round++) bucket.spend(50);
    expect(bucket.wait(10)).toBe(2_000);
    clock.advance(2_000);
    expect(bucket.full).toBe(true);
  });

  test('does not notice a jump of the wall clock', () => {
    const clock = createManualClock();
    const bucket = createTokenBucket({ ratePerSecond: 1, burst: 1 }, clock);
    bucket.take(1);
    clock.jump(3_600_000);
    expect(bucket.take(1).ok).toBe(false);
    clock.jump(-7_200_000);
    clock.advance(1_000);
    expect(bucket.take(1).ok).toBe(true);
  });

  test('keeps its word: after retryAfterMs the cost passes, a ms sooner it does not, and never more than burst + rate × time passes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(fc.record({ cost: fc.integer({ min: 0, max: 1_500 }), pause: fc.integer({ min: 0, max: 400 }) }), {
          maxLength: 60,
        }),
        (ratePerSecond, burst, steps) => {
          const clock = createManualClock();
          const bucket = createTokenBucket({ ratePerSecond, burst }, clock);
          let passed = 0;
          let largest = 0;
          for (const { cost, pause } of steps) {
            clock.advance(pause);
            const taken = bucket.take(cost);
            if (!taken.ok) {
              clock.advance(taken.retryAfterMs - 1);
              expect(bucket.take(cost).ok).toBe(false);
              clock.advance(1);
              expect(bucket.take(cost).ok).toBe(true);
            }
            passed += cost;
            largest = Math.max(largest, cost);
            expect(passed).toBeLessThanOrEqual(Math.max(burst, largest) + (ratePerSecond * clock.monotonic()) / 1000 + 1e-3);
          }
        },
      ),
    );
  });

  test('refuses a cost below nothing, which would fill it', () => {
    const bucket = createTokenBucket({ ratePerSecond: 1, burst: 1 }, createManualClock());
    expect(() => bucket.take(-1)).toThrow(AshlarError);
    expect(() => bucket.take(Number.NaN)).toThrow(AshlarError);
  });
});

describe('budgets', () => {
  const limits = Limits.parse({ eventsPerMinute: 100 });

  test('give a socket 100 events a minute by default, and tell the 101st when to come back', () => {
    const clock = createManualClock();
    const socket = createSocketBudgets(Limits.parse({}), clock);
    for (let event = 0; event < 100; event++) expect(socket.take('events').ok).toBe(true);
    expect(socket.take('events')).toEqual({ ok: false, retryAfterMs: 600 });
    clock.advance(600);
    expect(socket.take('events').ok).toBe(true);
  });

  test('are apart by kind', () => {
    const socket = createSocketBudgets(limits, createManualClock());
    for (let event = 0; event < 101; event++) socket.take('events');
    for (const kind of ['joins', 'awareness', 'bytes', 'structs', 'packets', 'publishes'] as const)
      expect(socket.take(kind).ok).toBe(true);
  });

  test('let someone paste 5 MB and replay a trace', () => {
    const socket = createSocketBudgets(limits, createManualClock());
    expect(socket.take('bytes', 5_000_000).ok).toBe(true);
    expect(socket.take('structs', 100_000).ok).toBe(true);
  });

  test('of a user hold for all sockets of that user together, and for nobody else', () => {
    const clock = createManualClock();
    const users = createUserBudgets(limits, clock);
    const [first, second, other, unknown] = ['anna', 'anna', 'bob', undefined].map((userId) => {
      const socket = createSocketBudgets(limits, clock, users);
      if (userId !== undefined) socket.belongTo(userId);
      return socket;
    });
    for (let event = 0; event < 100; event++) expect((event % 2 ? first : second)?.take('events').ok).toBe(true);
    expect(first?.take('events')).toEqual({ ok: false, retryAfterMs: 600 });
    expect(second?.take('events').ok).toBe(false);
    expect(other?.take('events').ok).toBe(true);
    expect(unknown?.take('events').ok).toBe(true);
  });

  test('of a user refuse a cost that is more than is left of them, though less would pass, to a socket that has spent nothing', () => {
    const clock = createManualClock();
    const limits = Limits.parse({ structsPerSecond: 10, structBurst: 100 });
    const users = createUserBudgets(limits, clock);
    const taken = Array.from({ length: 12 }, () => {
      const socket = createSocketBudgets(limits, clock, users);
      socket.belongTo('anna');
      return socket.take('structs', 90);
    });
    // Eleven times 90 of the user's 1,000; the twelfth waits for 80, at 100 a second.
    expect(taken.map(({ ok }) => ok)).toEqual([...Array(11).fill(true), false]);
    expect(taken.at(-1)).toEqual({ ok: false, retryAfterMs: 800 });
  });

  test('charge both or neither', () => {
    const clock = createManualClock();
    const users = createUserBudgets(limits, clock);
    const flooding = createSocketBudgets(limits, clock, users);
    flooding.belongTo('anna');
    for (let event = 0; event < 100; event++) flooding.take('events');
    const fresh = createSocketBudgets(limits, clock, users);
    fresh.belongTo('anna');
    // Refused for the user's sake: the socket keeps its own 100.
    for (let event = 0; event < 1_000; event++) expect(fresh.take('events').ok).toBe(false);
    fresh.belongTo('bob');
    for (let event = 0; event < 100; event++) expect(fresh.take('events').ok).toBe(true);
  });

  test('of a user charge what has arrived to both', () => {
    const clock = createManualClock();
    const users = createUserBudgets(limits, clock);
    const socket = createSocketBudgets(limits, clock, users);
    socket.belongTo('anna');
    socket.spend('events', 100);
    expect([socket.take('events').ok, users.wait('anna', 'events')]).toEqual([false, 600]);
  });

  test('of a user tell each of its sockets what they owe together', () => {
    const clock = createManualClock();
    const users = createUserBudgets(Limits.parse({ bytesPerSecond: 100, byteBurst: 100 }), clock);
    const [first, second] = ['anna', 'anna'].map((userId) => {
      const socket = createSocketBudgets(Limits.parse({ bytesPerSecond: 100, byteBurst: 100 }), clock, users);
      socket.belongTo(userId);
      return socket;
    });
    // The user has a thousand: ten times what one socket has.
    first?.spend('bytes', 1_500);
    expect(second?.waitForDebt('bytes', 0)).toBe(500);
    expect(second?.waitForDebt('bytes', 499), 'until nothing is owed').toBe(500);
    expect(second?.waitForDebt('bytes', 500)).toBe(0);
    expect(first?.waitForDebt('bytes', 0), 'the longer wait of the two').toBe(1_000);
  });

  test('forget idle users, and no others', () => {
    const clock = createManualClock();
    const users = createUserBudgets(limits, clock);
    for (let user = 0; user < 100_000; user++) {
      if (user % 1_000 === 0) clock.advance(1_000);
      users.take(`user${user}`, 'events');
    }
    expect(users.size).toBeLessThan(5_000);
    clock.advance(60_000);
    users.take('busy', 'events', 100);
    expect(users.wait('busy', 'joins'), 'of which nothing is owed').toBe(0);
    for (let user = 0; user < 10_000; user++) users.take(`other${user}`, 'events');
    expect(users.take('busy', 'events').ok).toBe(false);
  });
});

describe('the address limiter', () => {
  const limits = { handshakesPerMinute: 3, connectionsPerAddress: 2 };

  test('makes an address wait after too many refused handshakes, and lets it in again', () => {
    const clock = createManualClock();
    const limiter = createAddressLimiter(limits, clock);
    for (let handshake = 0; handshake < 3; handshake++) {
      expect(limiter.check('192.0.2.1').ok).toBe(true);
      limiter.refused('192.0.2.1');
    }
    expect(limiter.check('192.0.2.1')).toEqual({ ok: false, retryAfterMs: 20_000 });
    expect(limiter.check('192.0.2.2').ok).toBe(true);
    clock.advance(20_000);
    expect(limiter.check('192.0.2.1').ok).toBe(true);
  });

  test('never counts a handshake that was accepted', () => {
    const limiter = createAddressLimiter(limits, createManualClock());
    for (let handshake = 0; handshake < 1_000; handshake++) limiter.opened('192.0.2.1')();
    expect(limiter.check('192.0.2.1').ok).toBe(true);
  });

  test('counts open connections until they close, each once', () => {
    const limiter = createAddressLimiter(limits, createManualClock());
    const close = limiter.opened('192.0.2.1');
    limiter.opened('192.0.2.1');
    expect(limiter.check('192.0.2.1').ok).toBe(true);
    limiter.opened('192.0.2.1');
    expect(limiter.check('192.0.2.1')).toEqual({ ok: false, retryAfterMs: 10_000 });
    close();
    close();
    expect(limiter.check('192.0.2.1').ok).toBe(true);
    limiter.opened('192.0.2.1');
    expect(limiter.check('192.0.2.1').ok).toBe(false);
  });

  test('takes one /64 of IPv6 for one address', () => {
    const limiter = createAddressLimiter(limits, createManualClock());
    for (let host = 1; host <= 3; host++) limiter.refused(`2001:db8:0:7::${host}`);
    expect(limiter.check('2001:db8:0:7:aaaa::1').ok).toBe(false);
    expect(limiter.check('2001:db8:0:8::1').ok).toBe(true);
  });

  test('holds a bounded number of addresses, whoever knocks', () => {
    const clock = createManualClock();
    const limiter = createAddressLimiter(limits, clock, 100);
    for (let address = 0; address < 10_000; address++) limiter.refused(`10.0.${address >> 8}.${address & 255}`);
    expect(limiter.size).toBeLessThanOrEqual(100);
    clock.advance(60_000);
    for (let round = 0; round < 100; round++) limiter.refused('192.0.2.1');
    expect(limiter.size).toBe(1);
    expect(limiter.check('192.0.2.1').ok).toBe(false);
  });

  test('beyond that number forgives whom it refused longest ago, not whoever came first', () => {
    const limiter = createAddressLimiter(limits, createManualClock(), 2);
    for (const address of ['a', 'a', 'b', 'a']) limiter.refused(address);
    expect(limiter.check('a').ok).toBe(false);
    limiter.refused('c');
    expect(limiter.size).toBe(2);
    expect(limiter.check('a').ok, 'refused after b was').toBe(false);
  });
});
