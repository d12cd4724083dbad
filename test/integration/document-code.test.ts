import { expect, test, vi } from 'vitest';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { type ClientOptions, createClient, type DocumentHandle, type ResetEvent } from '../../client/index.ts';
import { MemoryOfflineStorage } from '../support/memory-offline-storage.ts';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';

// What keeps documents in step with the server, as it comes to a page: when the test says so, or not at all.
const arrivals: { come(): void; fail(): void }[] = [];
let onAsked: () => void = () => {};
vi.mock('../../client/documents/document-code.ts', async (original) => {
  const real = await original<typeof import('../../client/documents/document-code.ts')>();
  return {
    liveDocumentMaker: () => null,
    loadLiveDocument: async () => {
      await new Promise<void>((come, reject) => {
        arrivals.push({ come, fail: () => reject(new Error('the file is gone')) });
        onAsked();
      });
      return real.loadLiveDocument();
    },
  };
});

/** The next time that somebody asks for the code. */
async function asked() {
  while (arrivals.length === 0) await new Promise<void>((resolve) => (onAsked = resolve));
  return arrivals.shift()!;
}

function clientOf(url: string, user: string, options: Partial<ClientOptions> = {}) {
  const client = createClient({
    url,
    token: tokenFor(user, { access: { '*': 'write' }, name: user }),
    onError: () => {},
    ...options,
  });
  void client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

const textOf = ({ doc }: DocumentHandle) => doc.getText('text');

/** What the server has, as somebody else sees it. */
async function stored(url: string, name: string): Promise<string> {
  using client = clientOf(url, 'reader');
  const handle = client.document(name);
  (await asked()).come();
  await handle.whenSynced;
  return textOf(handle).toString();
}

test('[1] what is edited before the code is there counts as unsaved, is awaited, and is saved once it came', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  await ada.connect();
  const handle = ada.document('early');
  const statuses: string[] = [];
  handle.on('status', ({ detail }) => statuses.push(detail.state));
  const code = await asked();
  expect(handle.status.get()).toEqual({ state: 'joining' });
  textOf(handle).insert(0, 'stone');
  textOf(handle).insert(5, 'mason');
  expect(handle.unsavedChanges.get()).toBe(2);
  expect(ada.unsavedDocuments.get()).toEqual([{ name: 'early', unsavedChanges: 2 }]);
  expect(handle.everSynced.get()).toBe(false);
  let isSaved = false;
  const saved = handle.whenSaved().then(() => {
    isSaved = true;
  });
  await handle.whenLoaded;
  const { doc, awareness } = handle;
  expect(isSaved).toBe(false);
  code.come();
  await saved;
  expect(handle.unsavedChanges.get()).toBe(0);
  // Bindings stay on what they were given.
  expect([handle.doc, handle.awareness]).toEqual([doc, awareness]);
  await handle.whenSynced;
  expect(statuses).toEqual(['syncing', 'synced']);
  expect(await stored(server.url, 'early')).toBe('stonemason');
});

test('a document says that it is offline until the client is connected, and that it is joining until the code is there', async () => {
  await using server = await startServer();
  const client = createClient({ url: server.url, token: tokenFor('ada', { access: { '*': 'write' } }), onError: () => {} });
  const handle = client.document('waits');
  const heard: string[] = [];
  handle.on('status', ({ status, detail }) => heard.push(`${status} ${detail.state}`));
  const code = await asked();
  expect(handle.status.get()).toEqual({ state: 'offline' });
  await client.connect();
  expect(handle.status.get()).toEqual({ state: 'joining' });
  client.disconnect();
  expect(handle.status.get()).toEqual({ state: 'offline' });
  await client.connect();
  handle.disconnect();
  await until(handle.status, ({ state }) => state === 'offline');
  handle.connect();
  expect(heard).toEqual([
    'connecting joining',
    'disconnected offline',
    'connecting joining',
    'disconnected offline',
    'connecting joining',
  ]);
  code.come();
  await handle.whenSynced;
  client.destroy();
});

test('code that does not come is told once, with what waits for it, and asked for again until it does', async () => {
  await using server = await startServer();
  const reports: unknown[] = [];
  using ada = clientOf(server.url, 'ada', { onError: (error, context) => reports.push(`${context}: ${error}`) });
  const handle = ada.document('late');
  textOf(handle).insert(0, 'kept');
  (await asked()).fail();
  (await asked()).fail();
  const third = await asked();
  expect(reports).toEqual(['document late: AshlarError: A part of the page could not be loaded: what needs it waits']);
  expect(handle.status.get()).toMatchObject({ state: 'refused', error: { code: 'not-loaded', room: 'doc:late' } });
  expect(handle.status.get()).toMatchObject({ error: { cause: new Error('the file is gone') } });
  expect(handle.unsavedChanges.get()).toBe(1);
  await expect(handle.whenSynced).rejects.toMatchObject({ code: 'not-loaded' });
  const states: string[] = [];
  handle.on('status', ({ detail }) => states.push(detail.state));
  third.come();
  await handle.whenSaved();
  await handle.whenSynced;
  expect(states).toEqual(['joining', 'syncing', 'synced']);
  expect(await stored(server.url, 'late')).toBe('kept');
});

test('a document that is given up before its code came leaves nothing, and says so to who waits', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada', { warnBeforeUnload: false });
  const [handle, own] = [ada.document('gone'), new Y.Doc()];
  const awareness = new Awareness(own);
  const other = ada.document('own', { doc: own, awareness });
  const code = await asked();
  textOf(handle).insert(0, 'lost');
  const saved = handle.whenSaved();
  const { doc } = handle;
  const destroyed = vi.fn();
  doc.on('destroy', destroyed);
  ada.destroy();
  await expect(saved).rejects.toMatchObject({ code: 'client-closed' });
  expect(destroyed).toHaveBeenCalledTimes(1);
  code.come();
  await Promise.allSettled([handle.whenLoaded, other.whenLoaded]);
  // The caller's own is the caller's: nothing of it is touched, nothing listens to it.
  own.getText('text').insert(0, 'mine');
  expect(other.unsavedChanges.get()).toBe(0);
  expect(awareness.getLocalState()).not.toBeNull();
  expect(arrivals).toEqual([]);
  awareness.destroy();
});

test('a document of the caller that held something before is saved as a whole, with what came while the code was on its way', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'before ');
  const handle = ada.document('whole', { doc });
  const code = await asked();
  doc.getText('text').insert(0, 'since ');
  code.come();
  await handle.whenSaved();
  expect(await stored(server.url, 'whole')).toBe('since before ');
});

test('who hid before the code came is not there, and is again with the next handle', async () => {
  await using server = await startServer();
  using ada = clientOf(server.url, 'ada');
  const first = ada.document('seen');
  const code = await asked();
  first.awareness.setLocalState(null);
  const second = ada.document('seen');
  expect(second.awareness).toBe(first.awareness);
  expect(second.awareness.getLocalState()).toEqual({});
  second.awareness.setLocalStateField('pointer', 3);
  code.come();
  await second.whenSynced;
  expect(second.awareness.getLocalState()).toMatchObject({ pointer: 3, user: { id: 'ada' } });
});

test('[1] kept offline, what is edited before the code is there survives a reload without a connection', async () => {
  await using server = await startServer();
  const offlineStorage = new MemoryOfflineStorage();
  const options = {
    url: server.url,
    token: tokenFor('ada', { access: { '*': 'write' } }),
    onError: () => {},
    offlineStorage,
    userId: 'ada',
  };
  const page = createClient(options);
  const handle = page.document('kept', { offline: true });
  const code = await asked();
  let isLoaded = false;
  const loaded = handle.whenLoaded.then(() => {
    isLoaded = true;
  });
  textOf(handle).insert(0, 'stone');
  await Promise.resolve();
  expect(isLoaded).toBe(false);
  code.come();
  await loaded;
  page.destroy();
  const again = createClient(options);
  const next = again.document('kept', { offline: true });
  (await asked()).come();
  await next.whenLoaded;
  expect(textOf(next).toString()).toBe('stone');
  expect(next.unsavedChanges.get()).toBe(1);
  await again.connect();
  await next.whenSaved();
  again.destroy();
  expect(await stored(server.url, 'kept')).toBe('stone');
});

test('[4] edits of one user whose code comes only when another has signed in are never saved as the other’s', async () => {
  await using server = await startServer();
  using client = clientOf(server.url, 'ada');
  await client.connect();
  const handle = client.document('early');
  const code = await asked();
  textOf(handle).insert(0, 'ada');
  const reset = new Promise<ResetEvent>((resolve) => handle.on('reset', resolve));
  client.disconnect();
  await client.connect({ token: tokenFor('ben', { access: { '*': 'write' }, name: 'ben' }) });
  code.come();
  expect(await reset).toMatchObject({ reason: 'other-user', restoring: false, unsaved: expect.any(Uint8Array) });
  await handle.whenSynced;
  expect(textOf(handle).toString()).toBe('');
  expect(await stored(server.url, 'early')).toBe('');
});
