import { AshlarError } from '../../../shared/errors.ts';
import type { Clock } from '../../clock.ts';

/** What a check works with. */
export interface CheckContext {
  /** A folder of its own, removed afterwards. */
  readonly folder: string;
  readonly clock: Clock;
  /** How often a process is killed. */
  readonly kills: number;
}

/** One fault that is made for real, and what must hold under it. */
export interface Check {
  readonly name: string;
  /**
   * @returns what was seen, in a few words
   * @throws Skipped where this machine cannot make the fault; anything else: what must hold does not
   */
  run(context: CheckContext): Promise<string>;
}

export interface CheckResult {
  readonly check: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** What was seen; why it failed, or was left out. */
  readonly detail: string;
}

/** A fault that cannot be made on this machine. */
export class Skipped extends Error {}

/** @throws Error with this sentence, where something must hold and does not */
export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}

/** @throws Error where the work succeeds, or is refused by another code */
export async function mustRefuse(code: string, work: Promise<unknown>, what: string): Promise<void> {
  const refused = await work.then(
    () => 'nothing',
    (thrown: unknown) => AshlarError.from(thrown).code,
  );
  must(refused === code, `${what}: expected ${code}, got ${refused}`);
}

/** Resolves after `ms`. */
export function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** Runs a check to its end, whatever that is. */
export async function runCheck(check: Check, context: CheckContext): Promise<CheckResult> {
  const { clock } = context;
  const startedAt = clock.monotonic();
  const result = (outcome: CheckResult['outcome'], detail: string): CheckResult => ({
    check: check.name,
    outcome,
    ms: Math.round(clock.monotonic() - startedAt),
    detail,
  });
  try {
    return result('passed', await check.run(context));
  } catch (thrown) {
    if (thrown instanceof Skipped) return result('skipped', thrown.message);
    const { code, detail } = AshlarError.from(thrown);
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    return result('failed', code === 'internal' ? said : `${code}: ${detail ?? said}`);
  }
}
