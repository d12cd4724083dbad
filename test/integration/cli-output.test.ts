import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer, tokenFor } from '../support/start-server.ts';

const CLI = fileURLToPath(new URL('../../dist/server/cli/ashlar.js', import.meta.url));
const FULL = '/dev/full';

let folder = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-output-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

function run(args: readonly string[], out: 'pipe' | number, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', out, 'pipe'] });
  children.push(child);
  return child;
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = '';
  child.stderr?.on('data', (text) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a reader that goes away (`ashlar backup … | true`) is no failure: the backup is there, and the code says so', async () => {
  await using server = await startServer();
  const file = join(folder, 'monday.db');
  const child = run(['backup', file, '-d', server.dataDir], 'pipe');
  child.stdout?.destroy();
  expect(await endOf(child)).toEqual({ code: 0, err: '' });
  expect(existsSync(file)).toBe(true);
});

test.skipIf(!existsSync(FULL))('output that a full disk does not take ends a command with code 1 and a sentence', async () => {
  const out = openSync(FULL, 'w');
  try {
    const child = run(['token', '--id', 'anna'], out, { JWT_SECRET: 'a secret for tests, long enough to be one' });
    expect(await endOf(child)).toEqual({ code: 1, err: 'ashlar: the output cannot be written (ENOSPC)\n' });
  } finally {
    closeSync(out);
  }
});

for (const mode of ['production', 'development'])
  test.skipIf(!existsSync(FULL))(
    `a server in ${mode} whose log leads to a full disk goes on, and drains at a signal`,
    async () => {
      const out = openSync(FULL, 'w');
      const port = await freePort();
      const env = {
        JWT_SECRET: 'a secret for tests, long enough to be one',
        NODE_ENV: mode,
        HOST: '127.0.0.1',
        PORT: String(port),
      };
      const child = run(['serve', '-d', folder], out, env);
      closeSync(out);
      const status = () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          (response) => response.status,
          () => 0,
        );
      await expect.poll(status, { timeout: 10_000 }).toBe(200);
      // Each is a line of the log.
      for (let count = 0; count < 5; count++)
        await fetch(`http://127.0.0.1:${port}/api/ws/stats`, { headers: { authorization: 'Bearer none' } });
      expect(await status()).toBe(200);
      const ended = endOf(child);
      child.kill('SIGTERM');
      expect((await ended).code).not.toBeNull();
    },
  );

test('a connect timeout that is longer than a timer of Node lets clients in', async () => {
  await using server = await startServer({ limits: { connectTimeoutMs: 3_000_000_000 } });
  expect((await server.connect(tokenFor('anna'))).connected).toBe(true);
});
