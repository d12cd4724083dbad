import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { invariant } from '../shared/errors.ts';
import type { Clock } from './clock.ts';
import type { EventLoopLag } from './metrics.ts';

/** Longest delay that `setTimeout` takes: a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What the clock of a process is made of: an argument, so that a test reaches day 25. */
export interface SystemTimers {
  monotonic(): number;
  setTimeout(task: () => void, ms: number): unknown;
  clearTimeout(handle: never): void;
}

const PROCESS: SystemTimers = {
  monotonic: () => performance.now(),
  setTimeout: (task, ms) => setTimeout(task, ms),
  clearTimeout: (handle: NodeJS.Timeout) => clearTimeout(handle),
};

/**
 * The real clock: the process's time and chance. A timer never runs early by the monotonic clock, never before `after` has
 * returned, and keeps the process alive until it has run or was cancelled.
 */
export function createSystemClock(timers: SystemTimers = PROCESS): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => timers.monotonic(),
    after(ms, task) {
      invariant(!Number.isNaN(ms), 'a delay is a number');
      const due = timers.monotonic() + Math.max(0, ms);
      let handle: unknown;
      let cancelled = false;
      const arm = (): void => {
        handle = timers.setTimeout(step, Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(due - timers.monotonic()))));
      };
      const step = (): void => {
        if (cancelled) return;
        // The event loop's time is in whole ms and may be a fraction ahead of the monotonic clock.
        if (timers.monotonic() < due) arm();
        else task();
      };
      arm();
      return () => {
        cancelled = true;
        timers.clearTimeout(handle as never);
      };
    },
    randomBytes: (bytes) => new Uint8Array(randomBytes(bytes)),
  };
}

// Each look wakes the process: at 10 ms an idle one spent 3 ms a second on it.
const LAG_RESOLUTION_MS = 100;
const NS_PER_MS = 1e6;

/** Watches how late the process's event loop is, until it is stopped. */
export function watchEventLoop(): EventLoopLag {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  // It counts the whole time between two looks: what is beyond the interval is lag.
  const lag = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS_PER_MS - LAG_RESOLUTION_MS) : 0);
  return {
    take() {
      const taken = { mean: lag(delay.mean), p99: lag(delay.percentile(99)), max: lag(delay.max) };
      delay.reset();
      return taken;
    },
    stop: () => void delay.disable(),
  };
}
