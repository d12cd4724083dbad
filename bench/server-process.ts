import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Question, Usage } from './servers/answer-parent.ts';

/** A process that answers the benchmark's questions. */
export interface Process {
  /** What a server listens on, and clients connect to. */
  readonly port: number;
  /** CPU so far, and memory now; `collect` runs the garbage collector first. */
  usage(collect?: boolean): Promise<Usage>;
  watchDelay(): Promise<void>;
  /** Event loop delay since `watchDelay`, ms; ends the watching. */
  delay(): Promise<{ p99: number; max: number }>;
  do(what: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Ends the process. */
  kill(): Promise<void>;
}

/** A candidate's server in a process of its own. */
export interface ServerProcess extends Process {
  readonly folder: string;
  /** Ends the process and deletes its folder. */
  dispose(): Promise<void>;
}

/** A new, empty folder for a server's data. */
export function createFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'ashlar-bench-'));
}

/** Starts a server file of `servers/`; resolves when it listens. @param profile a folder for a CPU profile of it */
export async function startServer(file: string, folder: string, profile?: string): Promise<ServerProcess> {
  const server = await startProcess(`servers/${file}`, [folder], profile);
  return {
    ...server,
    folder,
    async dispose() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a file of the benchmark; resolves when it has told its port. @param profile a folder for a CPU profile of it */
export async function startProcess(file: string, args: readonly string[], profile?: string): Promise<Process> {
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = spawn(
    process.execPath,
    ['--expose-gc', ...flags, fileURLToPath(new URL(`./${file}.js`, import.meta.url)), ...args],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said = `${said}${text}`.slice(-4_000);
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let nextId = 0;
  child.on('exit', (code, signal) => {
    const error = new Error(`${file} ended (${code ?? signal}): ${said}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${file} did not start: ${said}`)));
    child.on('message', (message: { port?: number; id?: number; value?: unknown; error?: string }) => {
      if (message.port !== undefined) resolve(message.port);
      const asked = waiting.get(message.id ?? -1);
      if (asked === undefined) return;
      waiting.delete(message.id as number);
      if (message.error === undefined) asked.resolve(message.value);
      else asked.reject(new Error(message.error));
    });
  });
  const ask = <Answer>(question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, question }, (error) => {
        if (error !== null) reject(error);
      });
    });
  const kill = () => end(child, profile === undefined ? 'SIGKILL' : 'disconnect');
  return {
    port,
    usage: (collect = false) => ask<Usage>({ ask: 'usage', collect }),
    watchDelay: () => ask<void>({ ask: 'watch-delay' }),
    delay: () => ask<{ p99: number; max: number }>({ ask: 'delay' }),
    do: (what, args = {}) => ask({ ask: 'do', what, args }),
    kill,
  };
}

async function end(child: ChildProcess, how: 'SIGKILL' | 'disconnect'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Left by itself it writes its profile.
  if (how === 'disconnect') child.disconnect();
  else child.kill(how);
  await exited;
}
