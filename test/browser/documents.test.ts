import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { saved, textOf, visit } from '../support/browser.ts';
import { browserDemo } from '../support/browser-demo.ts';
import { startDemoInProcess } from '../support/demo-in-process.ts';

const site = browserDemo();

const editor = (page: Page) => page.locator('.prose');
const toTheEnd = async (page: Page) => {
  await editor(page).locator('> :last-child').click();
  await page.keyboard.press('Control+End');
};

/** A page of its own, empty but for nobody's words, open for the first visitor. @returns its place */
async function newPage(page: Page, title: string): Promise<string> {
  await page.getByRole('button', { name: 'New page' }).click();
  await page.getByRole('textbox', { name: 'Title of the new page' }).fill(title);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: title, exact: true }).waitFor();
  return new URL(page.url()).hash;
}

test('who may only read and is the first on a page that ends in a list reads it, and nothing is said of edits; a look alone is none of a writer’s either', async () => {
  await using emil = await site.visit('emil', { place: '#/pages/page-welcome' });
  await emil.page.getByText('You may only read this page').waitFor();
  await emil.page.getByText('Start a job on the dashboard').waitFor();
  await saved(emil.page);
  await using anna = await site.visit('anna', { place: '#/pages/page-welcome' });
  await anna.page.getByText('Start a job on the dashboard').waitFor();
  await editor(anna.page).locator('p').first().click();
  await anna.page.locator('.prose:focus').waitFor();
  expect(await anna.page.getByRole('button', { name: 'Undo' }).isEnabled()).toBe(false);
  expect((await emil.page.getByRole('alert').allInnerTexts()).join('')).toBe('');
  expect([...emil.complaints(), ...anna.complaints()]).toEqual([]);
}, 40_000);

test('two people write in one page at once, see each other’s carets, and take back only what they wrote', async () => {
  await using anna = await site.visit('anna');
  const place = await newPage(anna.page, 'Together');
  await using ben = await site.visit('ben', { place });
  await ben.page.getByRole('textbox', { name: 'Together' }).click();
  await ben.page.keyboard.type('Ben was here. ');
  await anna.page.getByText('Ben was here.').waitFor();
  await anna.page.locator('.caret-name', { hasText: 'Ben Okafor' }).waitFor();
  await toTheEnd(anna.page);
  await Promise.all([anna.page.keyboard.type('Anna too. '), ben.page.keyboard.type('Again. ')]);
  await Promise.all([saved(anna.page), saved(ben.page)]);
  await expect.poll(() => textOf(ben.page)).toBe(await textOf(anna.page));
  const both = await textOf(anna.page);
  // Where two write at one place the editor may set a caret before the letter just typed: all letters are there, if not in their order.
  const letters = (text: string) => [...text.replaceAll(/\s/g, '')].sort().join('');
  expect(letters(both)).toBe(letters('Ben was here. Anna too. Again.'));

  // Each undo takes back a step of Ben's, until nothing of his is left.
  const undo = ben.page.getByRole('button', { name: 'Undo' });
  while (await undo.isEnabled()) await undo.click();
  await expect.poll(async () => letters(await textOf(anna.page))).toBe(letters('Anna too.'));
  expect(await textOf(ben.page)).toBe(await textOf(anna.page));
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 40_000);

test('who types is told of saving once, and that all is saved when they pause, not with each key', async () => {
  await using anna = await site.visit('anna');
  await newPage(anna.page, 'Calm');
  await editor(anna.page).click();
  await saved(anna.page);
  await anna.page.evaluate(() => {
    const state = document.querySelector('.save')!;
    const told: string[] = [];
    Object.assign(window, { told });
    new MutationObserver(() => told.push(state.textContent)).observe(state, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await anna.page.keyboard.type('not with each of these keys', { delay: 60 });
  await saved(anna.page);
  const told = await anna.page.evaluate(() => (window as unknown as { told: string[] }).told);
  expect(told).toEqual(['Saving…', 'All changes saved']);
  expect(anna.complaints()).toEqual([]);
}, 40_000);

test('[1] the server is killed while two people type: both converge without a reload, and nothing shown as saved is missing', async () => {
  await using anna = await site.visit('anna', { mayLoseServer: true });
  const place = await newPage(anna.page, 'Killed');
  await using ben = await site.visit('ben', { place, mayLoseServer: true });
  const pages = [anna.page, ben.page];
  for (const page of pages) await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  await editor(anna.page).click();
  await anna.page.keyboard.type('saved before ');
  await saved(anna.page);
  const shownAsSaved = (await textOf(anna.page)).trim();
  await editor(ben.page).click();
  const typing = Promise.all([
    anna.page.keyboard.type('anna goes on while the server dies ', { delay: 25 }),
    ben.page.keyboard.type('BEN GOES ON AS WELL AND NOTICES NOTHING ', { delay: 25 }),
  ]);
  await ben.page.getByText('anna goes').first().waitFor();
  await site.demo.kill();
  await typing;
  await site.demo.restart();
  await Promise.all(pages.map((page) => saved(page)));
  await Promise.all(pages.map((page) => page.getByRole('status', { name: 'Connection' }).getByText('Connected').waitFor()));
  await expect.poll(() => textOf(ben.page)).toBe(await textOf(anna.page));
  const letters = (text: string) => [...text.replace(/\s/g, '')].sort().join('');
  const text = await textOf(anna.page);
  expect(text.replace(/[A-Z]+ ?/g, '')).toContain('saved before');
  expect(letters(text)).toBe(
    letters(`${shownAsSaved}anna goes on while the server dies BEN GOES ON AS WELL AND NOTICES NOTHING`),
  );

  // A later joiner finds on the disk what both see.
  await using chloe = await site.visit('chloe', { place });
  await expect.poll(() => textOf(chloe.page)).toBe(text);
  for (const page of pages) expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
  expect([...anna.complaints(), ...ben.complaints(), ...chloe.complaints()]).toEqual([]);
}, 60_000);

test('on a phone the name at a caret near the right edge is whole, also after the phone is turned', async () => {
  await using anna = await site.visit('anna');
  const place = await newPage(anna.page, 'Edges');
  await using ben = await site.visit('ben', { place, size: { width: 390, height: 844 } });
  await ben.page.getByRole('textbox', { name: 'Edges' }).waitFor();
  await anna.page.getByRole('textbox', { name: 'Edges' }).click();
  const { page } = ben;
  const name = page.locator('.caret-name');
  /** How far the name, and the caret under it, are from the text's right edge, px. */
  const room = () =>
    name.evaluate((label) => {
      const edge = label.closest('.prose')!.getBoundingClientRect().right;
      return [label, label.parentElement!].map((element) => Math.round(edge - element.getBoundingClientRect().right));
    });
  const fits = () => expect.poll(async () => Math.min(...(await room()))).toBeGreaterThanOrEqual(0);
  await anna.page.keyboard.type('x');
  await name.waitFor();
  /** How far the name begins from its caret, px. */
  const shift = () =>
    name.evaluate((label) => Math.abs(label.getBoundingClientRect().x - label.parentElement!.getBoundingClientRect().x));
  // Over the caret where there is room.
  await expect.poll(shift).toBeLessThan(3);
  await anna.page.keyboard.type('n'.repeat(20));
  let atEdge = false;
  for (let letters = 0; letters < 60 && !atEdge; letters++) {
    const before = await textOf(page);
    await anna.page.keyboard.type('n');
    await expect.poll(() => textOf(page)).not.toBe(before);
    await fits();
    atEdge = ((await room())[1] ?? 0) < 40;
  }
  expect(atEdge).toBe(true);
  expect(await shift()).toBeGreaterThan(3);
  // The line stays as it is, and what is right of it does not.
  await page.setViewportSize({ width: 844, height: 390 });
  await expect.poll(shift).toBeLessThan(3);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits();
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
});

test('a reader sees that it is a page to read, and cannot type into it', async () => {
  await using ben = await site.visit('ben', { place: '#/pages/page-handbook' });
  await ben.page.getByText('You may only read this page').waitFor();
  await ben.page.getByText('Everybody reads').first().waitFor();
  const before = await textOf(ben.page);
  await editor(ben.page).click();
  await ben.page.keyboard.type('mine');
  expect(await textOf(ben.page)).toBe(before);
  expect(await editor(ben.page).getAttribute('contenteditable')).toBe('false');
  expect(await ben.page.getByRole('toolbar').count()).toBe(0);
  expect(ben.complaints()).toEqual([]);
});

test('who loses the right to edit while typing is told, and what was saved before stays', async () => {
  await using anna = await site.visit('anna');
  const place = await newPage(anna.page, 'Taken away');
  await using chloe = await site.visit('chloe', { place });
  await editor(chloe.page).click();
  await chloe.page.keyboard.type('kept. ');
  await saved(chloe.page);
  const typing = chloe.page.keyboard.type('and so on and so forth and more', { delay: 30 });
  await anna.page.getByText('and so on').waitFor();
  await anna.page.getByRole('button', { name: 'Share' }).click();
  await anna.page.getByRole('group', { name: 'Chloé Martin' }).getByRole('button', { name: 'may read' }).click();
  await chloe.page.getByText('You may only read this page').waitFor();
  await typing;
  await expect.poll(() => textOf(chloe.page)).toBe(await textOf(anna.page));
  expect(await textOf(anna.page)).toContain('kept. and so on');
  expect(anna.complaints()).toEqual([]);
  expect(chloe.complaints()).toEqual([]);
}, 40_000);

test('what becomes of refused edits is in sight at the end of a long page, too', async () => {
  await using anna = await site.visit('anna');
  const place = await newPage(anna.page, 'Long');
  await using chloe = await site.visit('chloe', { place, size: { width: 1280, height: 640 } });
  await editor(chloe.page).click();
  for (let line = 0; line < 40; line++) await chloe.page.keyboard.press('Enter');
  await chloe.page.keyboard.type('the end');
  await saved(chloe.page);
  await chloe.page.getByRole('button', { name: 'Cut my connection' }).click();
  await toTheEnd(chloe.page);
  await chloe.page.keyboard.type(', and after it');
  await anna.page.getByRole('button', { name: 'Share' }).click();
  await anna.page.getByRole('group', { name: 'Chloé Martin' }).getByRole('button', { name: 'may read' }).click();
  await saved(anna.page);
  await editor(chloe.page).locator('> :last-child').click();
  await chloe.page.getByRole('button', { name: 'Reconnect' }).click();
  const told = chloe.page.getByText('What you changed last was not saved.');
  await told.waitFor();
  const main = chloe.page.locator('main');
  await main.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  const [box, around] = [await told.boundingBox(), await main.boundingBox()];
  expect(box!.y).toBeGreaterThanOrEqual(around!.y);
}, 40_000);

test('a part of the app that does not load is told, and the page opens once it does', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  const later = /\/live-document-[\w-]+\.js/;
  await context.route(later, (route) => route.abort());
  await page.goto(site.demo.url);
  await page.getByRole('button', { name: /Anna/ }).click();
  await page.getByText('A part of this app did not load.').waitFor();
  // Said in one place, with one margin around it.
  expect(await page.locator('.empty .empty').count()).toBe(0);
  await context.unroute(later);
  await editor(page).waitFor();
  await saved(page);
  await context.close();
}, 40_000);

test('who is put out of a page and let in again goes on writing there, without a reload; and so does who was made a reader', async () => {
  await using anna = await site.visit('anna');
  const place = await newPage(anna.page, 'Given back');
  await using chloe = await site.visit('chloe', { place });
  await chloe.page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  const grant = (level: string) =>
    anna.page.getByRole('group', { name: 'Chloé Martin' }).getByRole('button', { name: level }).click();
  const write = async (text: string) => {
    await toTheEnd(chloe.page);
    await chloe.page.keyboard.type(text);
    await saved(chloe.page);
  };
  await write('before. ');
  await anna.page.getByRole('button', { name: 'Share' }).click();
  await grant('no access');
  await chloe.page.getByText('This page is not open to you.').waitFor();
  const focused = () =>
    chloe.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
  await expect.poll(focused).toBe('This page is not open to you.');
  for (const untrue of ['Only you are here', 'Also here']) expect(await chloe.page.getByText(untrue).count()).toBe(0);
  await grant('may edit');
  await chloe.page.getByRole('toolbar').waitFor();
  await expect.poll(focused).toBe('Given back');
  await chloe.page.keyboard.type('let in. ');
  await saved(chloe.page);
  await grant('may read');
  await chloe.page.getByText('You may only read this page').waitFor();
  await grant('may edit');
  await chloe.page.getByRole('toolbar').waitFor();
  await write('writer again.');
  await expect.poll(() => textOf(anna.page)).toMatch(/^(before\. let in\. |let in\. before\. )writer again\.$/);
  expect(await chloe.page.evaluate(() => 'neverReloaded' in window)).toBe(true);
  expect([...anna.complaints(), ...chloe.complaints()]).toEqual([]);
}, 40_000);

test('who has a page open that is deleted is told so and can type no more, and who opens it is told, too', async () => {
  await using demo = await startDemoInProcess();
  await using anna = await visit(site.browser, demo.url, 'anna');
  const { page } = anna;
  const place = await newPage(page, 'Short-lived');
  await editor(page).click();
  await page.keyboard.type('All of this was saved.');
  await saved(page);
  await demo.realtime.documents.delete(place.replace('#/pages/', ''));
  const told = page.getByRole('alert').filter({ hasText: 'You can no longer edit this: it was deleted.' });
  await told.waitFor();
  await expect.poll(() => editor(page).getAttribute('contenteditable')).toBe('false');
  expect(await textOf(page)).toContain('All of this was saved.');
  await told.getByRole('button', { name: 'Close' }).click();
  await told.waitFor({ state: 'detached' });

  await page.evaluate((hash) => Object.assign(window.location, { hash }), '#/board');
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  await page.evaluate((hash) => Object.assign(window.location, { hash }), place);
  await page.getByText('This page cannot be opened: it was deleted.').waitFor();
  expect(await page.getByRole('textbox', { name: 'Short-lived' }).count()).toBe(0);
  expect(anna.complaints()).toEqual([]);
}, 40_000);

test('a page that does not exist says so, with a way back, and an empty one says what it is for', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-nowhere' });
  const { page } = anna;
  const nowhere = page.getByRole('heading', { name: 'This page does not exist' });
  await nowhere.waitFor();
  // Nor do those whose documents are closed to people, or whose names no document can have.
  for (const id of ['backend-access', '..', 'a*', 'x'.repeat(200)]) {
    await page.evaluate((hash) => Object.assign(window.location, { hash }), '#/dashboard');
    await nowhere.waitFor({ state: 'detached' });
    await page.evaluate((hash) => Object.assign(window.location, { hash }), `#/pages/${id}`);
    await nowhere.waitFor();
  }
  for (const role of ['textbox', 'toolbar'] as const) expect(await page.locator('main').getByRole(role).count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Share' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Go to “Welcome”' }).click();
  await page.getByRole('textbox', { name: 'Welcome' }).waitFor();
  expect(await page.getByRole('heading', { name: 'Welcome' }).count()).toBe(1);
  await newPage(page, 'Empty');
  const placeholder = () =>
    editor(page)
      .locator('p')
      .evaluate((line) => getComputedStyle(line, '::before').content);
  await expect.poll(placeholder).toBe('"Write something…"');
  await page.keyboard.type('w');
  await expect.poll(placeholder).toBe('none');
  expect(anna.complaints()).toEqual([]);
});
