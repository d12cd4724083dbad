import { parseArgs } from 'node:util';
import { CLIENT_LIMITS, SERVER_LIMITS, soak } from '../test/support/soak.ts';
import { whatGrew } from '../test/support/what-grew.ts';

const HELP = `npm run soak -- [--minutes N] [--every SECONDS] [--seed S]

  --minutes N      how long a crowd works against the built server: types, chats, reloads, loses the network (default 60)
  --every SECONDS  from one cut to the next, at least (default 5)
  --seed S         the same edits, as far as a machine repeats itself (default: drawn)

Fails where memory, descriptors or handles of the server grow, or the memory of the clients.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    every: { type: 'string', default: '5' },
    seed: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const every = Number(values.every);
const rounds = Math.round((Number(values.minutes) * 60) / every);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (values.help || !(every > 0) || !(rounds >= 3 && rounds <= 100_000) || !Number.isSafeInteger(seed)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;
console.log(`soak: ${rounds} rounds, one every ${every} s, seed ${seed}`);
const { server, clients } = await soak({
  rounds,
  everyMs: every * 1_000,
  seed,
  progress: (round, { heapBytes, residentBytes, descriptors, handles }, clientBytes) => {
    if (round % 12 !== 1 && round !== rounds) return;
    const resident = `${megabytes(heapBytes)} heap, ${megabytes(residentBytes)} resident`;
    console.log(
      `  after ${Math.max(0, round)} rounds: server ${resident}, ${descriptors} descriptors, ${handles} handles; clients ${megabytes(clientBytes)}`,
    );
  },
});
const problems = [
  ...whatGrew([{ name: 'server', samples: server }], SERVER_LIMITS),
  ...whatGrew([{ name: 'clients', samples: clients }], CLIENT_LIMITS),
];
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log('flat: memory, descriptors and handles of the server, memory of the clients');
process.exit(problems.length === 0 ? 0 : 1);
