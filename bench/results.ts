import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Figures, Scenario } from './scenario.ts';

/** What a run found, as `--json` writes it: bench/results.json holds one of all scenarios, bench/check.json what `--check` is held against. */
export interface Results {
  readonly machine: string;
  readonly node: string;
  readonly at: string;
  readonly quick: boolean;
  /** Scenario → candidate → its rounds. */
  readonly scenarios: Readonly<Record<string, ScenarioResults>>;
}

export interface ScenarioResults {
  readonly title: string;
  readonly metrics: Scenario['metrics'];
  readonly candidates: Readonly<Record<string, readonly Figures[]>>;
  /** What could not be measured, and why. */
  readonly failures: Readonly<Record<string, string>>;
}

/** The machine in one line. */
export function describeMachine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}`;
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}
