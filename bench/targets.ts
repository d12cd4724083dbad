import type { Results } from './results.ts';
import { spreadOf } from './statistics.ts';

/** What Ashlar is to reach in one figure. */
export interface Target {
  readonly scenario: string;
  readonly metric: string;
  /** `at most` or `at least` so much, of the base where there is one. */
  readonly bound: 'at most' | 'at least';
  readonly value: number;
  /** A candidate's median; of several the best. */
  readonly base?: string | readonly string[];
  /** The base is more by what the first of these candidates has over the second. */
  readonly plus?: readonly [string, string];
  /** Another metric of Ashlar's own in the same scenario, instead of a base. */
  readonly over?: string;
}

/** Peers that keep documents. None of them has an update on disk before others see it. */
const DURABLE = ['y-websocket', 'y-socket.io', 'hocuspocus'];
/** What one commit adds. */
const COMMIT = ['relay+commit', 'raw'] as const;
/** What is to stay flat may differ by so much: rounds of one figure do. */
const FLAT = 1.25;

export const TARGETS: readonly Target[] = [
  { scenario: 'fan-out-paced', metric: 'cpu', bound: 'at most', value: 1.15, base: 'relay+commit' },
  { scenario: 'fan-out-paced', metric: 'cpu', bound: 'at most', value: 1, base: 'hocuspocus' },
  { scenario: 'fan-out-paced', metric: 'p50', bound: 'at most', value: 1, base: DURABLE, plus: COMMIT },
  { scenario: 'fan-out-paced', metric: 'p99', bound: 'at most', value: 1, base: DURABLE, plus: COMMIT },
  { scenario: 'fan-out-burst', metric: 'cpu', bound: 'at most', value: 0.5, base: 'raw' },
  { scenario: 'event-fan-out', metric: 'cpu', bound: 'at most', value: 1.05, base: 'socket.io' },
  { scenario: 'cold-join', metric: 'join', bound: 'at most', value: 5 },
  { scenario: 'cold-join', metric: 'memory', bound: 'at most', value: 2 },
  // By the clock and by the processor: the one says what a user has of it, the other holds on a busy machine.
  { scenario: 'replay', metric: 'perSecond', bound: 'at least', value: 3, base: DURABLE },
  { scenario: 'replay', metric: 'cpu', bound: 'at most', value: 1 / 3, base: DURABLE },
  // With what users have on both sides: here each client may merge what waits.
  { scenario: 'replay-own-client', metric: 'perSecond', bound: 'at least', value: 3, base: DURABLE },
  { scenario: 'idle', metric: 'rss', bound: 'at most', value: 30 },
  { scenario: 'log-events', metric: 'appends', bound: 'at least', value: 5_000 },
  { scenario: 'log-events', metric: 'deliveries', bound: 'at least', value: 50_000 },
  // 2,000 in 2 s of CPU.
  { scenario: 'returning', metric: 'cut', bound: 'at most', value: 1 },
  { scenario: 'mixed-day', metric: 'loop', bound: 'at most', value: 10 },
  { scenario: 'mixed-day', metric: 'longLoop', bound: 'at most', value: 10 },
  { scenario: 'growth-records', metric: 'x16', bound: 'at most', value: FLAT, over: 'x1' },
  { scenario: 'growth-members', metric: 'x16', bound: 'at most', value: FLAT, over: 'x1' },
  { scenario: 'growth-documents', metric: 'x16', bound: 'at most', value: FLAT, over: 'x1' },
  { scenario: 'growth-join-bytes', metric: 'x16', bound: 'at most', value: 16, over: 'x1' },
  { scenario: 'growth-join-records', metric: 'x16', bound: 'at most', value: FLAT, over: 'x1' },
];

export interface Verdict {
  readonly target: Target;
  readonly reached: number;
  readonly met: boolean;
}

/** Worse than the target by more than this factor fails. */
const TOLERANCE = 4 / 3;
/** Worse than before by more than this. One build had 2.2 and 2.8 of one ratio, three rounds each, an hour apart on one shared machine. */
const TOLERANCE_OF_RECORD = 5 / 3;

/**
 * What a run is worse in than it may be: than its target by more than a third, and, where the target was not met before either, than
 * what was reached then by more than two thirds. So a regression is seen also in what has still a way to go.
 */
export function regressions(results: Pick<Results, 'scenarios'>, before: Pick<Results, 'scenarios'>): readonly Verdict[] {
  const reachedBefore = new Map(judge(before).map(({ target, reached }) => [target, reached]));
  return judge(results).filter(({ target, reached }) => {
    const was = reachedBefore.get(target);
    const isFine = shareOf(target, reached, target.value) <= TOLERANCE;
    return !isFine && (was === undefined || !(shareOf(target, reached, was) <= TOLERANCE_OF_RECORD));
  });
}

/** Judges the medians of a run; targets whose scenario or base was not measured are left out. */
export function judge({ scenarios }: Pick<Results, 'scenarios'>): readonly Verdict[] {
  return TARGETS.flatMap((target) => {
    const median = (candidate: string, metric = target.metric): number | undefined => {
      const rounds = scenarios[target.scenario]?.candidates[candidate];
      return rounds === undefined || rounds.length === 0
        ? undefined
        : spreadOf(rounds.map((round) => round[metric] ?? Number.NaN)).median;
    };
    const own = median('ashlar');
    const base = target.over === undefined ? baseOf(target, median) : median('ashlar', target.over);
    if (own === undefined || base === undefined) return [];
    const reached = own / base;
    return [{ target, reached, met: shareOf(target, reached, target.value) <= 1 }];
  });
}

/** How far off: above 1 is worse than `value`. */
function shareOf({ bound }: Target, reached: number, value: number): number {
  return bound === 'at most' ? reached / value : value / reached;
}

function baseOf({ base, bound, plus }: Target, median: (candidate: string) => number | undefined): number | undefined {
  if (base === undefined) return 1;
  const medians = [base].flat().flatMap((candidate) => median(candidate) ?? []);
  if (medians.length === 0) return undefined;
  const best = bound === 'at most' ? Math.min(...medians) : Math.max(...medians);
  if (plus === undefined) return best;
  const [more, less] = plus.map((candidate) => median(candidate));
  // Where noise has the slower one faster, it adds nothing.
  return more === undefined || less === undefined ? undefined : best + Math.max(0, more - less);
}

/** What a target is measured by, for people: ` × raw`; empty where it stands for itself. */
export function describeBase({ scenario, base, over, plus }: Target, { scenarios }: Pick<Results, 'scenarios'>): string {
  if (over !== undefined) return ` × that of ${scenarios[scenario]?.metrics.find(({ name }) => name === over)?.unit ?? over}`;
  if (base === undefined) return '';
  const named = typeof base === 'string' ? base : `the best of ${base.join(', ')}`;
  return plus === undefined ? ` × ${named}` : ` × (${named}, and what ${plus[0]} has over ${plus[1]})`;
}
