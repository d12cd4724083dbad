import { invariant } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';

/** Whether a cost was within the budget. Refused: nothing was charged, and the same cost passes after `retryAfterMs` if nothing else is taken. */
export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

/** How a bucket fills. Buckets of one kind share it. */
export interface Rate {
  /** Tokens that come back per second. */
  readonly ratePerSecond: number;
  /** Tokens in the full bucket, as at the start. */
  readonly burst: number;
}

/** A budget that refills with time. Plain arithmetic, no timers: an idle bucket costs nothing. */
export interface TokenBucket {
  /** Charges `cost`, or says when to come back. `cost` is at least 0. */
  take(cost: number): Taken;
  /** Ms until `cost` would pass; 0: now. Charges nothing. */
  wait(cost: number): number;
  /** Ms until nothing is owed any more, where more than `allowed` is now; 0: no more is. Charges nothing. */
  waitForDebt(allowed: number): number;
  /** Charges `cost` without asking, for what has arrived already. The debt it makes is one `burst` at most: nobody is shut out for longer. */
  spend(cost: number): void;
  /** Whether nothing is owed: then a new bucket would be the same. */
  readonly full: boolean;
}

const PASSED: Taken = Object.freeze({ ok: true });
// Sums of fractions: whoever waited exactly as long as told must pass.
const ROUNDING = 1e-6;

/**
 * Makes a full bucket. A cost above `burst` passes when the bucket is full and leaves a debt, so that nothing is refused for
 * ever: limits on size belong elsewhere.
 * @param clock read by `monotonic()` alone: a jump of the wall clock neither grants nor takes
 */
export function createTokenBucket(rate: Rate, clock: Pick<Clock, 'monotonic'>): TokenBucket {
  return new Bucket(rate, clock);
}

// A class: each socket has several, and closures would cost each of them five times as much.
class Bucket implements TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #tokens: number;
  #refilledAt: number;

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>) {
    const { ratePerSecond, burst } = rate;
    invariant(ratePerSecond > 0 && burst > 0, 'a bucket refills and holds something', { ratePerSecond, burst });
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = burst;
    this.#refilledAt = clock.monotonic();
  }

  wait(cost: number): number {
    invariant(cost >= 0, 'a cost is not negative', { cost });
    this.#refill();
    const missing = Math.min(cost, this.#rate.burst) - this.#tokens - ROUNDING;
    return cost === 0 || missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.#rate.ratePerSecond);
  }

  waitForDebt(allowed: number): number {
    this.#refill();
    const owed = -this.#tokens;
    return owed <= allowed + ROUNDING ? 0 : Math.ceil((owed * 1000) / this.#rate.ratePerSecond);
  }

  spend(cost: number): void {
    this.#refill();
    this.#tokens = Math.min(this.#tokens, Math.max(this.#tokens - cost, -this.#rate.burst));
  }

  take(cost: number): Taken {
    const retryAfterMs = this.wait(cost);
    if (retryAfterMs > 0) return { ok: false, retryAfterMs };
    this.#tokens -= cost;
    return PASSED;
  }

  get full(): boolean {
    this.#refill();
    return this.#tokens >= this.#rate.burst - ROUNDING;
  }

  #refill(): void {
    const { ratePerSecond, burst } = this.#rate;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#refilledAt) / 1000) * ratePerSecond);
    this.#refilledAt = now;
  }
}
