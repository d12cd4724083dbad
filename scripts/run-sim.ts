import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSimulation } from '../test/simulation/run-process.ts';
import { readMutants } from './mutants/read-mutants.ts';
import { Sandbox } from './mutants/sandbox.ts';

// npm run sim: seeds of the simulation in test/simulation/. `--mutants` breaks the product first, one patch of test/mutants at a time,
// and says after how many seeds each is found (`--only NAME`: others than those below).

// Found within 150 seeds.
const MUTANTS = [
  '1-backend-edit-told-though-lost',
  '1-event-acked-before-commit',
  '1-event-sent-before-commit',
  '1-failed-commit-is-success',
  '1-told-before-commit',
  '1-update-acked-before-commit',
  '1-update-sent-before-commit',
  '2-catch-up-skips-a-record',
  '2-document-live-before-the-tail',
  '2-live-before-the-tail',
  '2-position-without-epoch',
  '2-resend-is-not-known',
  '2-repeats-under-way-are-not-known',
  '2-state-goes-back',
  '3-no-authorization',
  '4-awareness-is-not-stamped',
  '4-chat-identity-from-the-message',
  '4-revoked-but-still-sent',
  'r6-first-clock-ahead',
  'r9-known-is-not-cut',
  'r9-owner-is-not-checked',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
if (args.includes('--mutants')) {
  const only = args.filter((_, index) => args[index - 1] === '--only');
  const rest = args.filter((arg, index) => arg !== '--mutants' && arg !== '--only' && args[index - 1] !== '--only');
  const wanted = (name: string) => (only.length === 0 ? MUTANTS.includes(name) : only.some((start) => name.startsWith(start)));
  const mutants = readMutants(join(root, 'test/mutants')).filter(({ name }) => wanted(name));
  let found = 0;
  const sandbox = await Sandbox.create(root);
  try {
    for (const mutant of mutants) {
      const applied = await sandbox.apply(mutant);
      if (applied.code !== 0) throw new Error(`${mutant.name} does not apply: ${applied.output}`);
      const { code, output } = await runSimulation(sandbox.root, root, rest);
      const after = /failed after (?<seeds>\d+) seeds/.exec(output)?.groups?.seeds;
      const rule = /VIOLATION (?<rule>.*)/.exec(output)?.groups?.rule ?? output.trim().split('\n').at(-1);
      if (code !== 0 && after !== undefined) found += 1;
      console.log(
        `${mutant.name.padEnd(40)} ${after === undefined ? 'NOT FOUND' : `after ${after}`.padEnd(9)}  ${rule?.slice(0, 130)}`,
      );
      await sandbox.revert(mutant);
    }
  } finally {
    sandbox.remove();
  }
  console.log(`${found} of ${mutants.length} found`);
  process.exitCode = found === mutants.length ? 0 : 1;
} else {
  const { code } = await runSimulation(root, root, args, (text) => process.stdout.write(text));
  process.exitCode = code ?? 1;
}
