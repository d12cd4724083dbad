/**
 * How much each sender may do, per socket and per user: token buckets by kind of cost.
 *
 * rate-limiter-flexible was considered. It answers with a promise and reads the wall clock; updates of one document must be
 * decided in the order in which they came, by a cost (bytes, structs) known only after a look inside, and tests own the clock.
 * So the buckets are plain synchronous arithmetic (token-bucket.ts). Limits across nodes get a port of their own later.
 */
import type { Clock } from '../clock.ts';
import type { Limits } from '../options.ts';
import { createTokenBucket, type Rate, type Taken, type TokenBucket } from './token-bucket.ts';

/**
 * What is counted.
 * - `events`: domain events from clients. `publishes`: events published over HTTP.
 * - `joins`: joins, leaves and other questions. `awareness`: awareness messages.
 * - `bytes`, `packets`: whatever arrives. `structs`: Yjs structs in document updates.
 */
export type BudgetKind = 'events' | 'publishes' | 'joins' | 'awareness' | 'bytes' | 'structs' | 'packets';

/** A minute's worth at once, refilled evenly. */
const perMinute = (count: number): Rate => ({ ratePerSecond: count / 60, burst: count });

const ratesByLimits = new WeakMap<Limits, Record<BudgetKind, Rate>>();

/** The same object for the same limits: each socket asks. */
function ratesOf(limits: Limits): Record<BudgetKind, Rate> {
  let rates = ratesByLimits.get(limits);
  if (rates === undefined) {
    rates = makeRates(limits);
    ratesByLimits.set(limits, rates);
  }
  return rates;
}

function makeRates(limits: Limits): Record<BudgetKind, Rate> {
  return {
    events: perMinute(limits.eventsPerMinute),
    publishes: perMinute(limits.publishesPerMinute),
    joins: perMinute(limits.joinsPerMinute),
    awareness: { ratePerSecond: limits.awarenessPerSecond, burst: limits.awarenessPerSecond * 2 },
    bytes: { ratePerSecond: limits.bytesPerSecond, burst: limits.byteBurst },
    structs: { ratePerSecond: limits.structsPerSecond, burst: limits.structBurst },
    packets: { ratePerSecond: limits.packetsPerSecond, burst: limits.packetsPerSecond * 10 },
  };
}

/**
 * A user's sockets together may do what so many sockets may. One for events, as documented per user. Ten for what open tabs and
 * devices do by themselves: an honest user never meets that, and a thousand sockets are no way around the limits.
 */
const USER_SHARE: Record<BudgetKind, number> = {
  events: 1,
  publishes: 1,
  joins: 10,
  awareness: 10,
  bytes: 10,
  structs: 10,
  packets: 10,
};

function userRates(rates: Record<BudgetKind, Rate>): Record<BudgetKind, Rate> {
  const shared = { ...rates };
  for (const kind of Object.keys(rates) as BudgetKind[]) {
    const { ratePerSecond, burst } = rates[kind];
    shared[kind] = { ratePerSecond: ratePerSecond * USER_SHARE[kind], burst: burst * USER_SHARE[kind] };
  }
  return shared;
}

/** Users remembered before the idle ones are looked for. */
const FIRST_SWEEP = 1_024;

/** The budgets that all sockets of a user share. */
export interface UserBudgets {
  /** Charges a user. @param cost default 1 */
  take(userId: string, kind: BudgetKind, cost?: number): Taken;
  /** Ms until the cost would pass; 0: now. */
  wait(userId: string, kind: BudgetKind, cost?: number): number;
  /** Ms until nothing is owed any more, where more than `allowed` is now; 0: no more is. */
  waitForDebt(userId: string, kind: BudgetKind, allowed: number): number;
  /** Charges what has arrived already, without asking. */
  spend(userId: string, kind: BudgetKind, cost?: number): void;
  /** Users held in memory. */
  readonly size: number;
}

/** The budgets of one socket, and, once it has a user, of that user: both are charged or neither. */
export interface SocketBudgets {
  /** From now on the socket's costs are the user's too. */
  belongTo(userId: string): void;
  /** Charges. Refused: `retryAfterMs` is the longer wait of the two. @param cost default 1 */
  take(kind: BudgetKind, cost?: number): Taken;
  /** Ms until nothing is owed any more, where more than `allowed` is now: the longer wait of the two; 0: no more is. Charges nothing. */
  waitForDebt(kind: BudgetKind, allowed: number): number;
  /** Charges what has arrived already, without asking. */
  spend(kind: BudgetKind, cost?: number): void;
}

type Buckets = { [Kind in BudgetKind]?: TokenBucket };

/** Budgets per user. An entry goes when all its buckets are full again: it would be the same if it were made anew. */
export function createUserBudgets(limits: Limits, clock: Pick<Clock, 'monotonic'>): UserBudgets {
  const rates = userRates(ratesOf(limits));
  const users = new Map<string, Buckets>();
  let sweepAt = FIRST_SWEEP;

  const bucketOf = (userId: string, kind: BudgetKind): TokenBucket => {
    let buckets = users.get(userId);
    if (buckets === undefined) {
      // Looked through once per doubling: constant work per user, and no timer.
      if (users.size >= sweepAt) sweep();
      buckets = {};
      users.set(userId, buckets);
    }
    buckets[kind] ??= createTokenBucket(rates[kind], clock);
    return buckets[kind];
  };
  const sweep = (): void => {
    for (const [userId, buckets] of users) {
      if (Object.values(buckets).every((bucket) => bucket.full)) users.delete(userId);
    }
    sweepAt = Math.max(FIRST_SWEEP, users.size * 2);
  };

  return {
    take: (userId, kind, cost = 1) => bucketOf(userId, kind).take(cost),
    wait: (userId, kind, cost = 1) => bucketOf(userId, kind).wait(cost),
    waitForDebt: (userId, kind, allowed) => bucketOf(userId, kind).waitForDebt(allowed),
    spend: (userId, kind, cost = 1) => bucketOf(userId, kind).spend(cost),
    get size() {
      return users.size;
    },
  };
}

/**
 * Budgets of one socket. Buckets are made when first needed: a socket that only listens has none.
 * @param users charged as well once the socket has a user
 */
export function createSocketBudgets(limits: Limits, clock: Pick<Clock, 'monotonic'>, users?: UserBudgets): SocketBudgets {
  return new BudgetsOfSocket(ratesOf(limits), clock, users);
}

class BudgetsOfSocket implements SocketBudgets {
  readonly #rates: Record<BudgetKind, Rate>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #users: UserBudgets | undefined;
  readonly #buckets: Buckets = {};
  #userId: string | undefined;

  constructor(rates: Record<BudgetKind, Rate>, clock: Pick<Clock, 'monotonic'>, users: UserBudgets | undefined) {
    this.#rates = rates;
    this.#clock = clock;
    this.#users = users;
  }

  belongTo(owner: string): void {
    this.#userId = owner;
  }

  take(kind: BudgetKind, cost = 1): Taken {
    const bucket = this.#bucketOf(kind);
    if (this.#users === undefined || this.#userId === undefined) return bucket.take(cost);
    const retryAfterMs = Math.max(bucket.wait(cost), this.#users.wait(this.#userId, kind, cost));
    if (retryAfterMs > 0) return { ok: false, retryAfterMs };
    this.#users.take(this.#userId, kind, cost);
    return bucket.take(cost);
  }

  waitForDebt(kind: BudgetKind, allowed: number): number {
    const own = this.#bucketOf(kind).waitForDebt(allowed);
    if (this.#users === undefined || this.#userId === undefined) return own;
    return Math.max(own, this.#users.waitForDebt(this.#userId, kind, allowed));
  }

  spend(kind: BudgetKind, cost = 1): void {
    this.#bucketOf(kind).spend(cost);
    if (this.#users !== undefined && this.#userId !== undefined) this.#users.spend(this.#userId, kind, cost);
  }

  #bucketOf(kind: BudgetKind): TokenBucket {
    this.#buckets[kind] ??= createTokenBucket(this.#rates[kind], this.#clock);
    return this.#buckets[kind];
  }
}
