import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CANDIDATES } from './candidates.ts';
import { renderVerdicts } from './render-report.ts';
import { renderTable } from './render-table.ts';
import { describeMachine, type Results, readResults, type ScenarioResults } from './results.ts';
import { runScenario } from './run-scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { describeBase, regressions } from './targets.ts';

const USAGE = `npm run bench -- [options]
  --quick          fewer and shorter rounds
  --only SCENARIO  one scenario (may be given several times): ${SCENARIOS.map(({ name }) => name).join(', ')}
  --peer NAME      one peer beside ashlar (may be given several times): ${CANDIDATES.map(({ name }) => name).join(', ')}
  --check          fan-out beside the two relays alone; fails where a ratio is worse by more than a third than its target, and by more than
                   two thirds than what bench/check.json holds
  --rounds N       rounds of each candidate
  --json FILE      writes every round's figures, after each scenario
  --profile DIR    writes CPU profiles of the servers (the figures are then not to be believed)
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    peer: { type: 'string', multiple: true, default: [] },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const { quick } = values;
const only = values.check ? ['fan-out-paced', 'fan-out-burst'] : values.only;
const peer = values.check ? ['raw', 'relay+commit'] : values.peer;
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
refuseUnknown('scenario', only, SCENARIOS);
refuseUnknown('candidate', peer, CANDIDATES);

const scenarios: Record<string, ScenarioResults> = {};
const results: Results = { machine: describeMachine(), node: process.version, at: new Date().toISOString(), quick, scenarios };
const startedAt = performance.now();
for (const scenario of SCENARIOS) {
  if (only.length > 0 && !only.includes(scenario.name)) continue;
  const candidates = CANDIDATES.filter(
    (candidate) =>
      scenario.takes(candidate) && (peer.length === 0 || candidate.name === 'ashlar' || peer.includes(candidate.name)),
  );
  const found = await runScenario(scenario, candidates, {
    quick,
    profile: values.profile,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  scenarios[scenario.name] = found;
  process.stdout.write(`\n## ${scenario.title} (${scenario.name})\n\n${renderTable(found)}\n`);
  // A full run takes hours: what is there stays should it be ended.
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
}
process.stdout.write(`\n## Targets\n\n${renderVerdicts(results)}\n`);
process.stdout.write(`\n${results.machine}, Node ${results.node}; ${Math.round((performance.now() - startedAt) / 1_000)} s\n`);
const failed = Object.values(scenarios).some(({ failures }) => Object.keys(failures).length > 0);
const recorded = new URL('../check.json', import.meta.url).pathname;
const worse = values.check ? regressions(results, readResults(recorded)) : [];
for (const { target, reached } of worse) {
  process.stderr.write(
    `${target.scenario}: ${reached.toFixed(2)}${describeBase(target, results)}, worse than before; the target is ${target.value}\n`,
  );
}
process.exit(failed || worse.length > 0 ? 1 : 0);

function refuseUnknown(what: string, given: readonly string[], known: readonly { readonly name: string }[]): void {
  const unknown = given.find((name) => !known.some((one) => one.name === name));
  if (unknown === undefined) return;
  process.stderr.write(`no ${what} ${unknown}\n\n${USAGE}`);
  process.exit(2);
}
