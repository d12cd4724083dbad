import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runSimulation } from './run-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('seeds of the simulation: found ones first, then others', async () => {
  const { code, output } = await runSimulation(root, root, ['--seeds', '25']);
  expect(output).toMatch(/ seeds, .* events in /);
  expect(code, output).toBe(0);
}, 120_000);

test('the same seed gives the same trace, another one another', async () => {
  const { code, output } = await runSimulation(root, root, ['--seed', '7', '--steps', '60']);
  const groups = /trace (?<first>\w{16}), again (?<second>\w{16})/.exec(output)?.groups;
  expect(groups?.first).toBeDefined();
  expect(groups?.second).toBe(groups?.first);
  expect(code, output.slice(-2_000)).toBe(0);
  const other = await runSimulation(root, root, ['--seed', '8', '--steps', '60']);
  expect(other.output).not.toContain(groups?.first);
}, 60_000);
