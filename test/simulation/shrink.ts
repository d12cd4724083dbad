import type { RealTimers } from './install-globals.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { TROUBLES, type Troubles } from './scenario.ts';

/** A run that fails, with as little in it as was found. */
export interface Shrunk {
  readonly steps: number;
  /** Troubles that it fails without. */
  readonly without: readonly (keyof Troubles)[];
  readonly result: SeedResult;
}

/**
 * Looks for less that still fails: without one trouble after the other, then in fewer steps. Each try is a run of its own, which draws
 * other chances from there on: so it may be another failure of the same seed that is found in the end.
 */
export async function shrink(seed: number, steps: number, failed: SeedResult, real: RealTimers): Promise<Shrunk> {
  let least: Shrunk = { steps, without: [], result: failed };
  const tried = async (fewer: number, without: readonly (keyof Troubles)[]): Promise<boolean> => {
    const result = await runSeed(seed, fewer, real, without);
    if (result.failure === null) return false;
    least = { steps: fewer, without, result };
    return true;
  };
  for (const trouble of TROUBLES) await tried(least.steps, [...least.without, trouble]);
  for (let cut = Math.floor(least.steps / 2); cut >= 1; ) {
    if (least.steps - cut < 1 || !(await tried(least.steps - cut, least.without))) cut = Math.floor(cut / 2);
  }
  return least;
}
