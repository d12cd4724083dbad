import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

const ROOM = 'batch:b1';
const progress = (percent: number, status: 'pending' | 'processing' = 'processing') => ({
  batchId: 'b1',
  progress: percent,
  current: percent,
  total: 100,
  status,
});

test('progress told behind the completion does not take the batch back, not even after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-test-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  await using first = await startServer({ dataDir });
  await first.realtime.toRoom(ROOM, 'batch:progress', progress(90));
  const completing = first.realtime.toRoom(ROOM, 'batch:completed', { batchId: 'b1', results: [], duration: 5 });
  const late = first.realtime.toRoom(ROOM, 'batch:progress', progress(95));
  await Promise.all([completing, late, first.realtime.toRoom(ROOM, 'batch:progress', progress(96))]);
  await first.stop();
  await using server = await startServer({ dataDir });
  const { realtime } = server;
  const now = async () => {
    const socket = await server.connect(tokenFor('ada'));
    const value = next(socket, 'batch:progress');
    await ask(socket, 'join-room', ROOM);
    return (await value)[0];
  };
  expect(await now()).toMatchObject({ progress: 100, total: 100, status: 'completed' });
  await realtime.toRoom(ROOM, 'batch:progress', progress(97));
  expect(await now()).toMatchObject({ progress: 100, status: 'completed' });
  await realtime.toRoom(ROOM, 'batch:progress', progress(0, 'pending'));
  await realtime.toRoom(ROOM, 'batch:progress', progress(10));
  expect(await now()).toMatchObject({ progress: 10, status: 'processing' });
});

test('a batch that is started again while its completion is being saved goes on', async () => {
  await using server = await startServer();
  const { realtime } = server;
  await realtime.toRoom(ROOM, 'batch:progress', progress(90));
  await Promise.all([
    realtime.toRoom(ROOM, 'batch:completed', { batchId: 'b1', results: [], duration: 5 }),
    realtime.toRoom(ROOM, 'batch:progress', progress(95)),
    realtime.toRoom(ROOM, 'batch:progress', progress(0, 'pending')),
    realtime.toRoom(ROOM, 'batch:progress', progress(10)),
  ]);
  const ada = await server.connect(tokenFor('ada'));
  const value = next(ada, 'batch:progress');
  await ask(ada, 'join-room', ROOM);
  expect((await value)[0]).toMatchObject({ progress: 10, status: 'processing' });
});

test('[2] whoever is in the room hears of the completion first, and then that the batch stands at 100 %', async () => {
  await using server = await startServer();
  const ada = await server.connect(tokenFor('ada'));
  await ask(ada, 'join-room', ROOM);
  const heard: unknown[] = [];
  ada.on('batch:completed', () => heard.push('completed'));
  ada.on('batch:progress', ({ progress: percent }) => heard.push(percent));
  await server.realtime.toRoom(ROOM, 'batch:completed', { batchId: 'b1', results: [], duration: 5 });
  await ask(ada, 'room:members', ROOM);
  expect(heard).toEqual(['completed', 100]);
});

test('a batch whose completion could not be saved goes on', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const { realtime } = server;
  await realtime.toRoom(ROOM, 'batch:progress', progress(90));
  store.fail('append', 'before', new AshlarError('storage-full'));
  await expect(realtime.toRoom(ROOM, 'batch:completed', { batchId: 'b1', results: [], duration: 5 })).rejects.toThrow();
  await vi.waitFor(() => realtime.toRoom(ROOM, 'batch:progress', progress(95)));
  const ada = await server.connect(tokenFor('ada'));
  const value = next(ada, 'batch:progress');
  await ask(ada, 'join-room', ROOM);
  expect((await value)[0]).toMatchObject({ progress: 95, status: 'processing' });
});
