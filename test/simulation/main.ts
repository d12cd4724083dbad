import { parseArgs } from 'node:util';
import { loadLiveDocument } from '../../client/documents/document-code.ts';
import { FOUND_SEEDS } from './found-seeds.ts';
import type { RealTimers } from './install-globals.ts';
import { runSeed } from './run-seed.ts';
import { TROUBLES } from './scenario.ts';
import { shrink } from './shrink.ts';

const HELP = `npm run sim -- [--seeds N] [--from N] [--seed N] [--steps N] [--without TROUBLE] [--all]

  --seeds N   how many seeds (default 1,000)
  --from N    the first of them (default 1)
  --seed N    this one alone, twice, with its whole trace
  --all       goes on after a failure
  --steps N   what happens in each (default 120)
  --without T leaves a trouble out, may be repeated: ${TROUBLES.join(', ')}

The first failure is shrunk: what it needs is looked for, trouble by trouble and step by step.`;

/** Runs seeds until one fails. */
export async function main(args: string[], real: RealTimers): Promise<void> {
  // The worker's code finds its port; what the SDK loads when it needs it is there.
  await import('../../server/documents/worker/document-worker.ts');
  await import('../../client/documents/restore.ts');
  await loadLiveDocument();
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      steps: { type: 'string', default: '120' },
      without: { type: 'string', multiple: true, default: [] },
      all: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const steps = Number(values.steps);
  const without = TROUBLES.filter((trouble) => values.without.includes(trouble));
  if (values.seed !== undefined) {
    const first = await runSeed(Number(values.seed), steps, real, without);
    const second = await runSeed(Number(values.seed), steps, real, without);
    const apart = first.trace.findIndex((line, index) => line !== second.trace[index]);
    console.log((apart < 0 ? first.trace : [...first.trace.slice(0, apart + 1), `again: ${second.trace[apart]}`]).join('\n'));
    console.log(
      `seed ${first.seed}: ${first.events} events, ${Math.round(first.simulatedMs / 1_000)} s, trace ${first.hash}, again ${second.hash}`,
    );
    if (first.failure !== null) console.log(first.failure);
    process.exitCode = first.failure === null && first.hash === second.hash ? 0 : 1;
    return;
  }
  const started = process.hrtime.bigint();
  const from = Number(values.from);
  const others = Array.from({ length: Number(values.seeds) }, (_, index) => from + index);
  let events = 0;
  for (const [index, seed] of [...FOUND_SEEDS, ...others].entries()) {
    const result = await runSeed(seed, steps, real, without);
    events += result.events;
    if (result.failure === null) continue;
    process.exitCode = 1;
    console.log(`seed ${seed} failed after ${index + 1} seeds: ${result.failure.message}`);
    if (values.all) continue;
    const least = await shrink(seed, steps, result, real);
    console.log(least.result.trace.slice(-60).join('\n'));
    console.log(least.result.failure);
    const left = least.without.map((trouble) => ` --without ${trouble}`).join('');
    console.log(`shrunk: npm run sim -- --seed ${seed} --steps ${least.steps}${left}`);
    return;
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`${values.seeds} seeds, ${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s`);
}
