import { invariant } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';

/** Whether a cost was within the budget. Refused: nothing was charged, and the same cost passes after `retryAfterMs` if nothing else is taken. */
export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

export interface TokenBucketOptions {
  /** Tokens that come back per second. */
  readonly ratePerSecond: number;
  /** Tokens in the full bucket, as at the start. */
  readonly burst: number;
  /** Read by `monotonic()` alone: a jump of the wall clock neither grants nor takes. */
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** A budget that refills with time. Plain arithmetic, no timers: an idle bucket costs nothing. */
export interface TokenBucket {
  /** Charges `cost`, or says when to come back. `cost` is at least 0. */
  take(cost: number): Taken;
  /** Ms until `cost` would pass; 0: now. Charges nothing. */
  wait(cost: number): number;
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
 */
export function createTokenBucket({ ratePerSecond, burst, clock }: TokenBucketOptions): TokenBucket {
  invariant(ratePerSecond > 0 && burst > 0, 'a bucket refills and holds something', { ratePerSecond, burst });
  const ratePerMs = ratePerSecond / 1000;
  let tokens = burst;
  let refilledAt = clock.monotonic();

  const refill = (): void => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + Math.max(0, now - refilledAt) * ratePerMs);
    refilledAt = now;
  };
  const wait = (cost: number): number => {
    invariant(cost >= 0, 'a cost is not negative', { cost });
    refill();
    const missing = Math.min(cost, burst) - tokens - ROUNDING;
    return cost === 0 || missing <= 0 ? 0 : Math.ceil(missing / ratePerMs);
  };
  const spend = (cost: number): void => {
    refill();
    tokens = Math.min(tokens, Math.max(tokens - cost, -burst));
  };

  return {
    wait,
    spend,
    take(cost) {
      const retryAfterMs = wait(cost);
      if (retryAfterMs > 0) return { ok: false, retryAfterMs };
      tokens -= cost;
      return PASSED;
    },
    get full() {
      refill();
      return tokens >= burst - ROUNDING;
    },
  };
}
