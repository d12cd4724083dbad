import type { Draw } from '../mutate-update.ts';

/** One door by which bytes of strangers come in. */
export interface FuzzTarget {
  readonly name: string;
  /** How many of a hundred runs are its own. */
  readonly share: number;
  /** Makes what its runs have in common, from a seed. */
  prepare(draw: Draw): FuzzRun | Promise<FuzzRun>;
}

/**
 * One hostile input: thrown at the door, which must answer as its contract says.
 * @returns what came of it, in a word: a run in which nothing is ever taken, or nothing ever refused, shows nothing
 * @throws whatever breaks the contract
 */
export type FuzzRun = (draw: Draw) => string | Promise<string>;
