import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createClient } from '../../client/index.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { ROOT } from '../support/source-tree.ts';
import { SECRET } from '../support/start-server.ts';

/** What `npm start` runs once all is built, in production. */
function startInProduction(dataDir: string, environment: { readonly [name: string]: string }) {
  return spawn(process.execPath, ['--import', 'tsx', 'demo/backend/main.ts'], {
    cwd: ROOT,
    env: { NODE_ENV: 'production', PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const post = (url: string, headers: HeadersInit = {}) => fetch(url, { method: 'POST', headers });

test('the demo’s server prints a token for anna that works, last the address to open, and signs one for whoever picks a name', async () => {
  await using demo = await startDemoServer();
  expect(demo.said).toContain(`listens on ${demo.url}`);
  expect(demo.said.trim().split('\n').at(-1)).toBe(`  Open ${demo.url} in a browser. Stop with Ctrl-C.`);
  const printed = /^ey\S+$/m.exec(demo.said)?.[0];
  const stats = await fetch(`${demo.url}/api/ws/stats`, { headers: { authorization: `Bearer ${printed}` } });
  expect(stats.status).toBe(200);

  const { token } = (await (await post(`${demo.url}/demo/token/ben`)).json()) as { token: string };
  const authorization = `Bearer ${token}`;
  const history = await fetch(`${demo.url}/demo/dashboard`, { headers: { authorization } });
  expect(await history.json()).toMatchObject({ orders: expect.arrayContaining([expect.any(Number)]) });
  expect((await post(`${demo.url}/demo/token/nobody`)).status).toBe(404);
});

test('its buttons work for members with a token: not for guests, and not for pages that gave this machine another name', async () => {
  await using demo = await startDemoServer();
  const tokenOf = async (id: string) => ((await (await post(`${demo.url}/demo/token/${id}`)).json()) as { token: string }).token;
  const press = async (headers: HeadersInit) => (await post(`${demo.url}/demo/catalog`, headers)).status;
  expect(await press({})).toBe(401);
  expect(await press({ authorization: 'Bearer nonsense' })).toBe(401);
  expect(await press({ authorization: `Bearer ${await tokenOf('emil')}` })).toBe(403);
  expect(await press({ authorization: `Bearer ${await tokenOf('ben')}` })).toBe(200);

  const { request } = await import('node:http');
  const elsewhere = request(`${demo.url}/demo/token/anna`, { method: 'POST', headers: { host: 'rebound.example' } }).end();
  const [answer] = await once(elsewhere, 'response');
  answer.resume();
  expect(answer.statusCode).toBe(403);
});

test('who may do what on a page is told and decided by its administrator alone, and only as one of the offered levels', async () => {
  await using demo = await startDemoServer();
  const tokenOf = async (id: string) => ((await (await post(`${demo.url}/demo/token/${id}`)).json()) as { token: string }).token;
  const ask = async (id: string, method: string, path: string) =>
    fetch(`${demo.url}/demo/access/${path}`, { method, headers: { authorization: `Bearer ${await tokenOf(id)}` } });
  const before = { anna: 'admin', ben: 'read', chloe: 'read', emil: 'read' };
  expect(await (await ask('anna', 'GET', 'page-handbook')).json()).toEqual(before);
  const refused = [
    await fetch(`${demo.url}/demo/access/page-handbook`),
    await ask('ben', 'GET', 'page-handbook'),
    await ask('ben', 'POST', 'page-handbook/ben/write'),
    await ask('anna', 'POST', 'page-handbook/ben/admin'),
    await ask('anna', 'POST', 'page-handbook/nobody/write'),
    await ask('anna', 'POST', 'backend-access/ben/write'),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 403, 403, 404, 404, 404]);
  expect(await (await ask('anna', 'POST', 'page-handbook/ben/write')).json()).toEqual({ ...before, ben: 'write' });
  await demo.kill();
  await demo.restart();
  expect(await (await ask('anna', 'GET', 'page-handbook')).json()).toEqual({ ...before, ben: 'write' });

  // Its record is the backend's alone.
  const ben = createClient({ url: demo.url, token: () => tokenOf('ben'), transports: ['websocket'] });
  void ben.connect();
  const record = ben.document('backend-access');
  record.on('error', () => {});
  await expect(record.whenSynced).rejects.toMatchObject({ code: 'access-denied' });
  ben.disconnect();
});

test('in production there is no demo: no page, and no token for anybody', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-demo-'));
  const child = startInProduction(dataDir, { JWT_SECRET: SECRET });
  try {
    let url = '';
    for await (const line of createInterface(child.stdout)) {
      url = line.includes('server:listening') ? (JSON.parse(line) as { url: string }).url : '';
      if (url !== '') break;
    }
    const answers = [
      await post(`${url}/demo/token/anna`),
      await fetch(`${url}/demo/dashboard`),
      await fetch(`${url}/index.html`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(await (await fetch(url)).text()).toContain('Ashlar is running');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('in production it refuses to start without JWT_SECRET, in one clear sentence', async () => {
  const child = startInProduction(join(tmpdir(), 'ashlar-demo-never-made'), {});
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(said.trim().split('\n')).toHaveLength(1);
  expect(said).toContain('JWT_SECRET is not set');
});
