import { parseArgs } from 'node:util';
import setup from '../test/browser/demo-setup.ts';
import { PAGE_LIMITS, soakBrowser } from '../test/support/browser-soak.ts';
import { whatGrew } from '../test/support/what-grew.ts';

const HELP = `npm run soak:browser -- [--minutes N] [--every SECONDS]

  --minutes N      how long two people write in the demo, in a real browser, while their connections come and go (default 10)
  --every SECONDS  from one cut to the next (default 10)`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    every: { type: 'string', default: '10' },
    help: { type: 'boolean' },
  },
});
const minutes = Number(values.minutes);
const every = Number(values.every);
const rounds = Math.round((minutes * 60) / every);
if (values.help || !(every >= 1) || !(rounds >= 3 && rounds <= 10_000)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
console.log(`soak: ${rounds} cuts, one every ${every} s`);
await setup();
const result = await soakBrowser({
  rounds,
  everyMs: every * 1_000,
  progress: (round, samples) => {
    if (round % 6 !== 1 && round !== rounds) return;
    const held = samples.map(
      ({ heapBytes, listeners, nodes }) => `${megabytes(heapBytes)} MB, ${listeners} listeners, ${nodes} nodes`,
    );
    console.log(`  after ${Math.max(0, round)} cuts: ${held.join(' | ')}`);
  },
});
const problems = [...whatGrew(result.pages, PAGE_LIMITS), ...result.complaints];
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log('flat: heap, listeners and nodes of both pages');
process.exit(problems.length === 0 ? 0 : 1);
