import { parseArgs } from 'node:util';
import { runFuzz } from '../test/support/fuzz/run-fuzz.ts';

const HELP = `npm run fuzz -- [--runs N] [--seed S] [--only NAME] [--from RUN]

  --runs N     hostile inputs, spread over frames, updates, awareness, tokens and http (default 1,000,000)
  --seed S     the same inputs again (default: drawn)
  --only NAME  one of them alone
  --from RUN   begins at this run: a find prints the line that runs it again`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    from: { type: 'string', default: '0' },
    help: { type: 'boolean' },
  },
});
const [runs, from] = [Number(values.runs), Number(values.from)];
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (values.help || !(runs >= 1) || !(from >= 0) || !Number.isSafeInteger(seed)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

console.log(`fuzz: ${runs.toLocaleString('en')} runs, seed ${seed}`);
const before = process.memoryUsage().heapUsed;
try {
  const reports = await runFuzz({
    runs,
    seed,
    from,
    only: values.only,
    progress: (name, done, of) => console.log(`  ${name}: ${done.toLocaleString('en')} of ${of.toLocaleString('en')}`),
  });
  if (reports.length === 0) {
    console.error(`no such door: ${values.only}`);
    process.exit(2);
  }
  for (const { name, runs: own, ms, outcomes } of reports) {
    const found = [...outcomes].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${outcome} ${count.toLocaleString('en')}`);
    console.log(`${name.padEnd(10)} ${own.toLocaleString('en')} runs in ${(ms / 1_000).toFixed(1)} s: ${found.join(', ')}`);
  }
  console.log(`heap: ${Math.round((process.memoryUsage().heapUsed - before) / 1e6)} MB more than before, not collected`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
