import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { written } from '../support/kept-edits.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { startServer, type TestServer, type TokenOptions, tokenFor } from '../support/start-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let browser: Browser;
let pages: PageServer;
beforeAll(async () => {
  [browser, pages] = await Promise.all([
    launchBrowser(),
    startPageServer({ notes: 'test/browser/pages/notes.ts', strict: 'test/browser/pages/strict.tsx' }),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await pages?.[Symbol.asyncDispose]();
});

interface Network extends AsyncDisposable {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  /** Neither the realtime server nor whoever hands out tokens can be reached, until `mend`. */
  cut(): void;
  mend(): void;
  /** A browser profile. */
  profile(): Promise<BrowserContext>;
}

/** Users whose product keeps their token in the browser. */
const remembered = new Set(['ben']);

/** A realtime server behind a network that fails when told. */
async function startNetwork(users: Readonly<Record<string, TokenOptions>> = {}): Promise<Network> {
  const server = await startServer({ allowedOrigins: [pages.url] });
  const proxy = await startTcpProxy(server.url);
  const contexts: BrowserContext[] = [];
  let gone = false;
  return {
    server,
    proxy,
    cut() {
      gone = true;
      proxy.cut();
    },
    mend() {
      gone = false;
      proxy.mend();
    },
    async profile() {
      const context = await browser.newContext();
      contexts.push(context);
      context.setDefaultTimeout(30_000);
      await context.exposeFunction('fetchToken', (user: string) => {
        if (gone && !remembered.has(user)) throw new Error('no network');
        return tokenFor(user, users[user] ?? {});
      });
      return context;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(contexts.map((context) => context.close()));
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function open(
  { proxy }: Network,
  context: BrowserContext,
  user: string,
  { name = 'notes', script = 'notes', knowsUser = false } = {},
) {
  const page = await context.newPage();
  const query = new URLSearchParams({ server: proxy.url, user, name, ...(knowsUser ? { userId: user } : {}) });
  await page.goto(`${pages.url}/${script}?${query}`);
  return page;
}

const says = (page: Page, label: string, text: string | RegExp) =>
  page.getByRole('status', { name: label }).filter({ hasText: text }).waitFor();
const synced = (page: Page) => says(page, 'Document', 'synced');
const saved = (page: Page) => says(page, 'Saving', /^saved$/);
const loaded = (page: Page) => says(page, 'Kept', /^loaded/);
/** It found the server gone, twice. */
const offline = (page: Page) => says(page, 'Connection', /^reconnecting ([2-9]|\d\d)/);
const field = (page: Page) => page.locator('textarea');
const textOf = (page: Page) => field(page).inputValue();
const shows = (page: Page, text: string) => expect.poll(() => textOf(page), { timeout: 30_000 }).toBe(text);
const shown = (page: Page) => page.evaluate(() => window.shown);

async function type(page: Page, text: string, at: 'Home' | 'End' = 'End'): Promise<void> {
  await field(page).focus();
  await page.keyboard.press(`Control+${at}`);
  await page.keyboard.type(text);
}

/** Reloads a page that asks first whether to leave it. */
async function reload(page: Page): Promise<void> {
  const asked = new Promise<string>((resolve) =>
    page.once('dialog', (dialog) => {
      resolve(dialog.type());
      void dialog.accept();
    }),
  );
  await page.reload();
  expect(await asked).toBe('beforeunload');
}

test('[2] a page edits offline, is reloaded offline and edits again: back online all of it reaches the server once, and everybody', async () => {
  await using network = await startNetwork();
  const page = await open(network, await network.profile(), 'ada');
  await synced(page);
  await type(page, 'online. ');
  await saved(page);

  network.cut();
  await says(page, 'Connection', 'reconnecting');
  await type(page, 'offline. ');
  await says(page, 'Saving', /^offline/);
  expect(await written(page)).toBeGreaterThan(0);
  await reload(page);
  await loaded(page);
  expect(await textOf(page)).toBe('online. offline. ');
  await offline(page);
  await type(page, 'Again ', 'Home');
  expect(await written(page)).toBeGreaterThan(0);
  await reload(page);
  await loaded(page);
  expect(await textOf(page)).toBe('Again online. offline. ');
  await type(page, 'and at last.');

  network.mend();
  await synced(page);
  await saved(page);
  const all = 'Again online. offline. and at last.';
  expect(await textOf(page)).toBe(all);
  const other = await open(network, await network.profile(), 'chloe');
  await synced(other);
  expect(await textOf(other)).toBe(all);
  // Both ways, from here on.
  await type(other, '!');
  await shows(page, `${all}!`);

  // Nothing is sent again by the next page.
  await page.reload();
  await synced(page);
  await saved(page);
  expect(await written(page)).toBe(0);
  expect(await textOf(page)).toBe(`${all}!`);
  expect(await textOf(other)).toBe(`${all}!`);
}, 60_000);

test('a page that was never online opens a new document, and what is written there arrives later', async () => {
  await using network = await startNetwork();
  const page = await open(network, await network.profile(), 'ada', { name: 'first' });
  await synced(page);
  network.cut();
  await says(page, 'Connection', 'reconnecting');
  const fresh = await open(network, page.context(), 'ada', { name: 'second' });
  await loaded(fresh);
  await type(fresh, 'made offline');
  expect(await written(fresh)).toBeGreaterThan(0);
  await fresh.close();
  network.mend();
  const next = await open(network, page.context(), 'ada', { name: 'second' });
  await synced(next);
  await saved(next);
  const other = await open(network, await network.profile(), 'chloe', { name: 'second' });
  await synced(other);
  expect(await textOf(other)).toBe('made offline');
}, 60_000);

test('two tabs of one user see each other’s edits with the network cut, and all of it arrives once', async () => {
  await using network = await startNetwork();
  const context = await network.profile();
  const [left, right] = [await open(network, context, 'ada'), await open(network, context, 'ada')];
  await Promise.all([synced(left), synced(right)]);
  await type(left, 'both. ');
  await shows(right, 'both. ');
  await saved(left);

  network.cut();
  await Promise.all([left, right].map((page) => says(page, 'Connection', 'reconnecting')));
  await type(left, 'left. ');
  await shows(right, 'both. left. ');
  await type(right, 'right.');
  await shows(left, 'both. left. right.');
  // One that is opened now sees it too, and one that is closed now sends nothing any more.
  expect(await written(left)).toBeGreaterThan(0);
  await left.close();
  const late = await open(network, context, 'ada');
  await shows(late, 'both. left. right.');

  network.mend();
  await Promise.all([right, late].map((page) => synced(page).then(() => saved(page))));
  const other = await open(network, await network.profile(), 'chloe');
  await synced(other);
  for (const page of [right, late, other]) expect(await textOf(page)).toBe('both. left. right.');
}, 60_000);

test('[4] another user of the same browser never sees what is kept for the first, and signing out deletes it', async () => {
  await using network = await startNetwork({ ben: { access: { 'doc:notes': 'none' } } });
  const context = await network.profile();
  const ada = await open(network, context, 'ada');
  await synced(ada);
  await type(ada, 'dear diary. ');
  await saved(ada);
  network.cut();
  await says(ada, 'Connection', 'reconnecting');
  await type(ada, 'a secret');
  expect(await written(ada)).toBeGreaterThan(0);
  await ada.close();

  // Ben's token is at hand and the server is not: then it may not have been asked yet, and refuses later.
  const ben = await open(network, context, 'ben');
  await offline(ben);
  network.mend();
  await says(ben, 'Document', 'refused');
  expect(await shown(ben)).toEqual([]);
  // From here on he is the one whom the server knew last.
  network.cut();
  await ben.reload();
  await loaded(ben);
  await offline(ben);
  expect(await textOf(ben)).toBe('');
  expect(await shown(ben)).toEqual([]);
  network.mend();
  await says(ben, 'Document', 'refused');
  expect(await shown(ben)).toEqual([]);
  await ben.close();

  // What was hers is still hers, once the server says that it is she.
  const again = await open(network, context, 'ada');
  await synced(again);
  await saved(again);
  expect(await textOf(again)).toBe('dear diary. a secret');
  network.cut();
  await says(again, 'Connection', 'reconnecting');
  await type(again, ', unsaved');
  expect(await written(again)).toBeGreaterThan(0);
  await again.getByRole('button', { name: 'Sign out' }).click();
  await says(again, 'Kept', 'cleared');
  const names = () => again.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect((await names()).filter((name) => name?.startsWith('ashlar:'))).toEqual([]);
  await again.close();
  const empty = await open(network, context, 'ada');
  await offline(empty);
  expect(await shown(empty)).toEqual([]);
  network.mend();
  await synced(empty);
  expect(await textOf(empty)).toBe('dear diary. a secret');
}, 60_000);

test('[4] a page that knows its user shows nobody else’s document while nobody can say whose token it has', async () => {
  await using network = await startNetwork();
  const context = await network.profile();
  const ada = await open(network, context, 'ada', { knowsUser: true });
  await synced(ada);
  await type(ada, 'dear diary');
  await saved(ada);
  network.cut();
  await ada.close();

  const chloe = await open(network, context, 'chloe', { knowsUser: true });
  await says(chloe, 'Kept', 'loaded nothing');
  await offline(chloe);
  expect(await shown(chloe)).toEqual([]);
  const again = await open(network, context, 'ada', { knowsUser: true });
  await says(again, 'Kept', /^loaded$/);
  expect(await textOf(again)).toBe('dear diary');
}, 60_000);

test('a provider in React’s StrictMode connects once: the server sees one socket', async () => {
  await using network = await startNetwork();
  const context = await network.profile();
  const complaints: string[] = [];
  context.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  const opened: string[] = [];
  context.on('page', (page) => page.on('websocket', (socket) => opened.push(socket.url())));
  const page = await open(network, context, 'ada', { script: 'strict' });
  await says(page, 'Connection', 'connected');
  await page.getByRole('button', { name: 'Write' }).click();
  await saved(page);
  await page.getByText('clicked.').waitFor();
  expect(network.proxy.accepted).toBe(1);
  expect(opened).toHaveLength(1);
  expect(network.server.realtime.getStats()).toMatchObject({ totalConnections: 1, totalUsers: 1 });
  expect(complaints).toEqual([]);
}, 60_000);

test('parts of the SDK that do not come at first are asked for again: what was typed meanwhile is saved, and the page is not reloaded', async () => {
  await using network = await startNetwork();
  const context = await network.profile();
  const gone = { requests: 0 };
  const later = /\/(live-document|offline-documents)-\w+\.js/;
  await context.route(later, (route) => {
    gone.requests++;
    return route.abort();
  });
  const page = await open(network, context, 'ada');
  await says(page, 'Document', 'refused');
  await says(page, 'Kept', 'A part of the page could not be loaded');
  await type(page, 'typed meanwhile');
  await says(page, 'Saving', 'refused');
  expect(gone.requests).toBeGreaterThan(1);
  await context.unroute(later);
  await synced(page);
  await saved(page);
  // Kept, too.
  expect(await written(page)).toBe(0);
  network.cut();
  await says(page, 'Connection', 'reconnecting');
  await type(page, ', and offline');
  expect(await written(page)).toBeGreaterThan(0);
  await reload(page);
  await loaded(page);
  expect(await textOf(page)).toBe('typed meanwhile, and offline');
});
