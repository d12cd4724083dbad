import { expect, test, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { encodeAwareness } from '../../server/documents/document-awareness.ts';
import { memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { FrameClient } from '../support/frame-client.ts';
import { ask, startServer, type TestServer, tokenFor } from '../support/start-server.ts';

async function member(server: TestServer, userId: string, clientId: number): Promise<FrameClient> {
  const client = new FrameClient(await server.connect(tokenFor(userId, { name: userId.toUpperCase() })), 'minutes', clientId);
  expect(await client.join()).toMatchObject({ success: true });
  client.sync();
  await client.frame('state');
  return client;
}

/** Everyone's awareness as a member sees it. */
function statesSeenBy({ received }: FrameClient): Record<number, unknown> {
  const awareness = new Awareness(new Y.Doc());
  awareness.setLocalState(null);
  for (const frame of received) if (frame.type === 'awareness') applyAwarenessUpdate(awareness, frame.update, null);
  const states = Object.fromEntries(awareness.getStates());
  awareness.destroy();
  return states;
}

const show = (client: FrameClient, clientId: number, json: string) =>
  ask(
    client.socket,
    'document',
    client.room,
    Uint8Array.of(4, ...lengthAnd(encodeAwareness([{ clientId, clock: 1_000, json }]))),
  );
const lengthAnd = (bytes: Uint8Array) => [bytes.length, ...bytes];

function insertion(clientId: number, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

test('[4] a member shows its own awareness under its own name, and cannot change or take away another’s', async () => {
  await using server = await startServer();
  const [ada, eve, bob] = [await member(server, 'ada', 1), await member(server, 'eve', 2), await member(server, 'bob', 3)];
  expect(await show(ada, 1, '{"pointer":7}')).toEqual({ success: true });
  for (const forged of ['{"pointer":0}', '{"user":{"id":"ada","name":"Ada"}}', 'null']) {
    expect(await show(eve, 1, forged)).toMatchObject({ error: { code: 'foreign-client-id' } });
  }
  expect(await show(eve, 2, '{"user":{"id":"ada","name":"ADA","color":"#000000"}}')).toEqual({ success: true });
  await ask(bob.socket, 'room:members', bob.room);
  expect(statesSeenBy(bob)).toMatchObject({
    1: { pointer: 7, user: { id: 'ada', name: 'ADA' } },
    2: { user: { id: 'eve', name: 'EVE' } },
  });
});

test('[4] awareness goes with the socket that brought it, and a late joiner sees who is there', async () => {
  await using server = await startServer();
  const [ada, bob] = [await member(server, 'ada', 1), await member(server, 'bob', 2)];
  await show(ada, 1, '{"pointer":7}');
  await show(bob, 2, '{"pointer":8}');
  const late = await member(server, 'cleo', 3);
  expect(Object.keys(statesSeenBy(late))).toEqual(['1', '2']);
  ada.socket.disconnect();
  await vi.waitFor(() => expect(Object.keys(statesSeenBy(late))).toEqual(['2']));
});

test('[4] a reader shows its awareness and changes nothing', async () => {
  await using server = await startServer();
  const socket = await server.connect(tokenFor('eve', { access: { 'doc:*': 'read' } }));
  const [ada, eve] = [await member(server, 'ada', 1), new FrameClient(socket, 'minutes', 2)];
  expect(await eve.join()).toMatchObject({ success: true, access: 'read' });
  expect(await show(eve, 2, '{"pointer":7}')).toEqual({ success: true });
  eve.update(1, insertion(2, 'graffiti'));
  expect(await eve.frame('refused')).toMatchObject({ counter: 1, code: 'read-only' });
  await ask(ada.socket, 'room:members', ada.room);
  expect(statesSeenBy(ada)).toMatchObject({ 2: { pointer: 7, user: { id: 'eve' } } });
  expect((await server.realtime.documents.read('minutes')).getText('text').toString()).toBe('');
});

test('[4] content under another’s client id is refused, live, after it left, and after a restart', async () => {
  const disk = memoryDisk();
  {
    await using server = await startServer({ store: openMemoryStore({ disk }) });
    const [ada, eve] = [await member(server, 'ada', 1), await member(server, 'eve', 2)];
    ada.update(1, insertion(1, 'mine'));
    await ada.frame('committed');
    const more = new Y.Doc();
    Y.applyUpdate(more, insertion(1, 'mine'));
    more.clientID = 1;
    const known = Y.encodeStateVector(more);
    more.getText('text').insert(4, ', says ada');
    eve.update(1, Y.encodeStateAsUpdate(more, known));
    expect(await eve.frame('refused')).toMatchObject({ counter: 1, code: 'foreign-client-id' });
    ada.socket.disconnect();
    const thief = new FrameClient(await server.connect(tokenFor('eve')), 'minutes', 1, 'a-secret-of-her-own-long-enough');
    expect(await thief.join()).toMatchObject({ error: { code: 'foreign-client-id' } });
  }
  await using server = await startServer({ store: openMemoryStore({ disk }) });
  const thief = new FrameClient(await server.connect(tokenFor('eve')), 'minutes', 1, 'a-secret-of-her-own-long-enough');
  expect(await thief.join()).toMatchObject({ error: { code: 'foreign-client-id' } });
  // With the secret itself, should it have leaked, she is still not ada.
  const leaked = new FrameClient(await server.connect(tokenFor('eve')), 'minutes', 1);
  expect(await leaked.join()).toMatchObject({ error: { code: 'id-in-use' } });
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'minutes', 1);
  expect(await ada.join()).toMatchObject({ success: true, saved: 1 });
  expect((await server.realtime.documents.read('minutes')).getText('text').toString()).toBe('mine');
});

test('[4] records, chat and typing name the user of the token', async () => {
  const disk = memoryDisk();
  await using server = await startServer({ store: openMemoryStore({ disk }) });
  const eve = await server.connect(tokenFor('eve', { name: 'Eve' }));
  const bob = await server.connect(tokenFor('bob'));
  await ask(bob, 'join-room', 'chat:1');
  const forged = { userId: 'ada', name: 'Ada', sender: 'assistant', id: 'x', timestamp: '2000-01-01T00:00:00Z' };
  const typing = new Promise((resolve) => bob.once('chat:typing', resolve));
  await ask(eve, 'chat:typing', { sessionId: '1', isTyping: true, ...forged });
  expect(await typing).toEqual({ sessionId: '1', isTyping: true, userId: 'eve', name: 'Eve' });
  const message = new Promise((resolve) => bob.once('chat:message', resolve));
  await ask(eve, 'chat:message', { sessionId: '1', content: 'hello', ...forged });
  expect(await message).toMatchObject({
    content: 'hello',
    userId: 'eve',
    name: 'Eve',
    sender: 'user',
    id: expect.not.stringMatching(/^x$/),
  });

  const writer = await member(server, 'eve', 7);
  writer.update(1, insertion(7, 'x'));
  await writer.frame('committed');
  for (const room of ['chat:1', 'doc:minutes']) {
    expect(disk.rooms.get(room as never)?.records.map(({ userId }) => userId)).toEqual(['eve']);
  }
});
