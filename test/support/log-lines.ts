import { type Logger, pino } from 'pino';

/** One line of a server's log. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps every line and hides nothing: whatever a redaction would have hidden is seen. */
export class LogLines {
  readonly logger: Logger;
  /** All that was written, as text. */
  text = '';
  #waiting: (() => void)[] = [];

  constructor(level = 'trace') {
    this.logger = pino(
      { level },
      {
        write: (line: string) => {
          this.text += line;
          for (const wake of this.#waiting.splice(0)) wake();
        },
      },
    );
  }

  all(): LogLine[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line of this name that fits; waits for it. */
  async line(msg: string, where: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    for (;;) {
      const found = this.all().find((line) => line.msg === msg && where(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
