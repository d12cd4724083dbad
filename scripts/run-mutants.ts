import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Mutant, readMutants } from './mutants/read-mutants.ts';
import { refreshMutant } from './mutants/refresh-mutant.ts';
import { Sandbox, type TestRun } from './mutants/sandbox.ts';

// npm run mutants: breaks the product on purpose, one small patch at a time, and expects tests that notice. See test/mutants/README.md.

const HELP = `npm run mutants -- [--only NAME]… [--jobs N] [--commit REF] [--refresh]

  --only NAME    mutants whose names begin so: 1-, r9-, 2-catch-up; may be repeated
  --jobs N       copies at work at the same time (default: the machine's cores, at most 4)
  --commit REF   breaks this commit instead of the files as they are
  --refresh      runs nothing: writes patches anew whose surroundings have changed, and says which want a hand`;

const LIMIT_MS = 90_000;
const BASELINE_LIMIT_MS = 600_000;

type Verdict = 'killed' | 'survived' | 'did not load' | 'timed out' | 'does not apply' | 'not green before';
interface Outcome {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** The test that noticed, or what went wrong. */
  readonly by: string;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    jobs: { type: 'string' },
    commit: { type: 'string' },
    refresh: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = ({ name }: Mutant): boolean => values.only?.some((start) => name.startsWith(start)) ?? true;
const mutants = readMutants(join(root, 'test/mutants')).filter(wanted);
if (values.refresh) {
  let byHand = 0;
  for (const mutant of mutants) {
    const result = await refreshMutant(root, mutant);
    if (result !== 'fits') console.log(`${result.padEnd(9)}  ${mutant.name}`);
    if (result === 'by hand') byHand += 1;
  }
  process.exit(byHand === 0 ? 0 : 1);
}
const jobs = Math.max(1, Math.min(Number(values.jobs ?? Math.min(4, availableParallelism())), mutants.length));
if (mutants.length === 0 || Number.isNaN(jobs)) {
  console.error(HELP);
  process.exit(2);
}

const sandboxes: Sandbox[] = [];
process.once('SIGINT', () => {
  for (const sandbox of sandboxes) sandbox.remove();
  process.exit(130);
});
try {
  for (let job = 0; job < jobs; job++) sandboxes.push(await Sandbox.create(root, values.commit));
  const unsound = await findUnsound(sandboxes[0] as Sandbox);
  const queue = [...mutants];
  const outcomes: Outcome[] = [];
  await Promise.all(
    sandboxes.map(async (sandbox) => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const outcome = await tryMutant(sandbox, mutant, unsound);
        outcomes.push(outcome);
        print(outcome);
      }
    }),
  );
  const alive = outcomes.filter(({ verdict }) => verdict !== 'killed');
  console.log(`\n${outcomes.length - alive.length} of ${outcomes.length} mutants killed`);
  for (const { mutant, verdict } of alive) console.log(`  ${mutant.name}: ${verdict}. ${mutant.breaks}`);
  process.exitCode = alive.length === 0 ? 0 : 1;
} finally {
  for (const sandbox of sandboxes) sandbox.remove();
}

/** Test files that are not green without a mutant: they prove nothing. */
async function findUnsound(sandbox: Sandbox): Promise<ReadonlySet<string>> {
  const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
  const types = new Set(mutants.flatMap((mutant) => mutant.types));
  console.log(`${mutants.length} mutants, ${jobs} at a time; first their ${tests.length + types.size} test files as they are`);
  await sandbox.build();
  const unsound = new Set<string>();
  if (types.size > 0) for (const file of await sandbox.wrongTypes()) if (types.has(file)) unsound.add(file);
  const run = tests.length === 0 ? undefined : await sandbox.test(tests, BASELINE_LIMIT_MS, false);
  if (run !== undefined && (run.failed.length > 0 || run.broken.length > 0 || run.timedOut)) {
    // One by one: which of them it is.
    for (const file of tests) {
      const alone = await sandbox.test([file], LIMIT_MS, false);
      if (alone.failed.length === 0 && alone.broken.length === 0 && !alone.timedOut) continue;
      unsound.add(file);
      console.log(`not green: ${file}\n  ${[...alone.failed, ...alone.broken].join('\n  ') || 'timed out'}`);
    }
  }
  return unsound;
}

async function tryMutant(sandbox: Sandbox, mutant: Mutant, unsound: ReadonlySet<string>): Promise<Outcome> {
  const started = performance.now();
  const outcome = (verdict: Verdict, by: string): Outcome => ({
    mutant,
    verdict,
    by,
    seconds: (performance.now() - started) / 1_000,
  });
  const wrong = [...mutant.tests, ...mutant.types].filter((file) => unsound.has(file));
  if (wrong.length > 0) return outcome('not green before', wrong.join(' '));
  const applied = await sandbox.apply({ ...mutant, path: resolve(mutant.path) });
  if (applied.code !== 0) return outcome('does not apply', applied.output.trim().split('\n')[0] ?? '');
  try {
    if (mutant.types.length > 0) {
      const found = await sandbox.wrongTypes();
      const noticed = mutant.types.find((file) => found.has(file));
      if (noticed !== undefined) return outcome('killed', noticed);
      if (mutant.tests.length === 0) return outcome('survived', '');
    }
    // Unit tests run from the sources; others start threads and processes from what is built.
    if (mutant.tests.some((file) => !file.startsWith('test/unit/'))) await sandbox.build();
    const run = await sandbox.test(mutant.tests, LIMIT_MS, true);
    return outcome(...judge(run));
  } finally {
    await sandbox.revert(mutant);
  }
}

function judge(run: TestRun): [Verdict, string] {
  const [first] = run.failed;
  if (first !== undefined) return ['killed', first];
  if (run.timedOut) return ['timed out', `after ${LIMIT_MS / 1_000} s`];
  if (run.broken.length > 0) return ['did not load', run.broken[0]?.split('\n')[0] ?? ''];
  if (run.passed === 0) return ['did not load', run.output.trim().split('\n')[0] ?? ''];
  return ['survived', `${run.passed} tests passed`];
}

function print({ mutant, verdict, by, seconds }: Outcome): void {
  const mark = verdict === 'killed' ? 'killed  ' : verdict.toUpperCase();
  console.log(`${mark}  ${mutant.name.padEnd(44)} ${seconds.toFixed(1).padStart(5)} s  ${by.slice(0, 130)}`);
}
