import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runSimulation } from './run-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

// `.ci/run` asks for more, `npm run sim` for as many as one likes.
const SEEDS = process.env.SIM_SEEDS ?? '10';
const SHORT_SEEDS = process.env.SIM_SHORT_SEEDS ?? '40';

test('seeds of the simulation: found ones first, then others', async () => {
  const { code, output } = await runSimulation(root, root, ['--seeds', SEEDS]);
  expect(output).toMatch(/ seeds, .* events in /);
  expect(code, output).toBe(0);
}, 120_000);

test('many short seeds: how products begin, each in another way', async () => {
  const { code, output } = await runSimulation(root, root, ['--seeds', SHORT_SEEDS, '--from', '10001', '--steps', '6']);
  expect(output).toMatch(/ seeds, .* events in /);
  expect(code, output).toBe(0);
}, 600_000);

test('the same seed gives the same trace, another one another', async () => {
  const { code, output } = await runSimulation(root, root, ['--seed', '7', '--steps', '60']);
  const groups = /trace (?<first>\w{16}), again (?<second>\w{16})/.exec(output)?.groups;
  expect(groups?.first).toBeDefined();
  expect(groups?.second).toBe(groups?.first);
  expect(code, output.slice(-2_000)).toBe(0);
  const other = await runSimulation(root, root, ['--seed', '8', '--steps', '60']);
  expect(other.output).not.toContain(groups?.first);
}, 60_000);
