import { parseArgs } from 'node:util';
import { crashLoop } from '../test/support/crash-loop.ts';

const HELP = `npm run crash -- [--kills N] [--seed S]

  --kills N  how often the built server is killed with kill -9 while people work (default 100; about a second each)
  --seed S   the same edits and the same moments, as far as a machine repeats itself (default: drawn)`;

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, seed: { type: 'string' }, help: { type: 'boolean' } },
});
const kills = Number(values.kills);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (values.help || !(Number.isInteger(kills) && kills >= 1) || !Number.isSafeInteger(seed)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

console.log(`crash: ${kills} kills, seed ${seed}`);
const startedAt = performance.now();
try {
  const { saved, seen, acked } = await crashLoop({
    kills,
    seed,
    progress: (tally) => {
      if (tally.kill % 20 === 0 || tally.kill === kills)
        console.log(`  ${tally.kill} kills: ${tally.saved} edits saved, ${tally.seen} seen, ${tally.acked} messages acked`);
    },
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(
    `nothing lost, nothing doubled: ${saved} edits saved, ${seen} seen, ${acked} messages acked, ${kills} kills in ${seconds} s`,
  );
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
