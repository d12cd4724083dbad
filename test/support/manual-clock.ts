import type { Clock } from '../../server/clock.ts';

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves both clocks by `ms`, running what falls due on the way: in order of time, then of arming. Tasks may arm more. */
  advance(ms: number): void;
  /** As `advance`, and lets promises settle before, between and after the tasks. */
  advanceAsync(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an administrator or NTP does: no timer notices. */
  jump(ms: number): void;
  /** Timers that are armed: 0 proves that nothing leaks. */
  readonly armed: number;
}

export interface ManualClockOptions {
  /** Unix ms at the start. Default: 2026-01-01T00:00:00Z. */
  now?: number;
  /** Of `randomBytes`: the same seed gives the same bytes in the same order. Default: 1. */
  seed?: number;
}

/** Makes a clock of the test's own. Monotonic time starts at 0. */
export function createManualClock({ now = Date.UTC(2026, 0, 1), seed = 1 }: ManualClockOptions = {}): ManualClock {
  const timers = new Map<number, { due: number; task: () => void }>();
  let wall = now;
  let elapsed = 0;
  let nextId = 1;
  let random = seed >>> 0;

  const takeNextDue = (until: number): { due: number; task: () => void } | undefined => {
    let next: { id: number; due: number; task: () => void } | undefined;
    // Ids grow, so among equals the one armed first wins.
    for (const [id, timer] of timers)
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = { id, ...timer };
    if (next !== undefined) timers.delete(next.id);
    return next;
  };
  const moveTo = (moment: number): void => {
    wall += moment - elapsed;
    elapsed = moment;
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(ms, task) {
      const id = nextId++;
      timers.set(id, { due: elapsed + Math.max(0, ms), task });
      return () => void timers.delete(id);
    },
    randomBytes(bytes) {
      const result = new Uint8Array(bytes);
      for (let index = 0; index < bytes; index++) result[index] = nextByte();
      return result;
    },
    advance(ms) {
      const until = elapsed + ms;
      for (let timer = takeNextDue(until); timer !== undefined; timer = takeNextDue(until)) {
        moveTo(timer.due);
        timer.task();
      }
      moveTo(until);
    },
    async advanceAsync(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = takeNextDue(until); timer !== undefined; timer = takeNextDue(until)) {
        moveTo(timer.due);
        timer.task();
        await settle();
      }
      moveTo(until);
      await settle();
    },
    jump(ms) {
      wall += ms;
    },
    get armed() {
      return timers.size;
    },
  };

  /** mulberry32: small, and good enough for bytes that only need to differ. */
  function nextByte(): number {
    random = (random + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(random ^ (random >>> 15), random | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  }
}
