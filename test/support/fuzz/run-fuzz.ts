import { drawFrom } from '../mutate-update.ts';
import { TARGETS } from './targets.ts';

/** What came of one door's runs: outcome → how often. */
export interface FuzzReport {
  readonly name: string;
  readonly runs: number;
  readonly ms: number;
  readonly outcomes: ReadonlyMap<string, number>;
}

/** A run that broke its door's contract. */
export class FuzzFind extends Error {
  constructor(name: string, seed: number, run: number, cause: unknown) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`${name}, run ${run}: npm run fuzz -- --only ${name} --seed ${seed} --from ${run} --runs 1\n${stack}`, { cause });
  }
}

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** The first run's number: a find is run again alone. */
  readonly from?: number;
  /** One door alone, with all the runs. */
  readonly only?: string | undefined;
  /** Told now and then. */
  progress?(name: string, done: number, of: number): void;
}

const PROGRESS_EVERY = 20_000;

/** Throws hostile input at every door. The same seed gives the same inputs. @throws FuzzFind at the first that broke a contract */
export async function runFuzz({ runs, seed, from = 0, only, progress }: FuzzOptions): Promise<FuzzReport[]> {
  const reports: FuzzReport[] = [];
  for (const target of TARGETS) {
    if (only !== undefined && only !== target.name) continue;
    const own = only === undefined ? Math.max(1, Math.round((runs * target.share) / 100)) : runs;
    const run = await target.prepare(drawFrom(seed));
    const outcomes = new Map<string, number>();
    const startedAt = performance.now();
    for (let index = from; index < from + own; index++) {
      let outcome: string;
      try {
        // Each run has a seed of its own: any of them can be had again without those before it.
        outcome = await run(drawFrom(seed * 1_000_003 + index));
      } catch (error) {
        throw new FuzzFind(target.name, seed, index, error);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if ((index + 1) % PROGRESS_EVERY === 0) progress?.(target.name, index + 1 - from, own);
    }
    reports.push({ name: target.name, runs: own, ms: performance.now() - startedAt, outcomes });
  }
  return reports;
}
