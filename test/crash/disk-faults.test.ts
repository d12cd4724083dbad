import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import { createClient } from '../../client/index.ts';
import { type ChildServer, startChildServer } from '../support/child-server.ts';
import { connectTo } from '../support/connect-to.ts';
import { EIO, ENOSPC, makeFaultyDisk } from '../support/faulty-disk.ts';
import { FrameReplica } from '../support/frame-replica.ts';
import { ask, tokenFor } from '../support/start-server.ts';

const ROOM = 'chat:s';
const ready = async ({ url }: ChildServer) => (await fetch(`${url}/readyz`)).status;
const say = (socket: Socket, id: string) => ask(socket, 'chat:message', { sessionId: 's', content: id }, { id });

/** What the session holds, by a client that asks for it. */
async function contents(socket: Socket): Promise<{ content: string; seq: number }[]> {
  const { messages } = (await ask(socket, 'chat:history', { sessionId: 's', limit: 200 })) as {
    messages: { data: { content: string }; meta: { seq: number } }[];
  };
  return messages.map(({ data, meta }) => ({ content: data.content, seq: meta.seq }));
}

/** Sends until it is taken, as the code asks for. @returns its place */
async function insist(socket: Socket, id: string): Promise<number> {
  let seq = 0;
  await vi.waitFor(
    async () => {
      const answer = await say(socket, id);
      expect(answer).toMatchObject({ success: true });
      seq = answer.meta.seq as number;
    },
    { timeout: 10_000 },
  );
  return seq;
}

test.each([
  { fault: 'a disk whose syncs fail', operation: 'fsync', errno: EIO, code: 'storage-unavailable', status: 503 },
  { fault: 'a disk whose writes fail', operation: 'write', errno: EIO, code: 'storage-unavailable', status: 503 },
  { fault: 'a full disk', operation: 'write', errno: ENOSPC, code: 'storage-full', status: 507 },
] as const)(
  '[1] $fault: nothing is acknowledged or seen, reading goes on, readiness says it; it heals by itself, and all that was acked survives a kill',
  {
    timeout: 60_000,
  },
  async ({ operation, errno, code, status }) => {
    using disk = makeFaultyDisk();
    await using server = await startChildServer(disk.environment);
    const ada = await connectTo(server.url, tokenFor('ada'));
    const bob = await connectTo(server.url, tokenFor('bob'));
    await ask(bob, 'join-room', ROOM);
    const heard: string[] = [];
    bob.on('chat:message', ({ content }: { content: string }) => void heard.push(content));
    const client = createClient({ url: server.url, token: tokenFor('cleo'), transports: ['websocket'] });
    await client.connect();
    const handle = client.document('minutes');
    // Told while the disk fails, and no concern of the page's: it goes again by itself.
    handle.on('error', () => {});
    await handle.whenSynced;
    handle.doc.getText('t').insert(0, 'before ');
    await handle.whenSaved();
    const acked = new Map<string, number>();
    for (const id of ['a1', 'a2', 'a3']) acked.set(id, await insist(ada, id));
    await vi.waitFor(() => expect(heard).toEqual(['a1', 'a2', 'a3']));
    expect(await ready(server)).toBe(200);

    disk.fail(operation, errno);
    expect(await say(ada, 'b1')).toMatchObject({ success: false, error: { code } });
    handle.doc.getText('t').insert(7, 'meanwhile');
    const saved = handle.whenSaved();
    let told = false;
    void saved.then(() => {
      told = true;
    });
    for (const id of ['b2', 'b3', 'b1'])
      expect(await say(ada, id)).toMatchObject({ success: false, error: { code: expect.stringMatching(/^storage-/) } });
    expect(await ready(server)).toBe(status);
    // What is on disk is read as ever, by newcomers too.
    expect((await contents(bob)).map(({ content }) => content)).toEqual(['a1', 'a2', 'a3']);
    const eve = await connectTo(server.url, tokenFor('eve'));
    expect(await ask(eve, 'join-room', ROOM)).toMatchObject({ success: true, head: 3 });
    expect(heard).toEqual(['a1', 'a2', 'a3']);
    expect(told).toBe(false);

    disk.mend();
    await vi.waitFor(async () => expect(await ready(server)).toBe(200), { timeout: 10_000 });
    for (const id of ['b1', 'b2', 'b3', 'c1']) acked.set(id, await insist(ada, id));
    await saved;
    expect(new Set(acked.values()).size, 'no number is given twice').toBe(acked.size);
    await vi.waitFor(() => expect(heard).toHaveLength(7));

    handle.destroy();
    client.disconnect();
    for (const socket of [ada, bob, eve]) socket.disconnect();
    await server.kill();
    await server.restart();
    const fresh = await connectTo(server.url, tokenFor('fred'));
    expect(await contents(fresh)).toEqual([...acked].map(([content, seq]) => ({ content, seq })).sort((a, b) => a.seq - b.seq));
    await using replica = await FrameReplica.open(server.url, tokenFor('gus'), 'minutes');
    expect(replica.doc.getText('t').toString()).toBe('before meanwhile');
    fresh.disconnect();
  },
);

test('[1] after one failed sync the log is written through and synced anew before anything is acknowledged', {
  timeout: 60_000,
}, async () => {
  using disk = makeFaultyDisk();
  await using server = await startChildServer(disk.environment);
  const ada = await connectTo(server.url, tokenFor('ada'));
  await insist(ada, 'a1');
  disk.fail('fsync', EIO, 'once');
  expect(await say(ada, 'b1')).toMatchObject({ success: false, error: { code: 'storage-unavailable' } });
  const at = disk.syncs().findIndex(({ errno }) => errno === EIO);
  expect(disk.syncs()[at]).toEqual({ file: 'ashlar.db-wal', errno: EIO });
  const seq = await insist(ada, 'b1');
  const after = disk.syncs().slice(at + 1);
  // The log, then the database that it was written into, then the log of the new commit.
  expect(after.every(({ errno }) => errno === 0)).toBe(true);
  const log = after.findIndex(({ file }) => file === 'ashlar.db-wal');
  const database = after.findIndex(({ file }) => file === 'ashlar.db');
  expect(log).toBeGreaterThanOrEqual(0);
  expect(database).toBeGreaterThan(log);
  expect(after.slice(database).some(({ file }) => file === 'ashlar.db-wal')).toBe(true);
  expect(await contents(ada)).toEqual([
    { content: 'a1', seq: 1 },
    { content: 'b1', seq },
  ]);
  ada.disconnect();
});

test('[1] a disk that hangs: the process lives, is not ready and reads on; what it held up is acknowledged once it goes on', {
  timeout: 60_000,
}, async () => {
  using disk = makeFaultyDisk();
  await using server = await startChildServer(disk.environment);
  const ada = await connectTo(server.url, tokenFor('ada'));
  await insist(ada, 'a1');
  disk.hang();
  const held = say(ada, 'b1');
  const answer = await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(9_000) });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: 'storage-unavailable' } });
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect((await contents(ada)).map(({ content }) => content)).toEqual(['a1']);
  disk.mend();
  expect(await held).toMatchObject({ success: true });
  expect(await ready(server)).toBe(200);
  ada.disconnect();
});

test.each([
  { signals: 1, sentence: 'the first signal ends the server in time' },
  { signals: 2, sentence: 'the second signal ends it at once' },
])('[1] while a disk hangs $sentence, and what was acknowledged is there', { timeout: 60_000 }, async ({ signals }) => {
  using disk = makeFaultyDisk();
  await using server = await startChildServer(disk.environment);
  const ada = await connectTo(server.url, tokenFor('ada'));
  await insist(ada, 'a1');
  disk.hang();
  say(ada, 'b1').catch(() => {});
  // Its write is under way once another one waits behind it.
  await expect(fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(500) })).rejects.toThrow();
  const told = new Promise((resolve) => ada.once('server:closing', resolve));
  const ended = server.kill('SIGTERM');
  await told;
  if (signals === 2) process.kill(server.pid, 'SIGTERM');
  const stoppedAt = performance.now();
  await ended;
  if (signals === 2) expect(performance.now() - stoppedAt).toBeLessThan(5_000);
  ada.disconnect();
  disk.mend();
  await server.restart();
  const bob = await connectTo(server.url, tokenFor('bob'));
  expect((await contents(bob))[0]).toMatchObject({ content: 'a1', seq: 1 });
  bob.disconnect();
});
