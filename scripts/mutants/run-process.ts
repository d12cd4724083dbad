import { spawn } from 'node:child_process';

export interface Finished {
  /** null: it was stopped at the time limit. */
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/** Runs a program to its end; at the time limit it is killed, with every process that it started. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeoutMs: number; readonly env?: NodeJS.ProcessEnv },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let stopped = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of them are gone.
      }
    };
    const limit = setTimeout(() => {
      stopped = true;
      killGroup();
    }, options.timeoutMs);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(limit);
      // Whatever a stopped test run has left behind: servers, worker processes.
      killGroup();
      resolve({ code: stopped ? null : code, output });
    });
  });
}
