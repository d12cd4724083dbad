import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { RealtimeServer } from '../../server/server.ts';
import type { Store } from '../../server/storage/store.ts';
import { memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, next, SECRET, startServer, tokenFor } from '../support/start-server.ts';

const type = (letter: string) => (doc: import('yjs').Doc) => doc.getText('t').insert(doc.getText('t').length, letter);

async function textOf(realtime: RealtimeServer, name: string): Promise<string> {
  const doc = await realtime.documents.read(name);
  const text = doc.getText('t').toString();
  doc.destroy();
  return text;
}

/** From now on a store appends nothing, until it is healed. */
function failAppends(store: Store): { readonly failed: number; heal(): void } {
  const { append } = store;
  let failed = 0;
  store.append = () => {
    failed += 1;
    return Promise.reject(new AshlarError('storage-unavailable'));
  };
  return {
    get failed() {
      return failed;
    },
    heal() {
      store.append = append;
    },
  };
}

test('[1] an edit by the backend behind one that was not stored is told the truth: stored, or refused', async () => {
  const store = openMemoryStore();
  await using server = await startServer({ store });
  const { documents } = server.realtime;
  await documents.transact('plan', type('-'));
  for (let round = 0; round < 5; round++) {
    store.failNextAppend(new AshlarError('storage-unavailable'));
    const letters = ['a', 'b', 'c'].map((letter) => `${letter}${round};`);
    const told = await Promise.allSettled(letters.map((letters) => documents.transact('plan', type(letters))));
    expect(told[0]?.status).toBe('rejected');
    const text = await textOf(server.realtime, 'plan');
    for (const [index, { status }] of told.entries()) {
      expect([letters[index], text.includes(letters[index] as string)]).toEqual([letters[index], status === 'fulfilled']);
    }
    await expect
      .poll(() =>
        documents.transact('plan', type('.')).then(
          () => 'stored',
          (error: AshlarError) => error.code,
        ),
      )
      .toBe('stored');
  }
});

test('[1] a server that closes waits for edits by the backend, and tells of each whether it is stored', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-close-'));
  try {
    const first = await startServer({ dataDir });
    const letters = Array.from({ length: 30 }, (_, index) => `${index};`);
    const told = Promise.allSettled(letters.map((letters) => first.realtime.documents.transact('plan', type(letters))));
    await first.realtime.close();
    expect((await told).map(({ status }) => status)).toEqual(letters.map(() => 'fulfilled'));
    await expect(first.realtime.documents.list()).rejects.toMatchObject({ code: 'server-closing' });
    await first.stop();
    await using second = await startServer({ dataDir });
    expect(await textOf(second.realtime, 'plan')).toBe(letters.join(''));
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('[1] a server that closes waits for what is published over HTTP, and says of it that it is stored', async () => {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let allow = () => {};
  const isAllowed = new Promise<void>((resolve) => {
    allow = resolve;
  });
  const authorize = async () => {
    asked();
    await isAllowed;
    return undefined;
  };
  await using server = await startServer({ authorize });
  const answer = fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokenFor('backend', { permissions: ['publish'] })}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      event: 'batch:completed',
      room: 'batch:b',
      data: { batchId: 'b', results: [], duration: 1 },
    }),
  });
  await isAsked;
  const closed = server.realtime.close();
  allow();
  const response = await answer;
  expect([response.status, await response.json()]).toMatchObject([200, { success: true, data: { seq: 1 } }]);
  await closed;
});

test('a state value that members saw is what the next start has, also where the disk failed until just before the server closed', async () => {
  const disk = memoryDisk();
  const value = (value: number) => ({ widgetId: 'orders', value, timestamp: new Date(value).toISOString() });
  {
    const store = openMemoryStore({ disk });
    await using server = await startServer({ store });
    const socket = await server.connect(tokenFor('ada'));
    await ask(socket, 'join-room', 'dashboard');
    await server.realtime.toRoom('dashboard', 'dashboard:update', value(1));
    const seen = next(socket, 'dashboard:update', ({ value }: { value: number }) => value === 2);
    const failing = failAppends(store);
    await server.realtime.toRoom('dashboard', 'dashboard:update', value(2));
    await seen;
    // By now the next try is most of a second away.
    await expect.poll(() => failing.failed).toBeGreaterThan(3);
    failing.heal();
    await server.realtime.close();
  }
  await using again = await startServer({ store: openMemoryStore({ disk }) });
  const shown: Promise<unknown[]>[] = [];
  const socket = await again.connect(tokenFor('ada'), {
    before: (early) => void shown.push(next(early, 'dashboard:update')),
  });
  await ask(socket, 'join-room', 'dashboard');
  expect((await shown[0])?.[0]).toEqual(value(2));
});

test('a server that closes on a disk that fails on asks it once more, and names the rooms whose values it could not store', async () => {
  const store = openMemoryStore();
  const lines: { msg?: string; rooms?: string[] }[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  await using server = await startServer({ store, logger });
  await server.realtime.toRoom('system', 'system:status', { status: 'online' });
  const disk = failAppends(store);
  await server.realtime.toRoom('system', 'system:status', { status: 'degraded' });
  await expect.poll(() => disk.failed).toBeGreaterThan(3);
  const before = disk.failed;
  await server.realtime.close();
  expect(disk.failed - before).toBe(1);
  expect(lines.filter(({ msg }) => msg === 'storage:states-lost').map(({ rooms }) => rooms)).toEqual([['system']]);
});

test('a process whose server has closed ends by itself: no timer, thread or connection of ours holds it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-end-'));
  try {
    const script = fileURLToPath(new URL('../support/end-by-itself.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, dataDir], { timeout: 15_000 });
    expect(stdout).toBe('closed');
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('clients of a server that closes are told to come back one after the other', async () => {
  await using server = await startServer();
  const sockets = await Promise.all(Array.from({ length: 5 }, (_, index) => server.connect(tokenFor(`user${index}`))));
  const told = sockets.map((socket) => next(socket, 'server:closing'));
  await server.realtime.close();
  const waits = (await Promise.all(told)).map(([closing]) => (closing as { reconnectAfterMs: number }).reconnectAfterMs);
  expect(waits.sort((a, b) => a - b)).toEqual([500, 502, 503, 505, 506]);
});

test('while a server drains it is alive and not ready, and says so', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const release = store.hold('append');
  const edit = server.realtime.documents.transact('plan', type('a'));
  await vi.waitFor(() => expect(store.held('append')).toBe(1));
  const closed = server.realtime.close();
  const status = async (path: string) => (await fetch(server.url + path)).status;
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 503]);
  release();
  await Promise.all([edit, closed]);
});

test('a server that is closed while it starts gives up its start, and lets go of its folder', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-close-'));
  try {
    const server = new RealtimeServer({ jwtSecret: SECRET, dataDir, logLevel: 'silent' });
    const started = server.initialize(createServer());
    const closed = server.close();
    await expect(started).rejects.toMatchObject({ code: 'server-closing' });
    await closed;
    await expect(server.broadcast('system:status', { status: 'online' })).rejects.toMatchObject({ code: 'server-closing' });
    await (await startServer({ dataDir })).stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('two servers on one HTTP server need two prefixes, and say so', async () => {
  const http = createServer();
  const make = (prefix: string) =>
    new RealtimeServer({ jwtSecret: SECRET, prefix, store: openMemoryStore(), logLevel: 'silent' });
  const [first, second, third] = [make(''), make(''), make('/b')];
  await first.initialize(http);
  await expect(second.initialize(http)).rejects.toMatchObject({ code: 'invalid-options' });
  await third.initialize(http);
  await Promise.all([first.close(), third.close()]);
});

test('whatever is refused, for a name or since the server closes, is a promise that rejects: a timer of the product has a catch there', async () => {
  await using server = await startServer();
  const { realtime } = server;
  const { documents } = realtime;
  const calls = (name: string): readonly (() => Promise<unknown>)[] => [
    () => documents.transact(name, () => {}),
    () => documents.read(name),
    () => documents.create(name),
    () => documents.delete(name),
    () => documents.quarantined(name),
    () => realtime.grant('anna', name, 'read'),
    () => realtime.revoke('anna', name),
    () => realtime.toRoom(name, 'system:status', { status: 'online' }),
  ];
  const codesOf = (of: readonly (() => Promise<unknown>)[]) =>
    Promise.all(of.map((call) => call().catch((error: AshlarError) => error.code)));
  expect(new Set(await codesOf(calls('a..b')))).toEqual(new Set(['invalid-room']));
  await server.stop();
  const closed = [
    ...calls('plan'),
    () => documents.list(),
    () => realtime.recheckAccess('anna'),
    () => realtime.eraseUser('anna'),
  ];
  expect(new Set(await codesOf(closed))).toEqual(new Set(['server-closing']));
});
