import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The rows of the table of docs/protocol.md whose header starts with these cells. */
export function tableOf(...header: string[]): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => {
    const cells = cellsOf(line);
    return cells.length >= header.length && header.every((cell, index) => cells[index] === cell);
  });
  if (start === -1) throw new Error(`docs/protocol.md has no table with the columns ${header.join(', ')}`);
  const rows: string[][] = [];
  for (let index = start + 2; lines[index]?.startsWith('|'); index++) rows.push(cellsOf(lines[index] as string));
  return rows;
}

/** The lines of the first block of code in the page that is marked as `text`: the whole conversation. */
export function conversation(): string[] {
  return /```text\n(.*?)\n```/s.exec(page)?.[1]?.split('\n') ?? [];
}

/** A cell without its backticks. */
export function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}

// A bar within code is written `\|`.
function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return [];
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
