import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SECRET } from './start-server.ts';

const CLI = fileURLToPath(new URL('../../dist/server/cli/ashlar.js', import.meta.url));

const PROBE = new URL('./process-probe.js', import.meta.url);

/** A soak says more than anybody reads. */
const SAID_CHARACTERS = 100_000;

/** What a process holds. */
export interface ProcessSample {
  /** On the JavaScript heap of the main thread and in buffers. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
  /** What keeps the event loop alive: sockets, timers, requests. */
  readonly handles: number;
}

/** `ashlar serve`, as built, in a process of its own that can be killed. */
export interface ChildServer extends AsyncDisposable {
  /** Changes with each start: the OS picks the port. */
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Ends the process; resolves when it is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it again on the same data folder. */
  restart(): Promise<void>;
  /** What this process has written last: at most 100,000 characters. */
  said(): string;
  /** What the process holds, after garbage was collected. Only where it was started with `probe`. */
  sample(): Promise<ProcessSample>;
}

/**
 * Starts the built server, as in production, on a data folder of its own; resolves when it is ready. Tokens: `tokenFor`.
 * @param probe whether it can be asked what it holds
 */
export async function startChildServer(
  environment: { readonly [name: string]: string } = {},
  { probe = false } = {},
): Promise<ChildServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-child-'));
  const flags = probe ? ['--expose-gc', '--import', PROBE.href] : [];
  let running = await start(dataDir, environment, flags);
  return {
    get url() {
      return running.url;
    },
    get pid() {
      return running.process.pid as number;
    },
    dataDir,
    said: () => running.said(),
    kill: (signal = 'SIGKILL') => end(running.process, signal),
    async restart() {
      running = await start(dataDir, environment, flags);
    },
    async sample() {
      const answer = once(running.process, 'message');
      running.process.send('sample');
      return (await answer)[0] as ProcessSample;
    },
    async [Symbol.asyncDispose]() {
      await end(running.process, 'SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function start(
  dataDir: string,
  environment: { readonly [name: string]: string },
  flags: readonly string[],
): Promise<{ process: ChildProcess; url: string; said: () => string }> {
  const child = spawn(process.execPath, [...flags, CLI, 'serve', '--port', '0', '--host', '127.0.0.1', '--data-dir', dataDir], {
    env: { NODE_ENV: 'production', JWT_SECRET: SECRET, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', flags.length > 0 ? 'ipc' : 'ignore'],
  });
  if (child.stdout === null || child.stderr === null) throw new Error('the server has no pipes');
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`;
    const url = line.includes('server:listening') ? (JSON.parse(line) as { url: string }).url : undefined;
    if (url === undefined) continue;
    // Whatever it says from here on must be taken from the pipe, or it stands still.
    child.stdout.on('data', (text) => {
      said = (said + text).slice(-SAID_CHARACTERS);
    });
    return { process: child, url, said: () => said };
  }
  throw new Error(`the server did not start:\n${said}`);
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
