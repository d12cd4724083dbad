import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { createBatch, createChatSession, createDashboard } from '../../client/features/index.ts';
import { type ClientOptions, createClient, type ResetEvent } from '../../client/index.ts';
import { MemoryOfflineStorage } from '../support/memory-offline-storage.ts';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const tokenOf = (user: string, access: Record<string, 'read' | 'write'> = { '*': 'write' }) =>
  tokenFor(user, { access, name: user });

function clientOf(url: string, user: string, options: Partial<ClientOptions> = {}) {
  const client = createClient({ url, token: tokenOf(user), onError: () => {}, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

/** A client that was connected as Ada and is cut off, and a witness of what reaches the server. */
async function adaCutOff() {
  const server = await startServer();
  const proxy = await startTcpProxy(server.url);
  const client = clientOf(proxy.url, 'ada');
  await client.connect();
  const witness = clientOf(server.url, 'witness');
  await witness.connect();
  const said: string[] = [];
  witness.on('chat:message', ({ content, userId }) => said.push(`${userId}: ${content}`));
  await witness.joinRoom('chat:team');
  const cut = async () => {
    proxy.cut();
    await until(client.status, ({ state }) => state !== 'connected');
  };
  const signIn = async (user: string, access?: Record<string, 'read' | 'write'>) => {
    proxy.mend();
    await client.connect({ token: tokenOf(user, access) });
  };
  return {
    server,
    client,
    witness,
    said,
    cut,
    signIn,
    async [Symbol.asyncDispose]() {
      client.destroy();
      witness.destroy();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('[4] what one user asked for and could not send is rejected when another signs in, and never sent under the other’s name', async () => {
  await using page = await adaCutOff();
  const { client, said } = page;
  await page.cut();
  const words = client.emit('chat:message', { sessionId: 'team', content: 'from ada' });
  await page.signIn('ben');
  await expect(words).rejects.toMatchObject({ code: 'client-closed' });
  expect(client.pending.get()).toBe(0);
  await client.emit('chat:message', { sessionId: 'team', content: 'from ben' });
  await expect.poll(() => said).toEqual(['ben: from ben']);
});

test('[4] what one user typed and could not save is told to the page, and never saved as another’s; the other starts from what is stored', async () => {
  await using page = await adaCutOff();
  const { client, witness } = page;
  const handle = client.document('notes');
  handle.doc.getText('text').insert(0, 'saved. ');
  await handle.whenSaved();
  await page.cut();
  handle.doc.getText('text').insert(7, 'never sent');
  const saving = handle.whenSaved();
  const reset = new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));
  await page.signIn('ben');
  const { reason, unsaved, restoring, previous } = await reset;
  expect({ reason, restoring }).toEqual({ reason: 'other-user', restoring: false });
  expect(previous.getText('text').toString()).toBe('saved. never sent');
  const kept = new Y.Doc();
  Y.applyUpdate(kept, Y.encodeStateAsUpdate(previous));
  Y.applyUpdate(kept, unsaved!);
  expect(kept.getText('text').toString()).toBe('saved. never sent');
  await expect(saving).rejects.toMatchObject({ detail: expect.stringContaining('reset') });
  await handle.whenSynced;
  expect(handle.doc.getText('text').toString()).toBe('saved. ');
  handle.doc.getText('text').insert(7, 'ben');
  await handle.whenSaved();
  const seen = witness.document('notes');
  await seen.whenSynced;
  expect(seen.doc.getText('text').toString()).toBe('saved. ben');
});

test('[4] a document that was to be kept, in a browser that keeps nothing, is not the next user’s, nor what was typed into it', async () => {
  await using server = await startServer();
  const offlineStorage = new MemoryOfflineStorage();
  offlineStorage.open = () => Promise.reject(new Error('storage is switched off'));
  using client = clientOf(server.url, 'ada', { offlineStorage });
  await client.connect();
  const handle = client.document('private', { offline: true });
  handle.doc.getText('text').insert(0, 'saved. ');
  await handle.whenSaved();
  client.disconnect();
  handle.doc.getText('text').insert(7, 'never sent');
  const reset = new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));
  await client.connect({ token: tokenOf('ben', { 'doc:other': 'write' }) });
  expect(await reset).toMatchObject({ reason: 'other-user', restoring: false, unsaved: expect.any(Uint8Array) });
  await until(handle.status, ({ state }) => state === 'refused');
  expect(handle.doc.getText('text').toString()).toBe('');
  using witness = clientOf(server.url, 'witness');
  void witness.connect();
  const seen = witness.document('private');
  await seen.whenSynced;
  expect(seen.doc.getText('text').toString()).toBe('saved. ');
});

test('[4] where the page brought its own Y.Doc, the document stops at another user', async () => {
  await using page = await adaCutOff();
  const own = new Y.Doc();
  const handle = page.client.document('brought', { doc: own });
  await handle.whenSynced;
  await page.cut();
  own.getText('text').insert(0, 'ada');
  await page.signIn('ben');
  await until(handle.status, ({ state }) => state === 'stopped');
  expect(handle.status.get()).toEqual({ state: 'stopped', reason: 'other-user' });
  expect(own.getText('text').toString()).toBe('ada');
  const seen = page.witness.document('brought');
  await seen.whenSynced;
  expect(seen.doc.getText('text').toString()).toBe('');
});

test('a document that the other may not read is not left on the page', async () => {
  await using page = await adaCutOff();
  const handle = page.client.document('secret');
  handle.doc.getText('text').insert(0, 'for ada');
  await handle.whenSaved();
  await page.cut();
  await page.signIn('ben', { 'chat:*': 'write' });
  await until(handle.status, ({ state }) => state === 'refused');
  expect(handle.doc.getText('text').toString()).toBe('');
});

test('a user who signs in anew, with another token, goes on where they were', async () => {
  await using page = await adaCutOff();
  const { client, said } = page;
  const handle = client.document('notes');
  await handle.whenSynced;
  const { doc } = handle;
  await page.cut();
  doc.getText('text').insert(0, 'kept');
  const words = client.emit('chat:message', { sessionId: 'team', content: 'kept too' });
  await page.signIn('ada', { '*': 'write', extra: 'read' });
  await words;
  await handle.whenSaved();
  expect(handle.doc).toBe(doc);
  await expect.poll(() => said).toEqual(['ada: kept too']);
});

test('a room tells another user what they missed from the beginning, and a chat shows nothing of the one before', async () => {
  await using page = await adaCutOff();
  const { client, witness } = page;
  const chat = createChatSession(client, 'team');
  const stop = chat.subscribe(() => {});
  await until(chat, ({ state }) => state === 'ready');
  await page.cut();
  chat.send('from ada');
  await witness.emit('chat:message', { sessionId: 'team', content: 'meanwhile' });
  await page.signIn('ben');
  await until(chat, ({ state, messages }) => state === 'ready' && messages.at(-1)?.content === 'meanwhile');
  expect(chat.get().messages.map(({ content, status }) => `${content} ${status}`)).toEqual(['meanwhile sent']);
  expect(client.room('chat:team').get()).toMatchObject({ state: 'joined', recovered: false, reason: 'new' });
  stop();
});

test('[4] another user is shown no value, no progress and no members that the one before was told', async () => {
  await using page = await adaCutOff();
  const { client } = page;
  const dashboard = createDashboard(client, ['orders']);
  const batch = createBatch(client, 'import');
  const orders = client.latest('dashboard:update', 'orders');
  const members = client.members('dashboard');
  const stops = [dashboard, batch, orders, members].map((shown) => shown.subscribe(() => {}));
  await until(client.room('dashboard'), ({ state }) => state === 'joined');
  await page.server.realtime.toRoom('dashboard', 'dashboard:update', {
    widgetId: 'orders',
    value: 42,
    timestamp: '2026-11-28T00:00:00Z',
  });
  const progress = { batchId: 'import', status: 'processing', progress: 50, current: 1, total: 2 } as const;
  await page.server.realtime.toRoom('batch:import', 'batch:progress', progress);
  await until(dashboard, ({ widgets }) => widgets.orders?.value === 42);
  await until(batch, (state) => state?.progress === 50);
  await until(orders, (value) => value !== undefined);
  await until(members, (list) => list.length > 0);
  await page.cut();
  await page.signIn('eve', { 'chat:*': 'read' });
  await until(client.room('dashboard'), ({ state }) => state === 'refused');
  expect([dashboard.get().widgets, batch.get(), orders.get(), members.get()]).toEqual([{}, null, undefined, []]);
  const told: unknown[] = [];
  client.on('dashboard:update', (value) => told.push(value));
  await client.joinRoom('chat:team');
  expect(told).toEqual([]);
  expect(client.latest('dashboard:update', 'orders').get()).toBeUndefined();
  for (const stop of stops) stop();
});
