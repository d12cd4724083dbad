import type { Socket } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { FrameClient } from '../support/frame-client.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, next, startServer, tokenFor } from '../support/start-server.ts';

function typed(clientId: number, text: string): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const [index, letter] of [...text].entries()) doc.getText('text').insert(index, letter);
  return updates;
}

test('[2] a message that is repeated while the first is under way, after it, and after a restart is stored once', async () => {
  const disk = memoryDisk();
  const store = gateStore(openMemoryStore({ disk }));
  const message = { sessionId: '1', content: 'hello' };
  let first: unknown;
  {
    await using server = await startServer({ store });
    const ada = await server.connect(tokenFor('ada'));
    await ask(ada, 'join-room', 'chat:1');
    const look = store.hold('findById');
    const answers = [1, 2, 3].map(() => ask(ada, 'chat:message', message, { id: 'm1' }));
    await ask(ada, 'room:members', 'chat:1');
    expect(store.held('findById')).toBeGreaterThan(0);
    look();
    const [one, two, three] = await Promise.all(answers);
    expect(one).toMatchObject({ success: true, meta: { seq: 1 } });
    expect([two, three]).toEqual([one, one]);
    // The id is the sender's own: another user's is another message.
    const bob = await server.connect(tokenFor('bob'));
    expect(await ask(bob, 'chat:message', message, { id: 'm1' })).toMatchObject({ success: true, meta: { seq: 2 } });
    first = one;
  }
  await using server = await startServer({ store: openMemoryStore({ disk }) });
  const ada = await server.connect(tokenFor('ada'));
  expect(await ask(ada, 'chat:message', message, { id: 'm1' })).toEqual(first);
  expect((await ask(ada, 'chat:history', { sessionId: '1' })).messages).toHaveLength(2);
});

test('[2] a message’s id is its sender’s own, in its room, also while another one with it is under way', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const [ada, bob] = [await server.connect(tokenFor('ada')), await server.connect(tokenFor('bob'))];
  const look = store.hold('findById');
  const say = (who: Socket, sessionId: string, content: string) => ask(who, 'chat:message', { sessionId, content }, { id: 'm1' });
  const answers = [say(ada, '1', 'of ada'), say(bob, '1', 'of bob'), say(ada, '2', 'elsewhere')];
  await vi.waitFor(() => expect(store.held('findById')).toBe(3));
  look();
  expect((await Promise.all(answers)).map(({ data }) => [data.userId, data.sessionId, data.content])).toEqual([
    ['ada', '1', 'of ada'],
    ['bob', '1', 'of bob'],
    ['ada', '2', 'elsewhere'],
  ]);
});

test('[2] a first join gets the history once, and goes on from its end', async () => {
  await using server = await startServer();
  const ada = await server.connect(tokenFor('ada'));
  const say = async (content: string) => (await ask(ada, 'chat:message', { sessionId: '1', content })).meta.seq;
  for (const content of ['one', 'two', 'three']) await say(content);
  const bob = await server.connect(tokenFor('bob'));
  const seqs: number[] = [];
  bob.on('chat:message', (_, { seq }) => seqs.push(seq));
  expect(await ask(bob, 'join-room', 'chat:1')).toMatchObject({ recovered: false, reason: 'new', seq: 0, head: 3 });
  await ask(bob, 'room:members', 'chat:1');
  expect(seqs).toEqual([1, 2, 3]);
  const last = await say('four');
  await ask(bob, 'room:members', 'chat:1');
  expect(seqs).toEqual([1, 2, 3, last]);
});

test('[2] nothing above a refused update is taken until it comes again, so that no deletion is lost in between', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'minutes', 1);
  await ada.join();
  const [a, b, c] = typed(1, 'abc') as [Uint8Array, Uint8Array, Uint8Array];
  ada.update(1, a);
  ada.update(3, c);
  expect(await ada.frame('refused')).toMatchObject({ counter: 3, code: 'counter-gap' });
  ada.update(2, b);
  ada.update(3, c);
  await vi.waitFor(async () => {
    const { saved } = await new FrameClient(ada.socket, 'minutes', 1).join();
    expect(saved).toBe(3);
  });
  expect((await server.realtime.documents.read('minutes')).getText('text').toString()).toBe('abc');
});

test('[2] an update that builds on what the log has not is not acknowledged: its client is asked for a full step', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'minutes', 1);
  await ada.join();
  const updates = typed(1, 'abc');
  ada.update(1, updates[2] as Uint8Array);
  expect(await ada.frame('gap')).toMatchObject({ counter: 1, stateVector: Uint8Array.of(0) });
  ada.update(1, Y.mergeUpdates(updates), true);
  await vi.waitFor(async () => {
    const { saved } = await new FrameClient(ada.socket, 'minutes', 1).join();
    expect(saved).toBe(1);
  });
  expect((await server.realtime.documents.read('minutes')).getText('text').toString()).toBe('abc');
});

test('[2] a session that resumes after a restart is told what is saved, and a resend adds no record', async () => {
  const disk = memoryDisk();
  const [a, b] = typed(1, 'ab') as [Uint8Array, Uint8Array];
  {
    await using server = await startServer({ store: openMemoryStore({ disk }) });
    const ada = new FrameClient(await server.connect(tokenFor('ada')), 'minutes', 1);
    await ada.join();
    ada.update(1, a);
    await vi.waitFor(() => expect(disk.rooms.get('doc:minutes' as never)?.head).toBe(1));
  }
  await using server = await startServer({ store: openMemoryStore({ disk }) });
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'minutes', 1);
  expect(await ada.join()).toMatchObject({ success: true, saved: 1 });
  ada.sync();
  await ada.frame('state');
  ada.update(1, a);
  expect(await ada.frame('saved')).toMatchObject({ counter: 1 });
  ada.update(2, b);
  await ada.frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === 2));
  expect(disk.rooms.get('doc:minutes' as never)?.head).toBe(2);
});

test('[2] what is broadcast while somebody joins comes with the join, behind its answer, and not a second time', async () => {
  const store = gateStore(openMemoryStore());
  await using server = await startServer({ store });
  const tell = (id: string) =>
    server.realtime.broadcast('system:notification', {
      id,
      level: 'info',
      title: 't',
      message: 'm',
      timestamp: '2026-01-01T00:00:00Z',
    });
  await tell('before');
  const ada = await server.connect(tokenFor('ada'));
  // It may read the room: a broadcast reaches it, member or not.
  const outside = next(ada, 'system:notification');
  await tell('outside');
  await outside;
  const heard: string[] = [];
  ada.on('system:notification', ({ id }: { id: string }) => heard.push(id));
  const look = store.hold('read');
  ada.emit('join-room', 'notifications', () => heard.push('joined'));
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  await tell('meanwhile');
  look();
  await vi.waitFor(() => expect(heard).toContain('meanwhile'));
  await ask(ada, 'room:members', 'notifications');
  expect(heard).toEqual(['joined', 'before', 'outside', 'meanwhile']);
});
