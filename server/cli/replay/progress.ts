/** Where progress is shown: stderr, so that a pipe gets the result alone. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  /** Counts one more as done. */
  advance(): void;
  /** Leaves the last state on its own line. */
  finish(): void;
}

/** How often a terminal's line is drawn anew, ms. */
const REDRAW_MS = 100;

/**
 * A bar on a terminal, one plain line per tenth elsewhere (a log, CI).
 * @param now monotonic ms
 */
export function createProgress(output: ProgressOutput, total: number, now: () => number): Progress {
  const start = now();
  let done = 0;
  let drawn = -1;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const perSecond = () => Math.round((done * 1_000) / Math.max(1, now() - start));
  const draw = (): void => {
    drawnAt = now();
    output.write(`\r${renderBar(done, total, perSecond(), output.columns ?? 80)}\u001b[K`);
  };
  return {
    advance() {
      done += 1;
      if (output.isTTY === true) {
        if (now() - drawnAt >= REDRAW_MS) draw();
        return;
      }
      const tenth = Math.floor((done * 10) / total);
      if (tenth === drawn) return;
      drawn = tenth;
      if (tenth > 0) output.write(`${tenth * 10} %  ${count(done)} of ${count(total)} edits, ${count(perSecond())}/s\n`);
    },
    finish() {
      if (output.isTTY !== true) return;
      draw();
      output.write('\n');
    },
  };
}

/** `[########        ]  50 %  13,039 of 26,078 edits, 2,100/s`, in at most `columns` characters. */
export function renderBar(done: number, total: number, perSecond: number, columns: number): string {
  const share = total === 0 ? 1 : done / total;
  const words = `${String(Math.floor(share * 100)).padStart(3)} %  ${count(done)} of ${count(total)} edits, ${count(perSecond)}/s`;
  const width = Math.min(40, columns - words.length - 4);
  if (width < 5) return words.slice(0, Math.max(0, columns - 1));
  const filled = Math.round(share * width);
  return `[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${words}`;
}

/** 26078 → `26,078`. */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}
