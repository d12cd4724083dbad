import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { defineEvent } from '../../shared/define-event.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

const common = { name: 'order:noted', room: 'order:*', sentBy: ['backend', 'client'], delivery: { class: 'log' } } as const;
const first = defineEvent({ ...common, payload: z.object({ orderId: z.string(), note: z.string() }) });
const second = defineEvent({
  ...common,
  version: 2,
  payload: z.object({ orderId: z.string(), notes: z.array(z.string()) }),
  upcast: (payload, version) => {
    expect(version).toBe(1);
    const { orderId, note } = payload as { orderId: string; note: string };
    return { orderId, notes: [note] };
  },
});

test('records of an older version are handed out in today’s form, also as the answer to a repeat, and newer ones as they are', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-versions-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const before = await startServer({ dataDir, events: [first] });
  const sent = { orderId: '1', note: 'old' };
  const meta = { id: 'm1', room: 'order:1' };
  const socket = await before.connect(tokenFor('ada'));
  expect(await ask(socket, 'order:noted', sent, meta)).toMatchObject({ data: sent });
  await before.stop();

  await using server = await startServer({ dataDir, events: [second] });
  const ada = await server.connect(tokenFor('ada'));
  const today = { orderId: '1', notes: ['old'] };
  expect(await ask(ada, 'order:noted', today, meta), 'the first answer').toMatchObject({ data: today, meta: { seq: 1 } });
  await server.realtime.toRoom('order:1', 'order:noted', { orderId: '1', notes: ['new', 'newer'] });
  const seen: unknown[] = [];
  ada.on('order:noted', (data) => seen.push(data));
  await ask(ada, 'join-room', 'order:1');
  await vi.waitFor(() => expect(seen).toEqual([today, { orderId: '1', notes: ['new', 'newer'] }]));
});
