import type { Candidate } from './candidates.ts';
import type { Process, ServerProcess } from './server-process.ts';

/** What one figure is, for people. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** Whose median the others are divided by; absent: no ratio is told. */
  readonly base?: string;
}

/** One round of one candidate: its figures, by the names of the metrics. */
export type Figures = Readonly<Record<string, number>>;

export interface Round {
  readonly candidate: Candidate;
  readonly quick: boolean;
  /** Starts the candidate's server, on a new folder unless one is given. Whatever a round started is ended after it. */
  start(folder?: string): Promise<ServerProcess>;
  /** Starts a process of the candidate's own client library (`own-clients/type-session.ts`), ended after the round. */
  startOwnClients(port: number): Promise<Process>;
  /** A new, empty folder, deleted when the scenario is over. */
  folder(): Promise<string>;
  /** Remembers something for all rounds of a candidate, such as a folder with a long document: made once, by the first. */
  once<Value>(key: string, make: () => Promise<Value>): Promise<Value>;
}

/** Something to measure. A round that does not verify its result throws. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** Which candidates can do it. */
  readonly takes: (candidate: Candidate) => boolean;
  readonly rounds: { readonly quick: number; readonly full: number };
  run(round: Round): Promise<Figures>;
}

/** @throws Error saying what was expected */
export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`not verified: ${what}`);
}
