import type { Results } from './results.ts';
import { spreadOf } from './statistics.ts';

/** What Ashlar is to reach in one figure. */
export interface Target {
  readonly scenario: string;
  readonly metric: string;
  /** `at most` or `at least` so much, of the base's median where there is one. */
  readonly bound: 'at most' | 'at least';
  readonly value: number;
  readonly base?: string;
}

export const TARGETS: readonly Target[] = [
  { scenario: 'fan-out-paced', metric: 'cpu', bound: 'at most', value: 1.15, base: 'relay+commit' },
  { scenario: 'fan-out-paced', metric: 'cpu', bound: 'at most', value: 1, base: 'hocuspocus' },
  { scenario: 'fan-out-burst', metric: 'cpu', bound: 'at most', value: 0.5, base: 'raw' },
  { scenario: 'event-fan-out', metric: 'cpu', bound: 'at most', value: 1.05, base: 'socket.io' },
  { scenario: 'cold-join', metric: 'join', bound: 'at most', value: 5 },
  { scenario: 'cold-join', metric: 'memory', bound: 'at most', value: 2 },
  { scenario: 'idle', metric: 'rss', bound: 'at most', value: 30 },
  { scenario: 'log-events', metric: 'appends', bound: 'at least', value: 5_000 },
  { scenario: 'log-events', metric: 'deliveries', bound: 'at least', value: 50_000 },
];

export interface Verdict {
  readonly target: Target;
  readonly reached: number;
  readonly met: boolean;
  /** Worse than the target by more than a third. */
  readonly failed: boolean;
}

/** Judges the medians of a run; targets whose scenario or base was not measured are left out. */
export function judge({ scenarios }: Pick<Results, 'scenarios'>): readonly Verdict[] {
  return TARGETS.flatMap((target) => {
    const median = (candidate: string): number | undefined => {
      const rounds = scenarios[target.scenario]?.candidates[candidate];
      return rounds === undefined || rounds.length === 0
        ? undefined
        : spreadOf(rounds.map((round) => round[target.metric] ?? Number.NaN)).median;
    };
    const own = median('ashlar');
    const base = target.base === undefined ? 1 : median(target.base);
    if (own === undefined || base === undefined) return [];
    const reached = own / base;
    const share = target.bound === 'at most' ? reached / target.value : target.value / reached;
    return [{ target, reached, met: share <= 1, failed: !(share <= 4 / 3) }];
  });
}
