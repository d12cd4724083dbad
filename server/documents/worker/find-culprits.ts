import { AshlarError } from '../../../shared/errors.ts';

/** What the search asks; both may run elsewhere, under limits of time and memory. */
export interface Trials {
  /** Whether the snapshot and these updates, in the order of the log, apply and agree. */
  passes(indexes: readonly number[]): Promise<boolean>;
  /** Which of these updates build on `culprit`, one of them. */
  dependents(culprit: number, among: readonly number[]): Promise<readonly number[]>;
}

/**
 * The updates to set aside so that the rest applies and agrees: each the last of the shortest beginning of the log that fails, with those
 * that depend on it. About log2(count) trials per culprit.
 * @param count number of updates
 * @returns indexes, ascending; empty where nothing is wrong
 * @throws AshlarError `document-damaged` where the snapshot fails by itself
 */
export async function findCulprits(count: number, trials: Trials): Promise<number[]> {
  let kept = Array.from({ length: count }, (_, index) => index);
  const bad: number[] = [];
  let sound = 0; // this many of `kept`, from the first on, are known to pass
  while (!(await trials.passes(kept))) {
    if (sound === 0 && !(await trials.passes([]))) {
      throw new AshlarError('document-damaged', { detail: 'the snapshot fails by itself: no update is to blame' });
    }
    let failing = kept.length;
    while (failing - sound > 1) {
      const middle = (sound + failing) >>> 1;
      if (await trials.passes(kept.slice(0, middle))) sound = middle;
      else failing = middle;
    }
    const culprit = kept[failing - 1]!;
    const aside = new Set([culprit, ...(await trials.dependents(culprit, kept))]);
    bad.push(...aside);
    kept = kept.filter((index) => !aside.has(index));
  }
  return bad.sort((a, b) => a - b);
}
