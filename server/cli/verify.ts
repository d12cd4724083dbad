import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AshlarError } from '../../shared/errors.ts';
import { loadSqlite } from '../storage/sqlite/load-sqlite.ts';
import { createSystemClock } from '../system-clock.ts';
import { type Check, type CheckResult, runCheck } from './verify/checks.ts';
import { FULL_DISK } from './verify/full-disk.ts';
import { KILL_SERVER } from './verify/kill-server.ts';
import { STORE_CHECKS } from './verify/store-checks.ts';

export interface VerifyFlags {
  kills: number;
  only?: string[];
  json?: true;
}

const CHECKS: readonly Check[] = [...STORE_CHECKS, FULL_DISK, KILL_SERVER];
const WORDS = { passed: 'passed', failed: 'FAILED', skipped: 'skipped' } as const;

/**
 * Makes faults for real, in a temporary folder, against what is installed, and prints what came of each.
 * @returns whether everything that could be tried holds
 * @throws AshlarError `invalid-options` where no check is named as asked; `storage-unavailable` where the SQLite driver is not installed
 */
export async function verify({ kills, only, json }: VerifyFlags, version: string): Promise<boolean> {
  const checks = CHECKS.filter(({ name }) => only === undefined || only.some((words) => name.includes(words)));
  if (checks.length === 0)
    throw new AshlarError('invalid-options', { detail: `no check is named so: ${CHECKS.map(({ name }) => name).join('; ')}` });
  const clock = createSystemClock();
  await loadSqlite();
  const root = await mkdtemp(join(tmpdir(), 'ashlar-verify-'));
  const results: CheckResult[] = [];
  const say = (line: string) => {
    if (json !== true) process.stdout.write(`${line}\n`);
  };
  say(`Ashlar ${version}, Node ${process.version}, ${process.platform} ${process.arch}; in ${root}\n`);
  const width = Math.max(...checks.map(({ name }) => name.length));
  try {
    for (const [index, check] of checks.entries()) {
      const folder = join(root, String(index));
      await mkdir(folder, { mode: 0o700 });
      const result = await runCheck(check, { folder, clock, kills });
      results.push(result);
      say(`${WORDS[result.outcome].padEnd(7)}  ${check.name.padEnd(width)}  ${`${result.ms} ms`.padStart(9)}  ${result.detail}`);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  const counted = (outcome: CheckResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const passed = counted('failed') === 0;
  say(`\n${counted('passed')} passed, ${counted('failed')} failed, ${counted('skipped')} skipped`);
  if (json === true) {
    const { platform, arch } = process;
    process.stdout.write(
      `${JSON.stringify({ passed, version, node: process.version, platform, arch, checks: results }, null, 2)}\n`,
    );
  }
  return passed;
}
