import type { ScenarioResults } from './results.ts';
import { roundFigure, spreadOf } from './statistics.ts';

/** A scenario's results as a Markdown table: medians, lowest to highest, and ratios. */
export function renderTable({ metrics, candidates, failures }: ScenarioResults): string {
  const header = ['candidate', ...metrics.flatMap(({ unit, base }) => (base === undefined ? [unit] : [unit, `× ${base}`]))];
  const rows = Object.entries(candidates).map(([name, rounds]) => [
    name,
    ...metrics.flatMap((metric) => {
      const { median, low, high } = spreadOf(rounds.map((round) => round[metric.name] ?? Number.NaN));
      const cell = rounds.length > 1 ? `${roundFigure(median)} (${roundFigure(low)}–${roundFigure(high)})` : roundFigure(median);
      if (metric.base === undefined) return [cell];
      const base = spreadOf((candidates[metric.base] ?? []).map((round) => round[metric.name] ?? Number.NaN)).median;
      return [cell, roundFigure(median / base)];
    }),
  ]);
  for (const [name, reason] of Object.entries(failures)) rows.push([name, `failed: ${reason}`]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row.length === 2 && column === 1 ? 0 : (row[column]?.length ?? 0)))),
  );
  const line = (cells: readonly string[]): string =>
    `| ${header.map((_, column) => (cells[column] ?? '').padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
