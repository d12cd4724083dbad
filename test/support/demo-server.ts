import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './product.ts';
import { ROOT } from './source-tree.ts';

/** The demo as `npm start` runs it, in a process of its own that can be killed. */
export interface DemoServer extends AsyncDisposable {
  readonly url: string;
  /** What it printed while it started. */
  readonly said: string;
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

/** Starts the demo on a data folder of its own. Its pages and the workers must be built. */
export async function startDemoServer(environment: { readonly [name: string]: string } = {}): Promise<DemoServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-demo-'));
  const port = await freePort();
  const env = { ...environment, PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'silent', PATH: process.env.PATH ?? '' };
  let running = await start(env);
  return {
    url: `http://127.0.0.1:${port}`,
    get said() {
      return running.said;
    },
    kill: () => end(running.child),
    async restart() {
      running = await start(env);
    },
    async [Symbol.asyncDispose]() {
      await end(running.child);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function start(env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'demo/backend/main.ts'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`;
    if (!line.includes('Stop with Ctrl-C')) continue;
    // Whatever it says from here on must be taken from the pipe, or it stands still.
    child.stdout.resume();
    return { child, said };
  }
  throw new Error(`the demo did not start:\n${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
