import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jwt from 'jsonwebtoken';
import { afterEach, beforeEach, expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../../dist/server/cli/ashlar.js', import.meta.url));
const SECRET = 'a secret for tests, long enough to be one';

let folder = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-cli-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Starts `ashlar` with an environment of its own, the data folder in a temporary one. */
function start(
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { out: () => string; err: () => string } {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  return Object.assign(child, { out: () => out, err: () => err });
}

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = start(args, env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: child.out(), err: child.err() };
}

/** Runs `ashlar serve` until it has said where it listens. */
async function serve(env: Record<string, string> = {}) {
  const child = start(['serve', '--port', '0'], env);
  const exited = once(child, 'close');
  while (!child.out().includes('Stop with Ctrl-C')) {
    const ended = await Promise.race([
      once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'),
      exited.then(() => null),
    ]);
    if (ended === null) throw new Error(`the server ended: ${child.err()}`);
  }
  const url = /listens on (http:\S+)/.exec(child.out())?.[1] as string;
  const token = /^ey\S+$/m.exec(child.out())?.[0] as string;
  return { child, exited, url, token };
}

test('--help says what there is, with examples', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  for (const word of ['serve', 'token', 'replay', 'Examples:', "--access 'doc:*=write'", 'docs/configuration.md'])
    expect(out).toContain(word);
  expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('an unknown command is told, and where to look', async () => {
  const { code, err } = await run(['server']);
  expect(code).toBe(1);
  expect(err).toContain("unknown command 'server'");
  expect(err).toContain('ashlar --help');
});

test('token prints a token with just the claims asked for, and nothing else', async () => {
  const args = [
    'token',
    '--id',
    'ben',
    '--name',
    'Ben',
    '--role',
    'admin',
    '--permission',
    'publish',
    'stats',
    '--expires',
    '30m',
  ];
  const { code, out, err } = await run([...args, '--access', 'doc:*=write', '--access', 'dashboard=read'], {
    JWT_SECRET: SECRET,
  });
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^\S+\n$/);
  const claims = jwt.verify(out.trim(), SECRET, { algorithms: ['HS256'] }) as jwt.JwtPayload;
  expect(claims).toMatchObject({
    id: 'ben',
    name: 'Ben',
    roles: ['admin'],
    permissions: ['publish', 'stats'],
    access: { 'doc:*': 'write', dashboard: 'read' },
  });
  expect((claims.exp as number) - (claims.iat as number)).toBe(1_800);
});

test.each([
  [['--id', 'ben', '--access', 'doc:*'], '--access is "doc:*"; allowed: pattern=level'],
  [['--id', 'ben', '--expires', 'soon'], '--expires is "soon"; allowed: such as 90s, 30m, 12h, 7d'],
  [['--id', 'a b*'], 'not usable as a user id'],
  [[], "required option '--id <id>' not specified"],
])('token %j says what is wrong in one sentence', async (args, sentence) => {
  const { code, out, err } = await run(['token', ...args], { JWT_SECRET: SECRET });
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(sentence);
  expect(err).not.toContain('    at ');
});

test('in production serve refuses to start without JWT_SECRET, in one clear sentence', async () => {
  const { code, out, err } = await run(['serve', '--port', '0'], { NODE_ENV: 'production' });
  expect([code, out]).toEqual([1, '']);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(err).toContain('JWT_SECRET is not set');
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('in production serve tells its address in its log, and no token', async () => {
  const child = start(['serve', '--port', '0', '--host', '127.0.0.1'], {
    NODE_ENV: 'production',
    JWT_SECRET: SECRET,
    LOG_LEVEL: 'info',
  });
  while (!child.out().includes('server:listening')) await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const lines = child
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; url?: string });
  expect(lines.find(({ msg }) => msg === 'server:listening')?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(child.out()).not.toMatch(/eyJ/);
  expect(existsSync(join(folder, 'data', 'secret')), 'no secret is made').toBe(false);
});

test('in development serve gives a token that works, also after a restart, and SIGTERM ends it with 0', async () => {
  const first = await serve();
  const stats = (url: string, token: string) => fetch(`${url}/api/ws/stats`, { headers: { authorization: `Bearer ${token}` } });
  const answer = await stats(first.url, first.token);
  expect(await answer.json()).toMatchObject({ success: true, data: { totalConnections: 0 } });
  expect(await (await fetch(first.url)).text()).toContain('Ashlar is running');
  const elsewhere = await fetch(`${first.url}/favicon.ico`);
  expect([elsewhere.status, await elsewhere.json()]).toMatchObject([404, { success: false, error: { code: 'not-found' } }]);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);

  first.child.kill('SIGTERM');
  expect(await first.exited).toEqual([0, null]);
  const second = await serve();
  expect((await stats(second.url, first.token)).status).toBe(200);
  second.child.kill('SIGINT');
  expect(await second.exited).toEqual([0, null]);
});

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', () => resolve(true));
  });
}

/** A request that never ends: it keeps a server that closes from being done. */
async function hangOn(url: string, token: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const headers = ['Host: a', `Authorization: Bearer ${token}`, 'Content-Type: application/json', 'Content-Length: 10'];
  socket.write(['POST /api/events HTTP/1.1', ...headers, 'Expect: 100-continue', '', ''].join('\r\n'));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString(), 'its body is waited for').toMatch(/^HTTP\/1\.1 100 /);
  return socket;
}

test('a second signal ends it at once', async () => {
  const { child, exited, url, token } = await serve();
  const hanging = await hangOn(url, token);
  // Two of one kind would be one where they meet; of two kinds that do, the lower number comes first.
  child.kill('SIGTERM');
  child.kill('SIGINT');
  const ended = await exited;
  hanging.destroy();
  // By the signal itself, which a shell calls 130 or 143.
  expect([
    [null, 'SIGTERM'],
    [null, 'SIGINT'],
  ]).toContainEqual(ended);
});

// Node itself would cut it off after 30 s.
test('a request that never ends holds it for a moment, and is then cut off', { timeout: 20_000 }, async () => {
  const { child, exited, url, token } = await serve();
  const hanging = await hangOn(url, token);
  const closed = once(hanging, 'close');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await closed;
});

test('a request that arrives while it closes is told to come back, and not that there is no such path', async () => {
  const { child, exited, url } = await serve();
  const port = Number(new URL(url).port);
  const late = connect(port, '127.0.0.1');
  let answer = '';
  late.on('data', (text) => {
    answer += text;
  });
  await once(late, 'connect');
  // A request that has begun keeps its connection.
  late.write('POST /api/events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n');
  expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ success: true });
  child.kill('SIGTERM');
  while (!(await refusesConnections(port)));
  late.write('\r\n');
  await once(late, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toMatch(/retry-after: 1/i);
  expect(answer).toContain('"server-closing"');
  expect(await exited).toEqual([0, null]);
});

test('a port in use is one sentence, and the data is not touched', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { code, err } = await run(['serve', '--port', String(port)], { JWT_SECRET: SECRET });
  other.close();
  expect(code).toBe(1);
  expect(err).toContain(`port ${port} is in use: stop the other program, or choose another with PORT or --port`);
  expect(err).not.toContain('    at ');
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('a wrong setting is told with its name, all of them at once', async () => {
  const { code, err } = await run(['serve', '--port', 'x'], { ASHLAR_CHAT_HISTORY: 'many' });
  expect(code).toBe(1);
  expect(err).toContain('--port is "x"');
  expect(err).toContain('ASHLAR_CHAT_HISTORY is "many"');
});

/** The first transactions of the real concurrent session, as a trace of their own. */
function writeTrace(name: string, endContent: string): string {
  const file = join(folder, name);
  const txns = [
    { parents: [], agent: 0, patches: [[0, 0, 'stone']] },
    { parents: [0], agent: 0, patches: [[5, 0, '!']] },
    { parents: [0], agent: 1, patches: [[0, 0, 'dressed ']] },
    { parents: [2], agent: 1, patches: [[0, 1, 'D']] },
    { parents: [1, 3], agent: 0, patches: [[14, 0, ' 🙂']] },
    { parents: [4], agent: 1, patches: [[13, 1, '.']] },
  ];
  writeFileSync(file, JSON.stringify({ kind: 'concurrent', endContent, numAgents: 2, txns }));
  return file;
}

test('replay plays a trace through real clients and says that all ended with its text', async () => {
  const { url } = await serve();
  const { code, out, err } = await run([
    'replay',
    writeTrace('small.json', 'Dressed stone. 🙂'),
    '--url',
    url,
    '--document',
    'small',
    '--readers',
    '2',
  ]);
  expect(out, err).toMatch(/6 edits typed and saved in .* edits\/s/);
  expect(out).toContain("converged: 4 clients and a later joiner hold the trace's end, 17 characters");
  expect(code).toBe(0);
  expect(err, 'plain lines, no bar, where stderr is no terminal').not.toContain('\r');

  const again = await run(['replay', join(folder, 'small.json'), '--url', url, '--document', 'small']);
  expect(again.code).toBe(1);
  expect(again.err).toContain('document small is not empty: choose another with --document');
});

test('replay says it when the text is another one, without waiting for a timeout, and ends with 1', async () => {
  const { url } = await serve();
  const { code, out } = await run(['replay', writeTrace('wrong.json', 'Dressed stone, 🙂'), '--url', url, '--timeout', '600']);
  expect(code).toBe(1);
  expect(out).toContain('NOT converged');
  expect(out).toMatch(/author 0 holds 17 characters, the trace ends with 17; they differ from 13 on/);
  expect(out).toContain('All clients agree with each other');
});

test('replay tells a reader that write is needed, and a wrong address that nobody answers', async () => {
  const { url } = await serve();
  const trace = writeTrace('small.json', '');
  const secret = readFileSync(join(folder, 'data', 'secret'), 'utf8').trim();
  const reader = jwt.sign({ id: 'eve', access: { '*': 'read' } }, secret, { expiresIn: 60 });
  const refused = await run(['replay', trace, '--url', url, '--token', reader]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('write is needed');
  const address = await run(['replay', trace, '--url', 'notaurl']);
  expect([address.code, address.err]).toEqual([expect.any(Number), expect.stringContaining('--url notaurl: an address such as')]);
  const nobody = await run(['replay', trace, '--url', 'http://127.0.0.1:1', '--timeout', '1']);
  expect(nobody.code).toBe(1);
  expect(nobody.err).toContain('no answer from http://127.0.0.1:1: is the server running?');
});
