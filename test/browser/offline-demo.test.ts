import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { saved, saving, textOf } from '../support/browser.ts';
import { browserDemo } from '../support/browser-demo.ts';
import { refusedKept, written } from '../support/kept-edits.ts';
import { ROOT } from '../support/source-tree.ts';

const site = browserDemo();

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const go = (page: Page, hash: string) => page.evaluate((to) => Object.assign(window.location, { hash: to }), hash);
const cut = (page: Page) => page.getByRole('button', { name: 'Cut my connection' }).click();
const reconnect = (page: Page) => page.getByRole('button', { name: 'Reconnect' }).click();
const connected = (page: Page) => page.getByRole('status', { name: 'Connection' }).getByText('Connected').waitFor();
const sheet = (page: Page, title: string) => page.getByRole('textbox', { name: title, exact: true });
const card = (page: Page, column: string, title: string) =>
  page.getByRole('region', { name: new RegExp(`^${column}`) }).getByRole('button', { name: title, exact: true });
const databases = (page: Page) =>
  page.evaluate(async () =>
    (await indexedDB.databases()).map(({ name }) => name ?? '').filter((name) => name.startsWith('ashlar:')),
  );

async function write(page: Page, text: string): Promise<void> {
  await page.locator('.prose p').last().click();
  // Also of a paragraph of several lines.
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
}

/** Loads the page once more, once its edits are on disk, though it asks whether to leave it. */
async function reload(page: Page): Promise<void> {
  expect(await written(page)).toBeGreaterThan(0);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.reload();
}

/** Plays the service worker that the demo has none of: its files are there without a server. */
async function keepFiles(page: Page): Promise<void> {
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    const file = join(ROOT, 'demo/dist', pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return route.continue();
    return route.fulfill({ body: readFileSync(file), contentType: TYPES[extname(file)] ?? 'text/html' });
  });
}

/** Signs in by the name picker: an inner frame's address has no sign-out. */
async function signIn(name: RegExp) {
  const context = await site.browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByRole('button', { name }).click();
  await connected(page);
  return { page, [Symbol.asyncDispose]: () => context.close() };
}

test('[2] what is written while cut is there after looking elsewhere, and after a reload reaches everybody, whatever page is open', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-launch' });
  await using ben = await site.visit('ben', { place: '#/pages/page-launch' });
  await sheet(anna.page, 'Launch plan').getByText('Who answers').waitFor();
  await ben.page.getByRole('list', { name: 'In this document' }).getByRole('img', { name: 'Anna Lindqvist' }).waitFor();
  await go(anna.page, '#/board');
  await card(anna.page, 'To do', 'Terms of delivery').waitFor();
  // It is held open, and she is not in it.
  await ben.page.getByText('Only you are here').waitFor();
  await go(anna.page, '#/pages/page-launch');
  const tab = await anna.context.newPage();
  await tab.goto(`${site.demo.url}/?as=anna#/pages/page-launch`);
  await sheet(tab, 'Launch plan').getByText('Who answers').waitFor();
  await cut(tab);
  await cut(anna.page);
  await write(anna.page, ' Written while cut.');
  // What the other tab wrote is the other's to save.
  await sheet(tab, 'Launch plan').getByText('Written while cut.').waitFor();
  await saving(tab).getByText('No unsaved changes in this tab').waitFor();
  await tab.close();
  for (const view of ['#/dashboard', '#/board']) {
    await go(anna.page, view);
    await saving(anna.page).getByText('Changes not saved yet').waitFor();
  }
  await card(anna.page, 'To do', 'Terms of delivery').focus();
  await anna.page.keyboard.press('ArrowRight');
  await card(anna.page, 'Doing', 'Terms of delivery').waitFor();
  await go(anna.page, '#/pages/page-launch');
  await sheet(anna.page, 'Launch plan').getByText('Written while cut.').waitFor();
  await go(anna.page, '#/board');
  await card(anna.page, 'Doing', 'Terms of delivery').waitFor();
  await writeMeanwhile(ben.page);
  expect(await textOf(ben.page)).not.toContain('Written while cut.');

  // On the dashboard no document is open.
  await go(anna.page, '#/dashboard');
  await reload(anna.page);
  await sheet(ben.page, 'Launch plan').getByText('Written while cut.').waitFor();
  await go(ben.page, '#/board');
  await card(ben.page, 'Doing', 'Terms of delivery').waitFor();
  for (const { page } of [anna, ben]) {
    await go(page, '#/pages/page-launch');
    await saved(page);
  }
  await expect.poll(() => textOf(anna.page)).toContain('Ben meanwhile.');
  expect(await textOf(ben.page)).toBe(await textOf(anna.page));
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 60_000);

async function writeMeanwhile(page: Page): Promise<void> {
  await page.locator('.prose > p').first().click();
  await page.keyboard.press('End');
  await page.keyboard.type(' Ben meanwhile.');
  await saved(page);
}

test('a page that this device never loaded says so while cut, and opens on return; one made while cut can be written at once', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-welcome' });
  await using ben = await site.visit('ben');
  const { page } = anna;
  await sheet(page, 'Welcome').waitFor();
  await cut(page);
  await go(page, '#/pages/page-handbook');
  await page.getByText('This page has not been loaded on this device yet.').waitFor();
  expect(await page.locator('.prose').count()).toBe(0);
  await page.getByRole('button', { name: 'New page' }).click();
  await page.getByRole('textbox', { name: 'Title of the new page' }).fill('Made while cut');
  await page.keyboard.press('Enter');
  await sheet(page, 'Made while cut').waitFor();
  await write(page, 'Its first words.');
  await go(page, '#/pages/page-handbook');
  await page.getByText('This page has not been loaded on this device yet.').waitFor();
  await reconnect(page);
  await sheet(page, 'Company handbook').getByText('Everybody reads').waitFor();
  await ben.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Made while cut' }).click();
  await sheet(ben.page, 'Made while cut').getByText('Its first words.').waitFor();
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
});

test('a person beside a second person in one browser finds the pages that were open before, when cut', async () => {
  await using anna = await signIn(/Anna Lindqvist/);
  const { page } = anna;
  await sheet(page, 'Welcome').waitFor();
  await go(page, '#/pages/page-launch');
  await sheet(page, 'Launch plan').waitFor();
  await page.getByRole('button', { name: 'Second person' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('textbox', { name: 'Launch plan' }).waitFor();
  await page.getByRole('button', { name: 'Cut my connection' }).first().click();
  await go(page, '#/pages/page-welcome');
  await sheet(page, 'Welcome').getByText('Things to try').waitFor();
  await write(page, ' Beside somebody.');
  await go(page, '#/pages/page-launch');
  await go(page, '#/pages/page-welcome');
  await sheet(page, 'Welcome').getByText('Beside somebody.').waitFor();
});

test('without a server a reload shows a person’s own pages, whoever else used this browser last', async () => {
  await using anna = await signIn(/Anna Lindqvist/);
  const { page } = anna;
  await keepFiles(page);
  await sheet(page, 'Welcome').getByText('Start a job').waitFor();
  await page.getByRole('button', { name: 'Second person' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('textbox', { name: 'Welcome' }).getByText('Start a job').waitFor();
  await site.demo.kill();
  await write(page, ' Of Anna.');
  await reload(page);
  await sheet(page, 'Welcome').getByText('Of Anna.').waitFor();
  await site.demo.restart();
  await connected(page);
}, 60_000);

/** Says no to whatever the page asks. @returns the questions so far */
function refuseDialogs(page: Page): readonly string[] {
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  return asked;
}

test('signing out asks about unsaved edits of any page, takes no for an answer, and deletes what was kept', async () => {
  await using anna = await signIn(/Anna Lindqvist/);
  const { page } = anna;
  const asked: string[] = [];
  let answer: 'accept' | 'dismiss' = 'dismiss';
  page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    void dialog[answer]();
  });
  const signOut = () => page.getByRole('button', { name: 'Sign out Anna Lindqvist' }).click();
  await go(page, '#/board');
  await card(page, 'To do', 'Translate the product texts').waitFor();
  await go(page, '#/pages/page-welcome');
  await sheet(page, 'Welcome').waitFor();
  await cut(page);
  // A message that waits is lost as well; and whoever clicks twice is asked once.
  await page.getByRole('textbox', { name: 'Message' }).fill('not sent yet');
  await page.keyboard.press('Enter');
  await page.getByText('not sent yet').waitFor();
  await page.getByRole('button', { name: 'Sign out Anna Lindqvist' }).dblclick();
  await expect.poll(() => asked).toEqual(['Some changes are not saved yet, and would be lost (the chat). Sign out?']);
  await page.getByText('not sent yet').waitFor();
  asked.length = 0;
  await go(page, '#/board');
  await card(page, 'To do', 'Translate the product texts').focus();
  await page.keyboard.press('ArrowRight');
  await card(page, 'Doing', 'Translate the product texts').waitFor();
  // Nothing is unsaved on the page that is open now.
  await go(page, '#/pages/page-welcome');
  await sheet(page, 'Welcome').waitFor();
  await signOut();
  await expect.poll(() => asked).toEqual(['Some changes are not saved yet, and would be lost (Board, the chat). Sign out?']);
  await sheet(page, 'Welcome').waitFor();
  expect((await databases(page)).length).toBeGreaterThan(0);

  await page.getByRole('button', { name: 'Second person' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('textbox', { name: 'Welcome' }).getByText('Things to try').waitFor();
  await frame.getByRole('button', { name: 'Cut my connection' }).click();
  await frame.locator('.prose > p').first().click();
  await page.keyboard.type('Ben too. ');
  await frame.getByRole('status', { name: 'Saving' }).getByText('not saved yet').waitFor();
  answer = 'accept';
  await signOut();
  await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  expect(asked[1]).toBe('Some changes are not saved yet, and would be lost (Board, Welcome, the chat). Sign out?');
  await expect.poll(() => databases(page)).toEqual([]);
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  // What was given up is asked about no more.
  await page.reload();
  await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  expect(asked).toHaveLength(2);

  await page.getByRole('button', { name: /Anna Lindqvist/ }).click();
  await connected(page);
  await go(page, '#/board');
  await card(page, 'To do', 'Translate the product texts').waitFor();
  await signOut();
  await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  expect(asked).toHaveLength(2);
}, 60_000);

test('signing out asks about edits that another tab of the browser has not saved, also once that is closed, until they are saved', async () => {
  await using anna = await signIn(/Anna Lindqvist/);
  const { page } = anna;
  const asked = refuseDialogs(page);
  const signOut = () => page.getByRole('button', { name: 'Sign out Anna Lindqvist' }).click();
  const tab = await page.context().newPage();
  await tab.goto(`${site.demo.url}/#/pages/page-welcome`);
  await tab.getByRole('button', { name: /Anna Lindqvist/ }).click();
  await connected(tab);
  const change = async () => {
    await cut(tab);
    await write(tab, ' Elsewhere.');
    await saving(tab).getByText('not saved yet').waitFor();
  };
  await change();
  await signOut();
  const question = 'Some changes are not saved yet, and would be lost (Welcome in another tab). Sign out?';
  await expect.poll(() => asked).toEqual([question]);
  await reconnect(tab);
  await saved(tab);
  await change();
  await signOut();
  await expect.poll(() => asked).toEqual([question, question]);
  await reconnect(tab);
  await saved(tab);
  await change();
  expect(await written(tab)).toBeGreaterThan(0);
  await tab.close();
  await signOut();
  await expect.poll(() => asked).toEqual([question, question, question]);
  // What it left is sent by the next page that opens the document.
  await page.reload();
  await connected(page);
  await expect.poll(() => written(page)).toBe(0);
  await saved(page);
  await signOut();
  await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  expect(asked).toHaveLength(3);
});

test('signing out asks about refused edits that another tab of the same person has kept, also once that is closed, until they are given up', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-launch' });
  await anna.page.getByRole('button', { name: 'Share' }).click();
  const share = anna.page.getByRole('group', { name: 'Chloé Martin' });
  const allow = async (level: 'may read' | 'may edit') => {
    await share.getByRole('button', { name: level }).click();
    await share.locator('[aria-pressed=true]', { hasText: level }).waitFor();
  };
  await using chloe = await signIn(/Chloé Martin/);
  const { page } = chloe;
  const asked = refuseDialogs(page);
  const signOut = () => page.getByRole('button', { name: 'Sign out Chloé Martin' }).click();
  // This tab has the page open as well: it was read before the other's edits were refused.
  await go(page, '#/pages/page-launch');
  await sheet(page, 'Launch plan').getByText('Who answers').waitFor();
  const tab = await page.context().newPage();
  await tab.goto(`${site.demo.url}/#/pages/page-launch`);
  await tab.getByRole('button', { name: /Chloé Martin/ }).click();
  await sheet(tab, 'Launch plan').getByText('Who answers').waitFor();
  await cut(tab);
  await write(tab, ' Refused.');
  await allow('may read');
  await reconnect(tab);
  const told = (of: Page) => of.getByRole('alert').filter({ hasText: /could not be saved|was not saved/ });
  await told(tab).waitFor();
  await expect.poll(() => refusedKept(tab)).toBe(1);
  await signOut();
  // The tabs start over together: this one offers the edits too, unless it was faster than the other kept them.
  const question = expect.stringMatching(
    /^Some changes are not saved yet, and would be lost \(Launch plan( in another tab)?\)\. Sign out\?$/,
  );
  await expect.poll(() => asked).toEqual([question]);
  await tab.close();
  await signOut();
  await expect.poll(() => asked).toEqual([question, question]);
  // To ask costs nothing of what is kept.
  expect(await refusedKept(page)).toBe(1);
  await page.reload();
  await told(page).getByRole('button', { name: 'Close' }).click();
  await expect.poll(() => refusedKept(page)).toBe(0);
  await signOut();
  await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  expect(asked).toHaveLength(2);
  await allow('may edit');
}, 60_000);

test('edits that the server takes no more, sent after a reload, are offered for download where they were made, until that is closed', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-launch' });
  await using chloe = await site.visit('chloe', { place: '#/pages/page-launch' });
  const { page } = chloe;
  await sheet(page, 'Launch plan').getByText('Who answers').waitFor();
  await cut(page);
  await write(page, ' Too late.');
  await anna.page.getByRole('button', { name: 'Share' }).click();
  const share = anna.page.getByRole('group', { name: 'Chloé Martin' });
  await share.getByRole('button', { name: 'may read' }).click();
  await share.locator('[aria-pressed=true]', { hasText: 'may read' }).waitFor();
  await go(page, '#/dashboard');
  await reload(page);
  await connected(page);
  await expect.poll(() => page.evaluate(() => window.unsavedDocuments?.())).toEqual(['page-launch']);
  await go(page, '#/pages/page-launch');
  const told = page.getByRole('alert').filter({ hasText: /could not be saved|was not saved/ });
  await told.waitFor();
  expect(await textOf(page)).not.toContain('Too late.');
  const download = told.getByRole('button', { name: 'Download as text' });
  const [file] = await Promise.all([page.waitForEvent('download'), download.click()]);
  expect(file.suggestedFilename()).toBe('Launch plan.md');
  const text = readFileSync(await file.path(), 'utf8');
  expect(text).toMatch(/^# Launch plan\n\nThe new shop [\s\S]+\n\n## Decided\n\n- Delivery [\s\S]+ Too late\.\n$/);
  await told.getByRole('button', { name: 'Close' }).press('Enter');
  await told.waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Launch plan');
  expect(await page.evaluate(() => window.unsavedDocuments?.())).toEqual([]);
  await expect.poll(() => refusedKept(page)).toBe(0);
  await page.reload();
  await sheet(page, 'Launch plan').getByText('Who answers').waitFor();
  await page.getByText('You may only read this page').waitFor();
  expect(await told.count()).toBe(0);
  await share.getByRole('button', { name: 'may edit' }).click();
  await page.getByRole('toolbar').waitFor();

  // Once more on one visit: that one may no longer edit is said for as long as it is so.
  await cut(page);
  await write(page, ' Later still.');
  await share.getByRole('button', { name: 'may read' }).click();
  await share.locator('[aria-pressed=true]', { hasText: 'may read' }).waitFor();
  await reconnect(page);
  await told.filter({ hasText: 'You may no longer edit this.' }).waitFor();
  await saving(page).getByText('Not saved', { exact: true }).waitFor();
  const close = told.getByRole('button', { name: 'Close' });
  await close.focus();
  await share.getByRole('button', { name: 'may edit' }).click();
  await told.filter({ hasText: 'Earlier changes of yours could not be saved' }).waitFor();
  await saved(page);
  expect(await told.filter({ hasText: 'no longer' }).count()).toBe(0);
  expect(await close.evaluate((button) => button === document.activeElement)).toBe(true);
  await close.click();
  await told.waitFor({ state: 'detached' });
  expect([...anna.complaints(), ...chloe.complaints()]).toEqual([]);
}, 60_000);

test('[2] reloaded while the server is down, the page shows what it showed, takes edits, and all converges when the server is back', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-welcome', mayLoseServer: true });
  const { page } = anna;
  await keepFiles(page);
  await sheet(page, 'Welcome').getByText('Start a job').waitFor();
  await site.demo.kill();
  await write(page, ' Server down.');
  await reload(page);
  await sheet(page, 'Welcome').getByText('Server down.').waitFor();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Launch plan' }).waitFor();
  await write(page, ' Reloaded.');
  await page.getByRole('status', { name: 'Saving' }).getByText('not saved yet').waitFor();
  await site.demo.restart();
  await connected(page);
  await saved(page);
  await using ben = await site.visit('ben', { place: '#/pages/page-welcome' });
  await sheet(ben.page, 'Welcome').getByText('Server down. Reloaded.').waitFor();
  await expect.poll(() => textOf(page)).toBe(await textOf(ben.page));
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 60_000);

test('a connection that was cut is there again for whoever signs in next', async () => {
  await using anna = await signIn(/Anna Lindqvist/);
  const { page } = anna;
  await connected(page);
  await page.getByRole('button', { name: 'Cut my connection' }).click();
  await page.getByRole('button', { name: 'Reconnect' }).waitFor();
  await page.getByRole('button', { name: 'Sign out Anna Lindqvist' }).click();
  await page.getByRole('button', { name: /Ben Okafor/ }).click();
  await connected(page);
});
