import { renderTable } from './render-table.ts';
import type { Results } from './results.ts';
import { roundFigure } from './statistics.ts';
import { describeBase, judge } from './targets.ts';

/** All tables of a run as Markdown: the targets first, then each scenario. */
export function renderReport(results: Results): string {
  const scenarios = Object.entries(results.scenarios).map(
    ([name, scenario]) => `### ${scenario.title} (\`${name}\`)\n\n${renderTable(scenario)}`,
  );
  return [
    `${results.machine}, Node ${results.node}, ${results.at.slice(0, 10)}${results.quick ? ', quick rounds' : ''}. Medians, in brackets the lowest and the highest round.`,
    renderVerdicts(results),
    ...scenarios,
  ].join('\n\n');
}

/** How far the targets are reached. */
export function renderVerdicts(results: Pick<Results, 'scenarios'>): string {
  const rows = judge(results).map(({ target, reached, met }) => {
    const unit = results.scenarios[target.scenario]?.metrics.find(({ name }) => name === target.metric)?.unit ?? target.metric;
    const base = describeBase(target, results);
    return `| ${target.scenario}: ${unit} | ${target.bound} ${target.value.toLocaleString('en-US', { maximumFractionDigits: 2 })}${base} | ${roundFigure(reached)}${base} | ${met ? 'yes' : '**no**'} |`;
  });
  return ['| figure | target | reached | met |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
