import { expect, test } from 'vitest';
import { createSystemClock } from '../../server/system-clock.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Timers as Node has them: what waits longer than 2^31 - 1 ms fires at once. */
function createTimers() {
  let now = 0;
  const waiting = new Map<number, { due: number; task: () => void }>();
  let ids = 0;
  return {
    waiting,
    /** How often a timer was armed: a delay that overflows spins. */
    get armed() {
      return ids;
    },
    /** As the event loop: a little early at times. */
    advance(ms: number, early = 0): void {
      now += ms;
      for (const [id, { due, task }] of [...waiting]) {
        if (due - early > now) continue;
        waiting.delete(id);
        task();
      }
    },
    monotonic: () => now,
    setTimeout(task: () => void, ms: number): number {
      waiting.set(++ids, { due: now + (ms > 2 ** 31 - 1 ? 1 : ms), task });
      return ids;
    },
    clearTimeout: (id: number) => void waiting.delete(id),
  };
}
const DAY = 86_400_000;

test('a timer of 30 days fires on day 30, not at once', () => {
  const timers = createTimers();
  let fired = 0;
  createSystemClock(timers).after(30 * DAY, () => fired++);
  for (let day = 1; day < 30; day++) {
    timers.advance(DAY);
    expect(fired).toBe(0);
  }
  timers.advance(DAY);
  expect([fired, timers.waiting.size, timers.armed]).toEqual([1, 0, 2]);
});

test('a cancelled timer never fires, also after it was armed again', () => {
  const timers = createTimers();
  let fired = 0;
  const clock = createSystemClock(timers);
  const cancelLong = clock.after(30 * DAY, () => fired++);
  const cancelShort = clock.after(5, () => fired++);
  timers.advance(26 * DAY - 1);
  fired = 0;
  cancelLong();
  cancelShort();
  timers.advance(100 * DAY);
  expect([fired, timers.waiting.size]).toEqual([0, 0]);
});

test('a timer that the event loop runs early waits for the rest', () => {
  const timers = createTimers();
  let fired = 0;
  createSystemClock(timers).after(10, () => fired++);
  timers.advance(9.5, 0.6);
  expect(fired).toBe(0);
  timers.advance(1);
  expect(fired).toBe(1);
});

test('the real clock tells time, counts on and draws bytes', async () => {
  const clock = createSystemClock();
  const start = clock.monotonic();
  await new Promise<void>((resolve) => clock.after(2, resolve));
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(2);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
  const bytes = clock.randomBytes(16);
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([16, 16]);
  expect(bytes).not.toEqual(clock.randomBytes(16));
});

test('the manual clock runs what falls due in order, also what a task arms on the way', () => {
  const clock = createManualClock({ now: 1_000 });
  const ran: string[] = [];
  clock.after(20, () => ran.push(`late ${clock.monotonic()} ${clock.now()}`));
  clock.after(10, () => {
    ran.push('first');
    clock.after(5, () => ran.push(`armed on the way ${clock.monotonic()}`));
  });
  clock.after(10, () => ran.push('second'));
  clock.after(11, () => ran.push('cancelled'))();
  clock.advance(25);
  expect(ran).toEqual(['first', 'second', 'armed on the way 15', 'late 20 1020']);
  expect([clock.monotonic(), clock.now(), clock.armed]).toEqual([25, 1_025, 0]);
  expect(createManualClock({ seed: 7 }).randomBytes(8)).toEqual(createManualClock({ seed: 7 }).randomBytes(8));
  expect(createManualClock({ seed: 7 }).randomBytes(8)).not.toEqual(createManualClock({ seed: 8 }).randomBytes(8));
});
