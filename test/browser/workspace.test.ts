import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from '../support/browser.ts';
import { browserDemo } from '../support/browser-demo.ts';

const site = browserDemo();

test('a missing Chromium is told in one sentence that names the command which installs it', () => {
  expect(() => findChromium('/nowhere')).toThrow(/^The browser tests need Chromium.*apt-get install .*chromium$/);
});

test('a visitor picks a name, is that person, and stays so after a reload', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByText('Development only').waitFor();
  await page.getByRole('button', { name: /Chloé Martin/ }).click();
  await page.getByRole('img', { name: 'Chloé Martin (you)' }).waitFor();
  await page.reload();
  await page.getByRole('img', { name: 'Chloé Martin (you)' }).waitFor();
  await context.close();
});

test('a second person in an inner frame sees what the first one writes, and is one of those online', async () => {
  const context = await site.browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByRole('button', { name: /Anna Lindqvist/ }).click();
  await page.getByRole('button', { name: 'Second person' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('textbox', { name: 'Welcome' }).waitFor();
  await page
    .getByRole('img', { name: /Ben Okafor/ })
    .first()
    .waitFor();
  await page.locator('.prose > p').first().click();
  await page.keyboard.press('End');
  await page.keyboard.type(' Seen by two.');
  await frame.getByText('Seen by two.').waitFor();
  await context.close();
});

test('a notification read on one device is read on the other', async () => {
  await using laptop = await site.visit('chloe', { place: '#/dashboard' });
  await using phone = await site.visit('chloe', { place: '#/dashboard', size: { width: 390, height: 844 } });
  await laptop.page.getByRole('button', { name: 'Remind me' }).click();
  const toast = (page: Page) => page.getByRole('status', { name: 'New notifications' }).getByText('Reminder');
  for (const { page } of [laptop, phone]) {
    await toast(page).waitFor();
    await page.getByRole('button', { name: 'Notifications, 1 unread' }).waitFor();
  }
  // A toast whose button has the focus does not go by itself.
  await laptop.page.getByRole('button', { name: 'Close “Reminder”' }).focus();
  await phone.page.getByRole('button', { name: 'Notifications, 1 unread' }).click();
  await phone.page.getByRole('button', { name: 'Mark read: Reminder' }).click();
  await laptop.page.getByRole('button', { name: 'Notifications, 0 unread' }).waitFor();
  // With it goes what told of it.
  for (const { page } of [laptop, phone]) await expect.poll(() => toast(page).count()).toBe(0);
  expect(await laptop.page.evaluate(() => document.activeElement?.id)).toBe('main');
  // One person, however many devices.
  expect(
    await laptop.page
      .getByRole('list', { name: /online/ })
      .getByRole('img', { name: /Chloé/ })
      .count(),
  ).toBe(1);
  expect([...laptop.complaints(), ...phone.complaints()]).toEqual([]);
});

test('who comes late sees where a job and the numbers stand, and both see the job’s end and what it changed', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  const job = (page: Page) => page.locator('[data-batch=catalog-import]');
  await job(anna.page).getByRole('button', { name: 'Start' }).click();
  await job(anna.page)
    .getByText(/about \d+ s left/)
    .waitFor();
  await using ben = await site.visit('ben', { place: '#/dashboard' });
  await job(ben.page)
    .getByText(/[\d,]+ of 1,200 products/)
    .waitFor();
  expect(Number(await job(ben.page).getByRole('progressbar').getAttribute('aria-valuenow'))).toBeGreaterThan(0);
  await expect.poll(() => ben.page.locator('[data-widget=orders]').textContent()).toMatch(/^\d+$/);
  expect(await ben.page.getByText('live', { exact: true }).count()).toBe(4);
  // As a chart: what was before the visit is there.
  await expect.poll(() => ben.page.locator('.sparkline-line').count()).toBe(4);
  const ended = job(ben.page).getByText(/Done: 1,200 products in \d+ s/);
  await ended.waitFor({ timeout: 40_000 });
  await ben.page.getByText('+212').first().waitFor();
  await anna.page.getByRole('status', { name: 'New notifications' }).getByText('Job done').waitFor();
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 60_000);

test('while cut, how far a running job is and what is not known of another is marked as stale', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  const job = (id: string) => anna.page.locator(`[data-batch=${id}]`);
  await job('invoice-run').getByRole('button', { name: 'Start' }).click();
  await job('invoice-run')
    .getByText(/about \d+ s left/)
    .waitFor();
  await anna.page.getByRole('button', { name: 'Cut my connection' }).click();
  const stale = /^\d+ of 340 invoices, stale since \d\d:\d\d:\d\d$/;
  await job('invoice-run').getByText(stale).waitFor();
  // Somebody who comes back to it knows nothing of any job.
  await anna.page.evaluate(() => Object.assign(window.location, { hash: '#/board' }));
  await anna.page.getByRole('heading', { name: 'Board' }).waitFor();
  await anna.page.evaluate(() => Object.assign(window.location, { hash: '#/dashboard' }));
  await job('invoice-run').getByText('340 invoices, waiting').waitFor();
  await anna.page.getByRole('button', { name: 'Reconnect' }).click();
  await job('invoice-run')
    .getByText(/^\d+ of 340 invoices(, about \d+ s left)?$/)
    .waitFor();
  expect(await anna.page.getByText(/stale|waiting/).count()).toBe(0);
  expect(anna.complaints()).toEqual([]);
});

test('a card is moved by the arrow keys, keeps the focus, and moves for everybody', async () => {
  await using anna = await site.visit('anna', { place: '#/board' });
  await using ben = await site.visit('ben', { place: '#/board' });
  const card = (page: Page, column: string) =>
    page.getByRole('region', { name: new RegExp(`^${column}`) }).getByRole('button', { name: 'Terms of delivery', exact: true });
  await card(anna.page, 'To do').focus();
  await anna.page.keyboard.press('ArrowRight');
  await card(ben.page, 'Doing').waitFor();
  await expect.poll(() => anna.page.evaluate(() => document.activeElement?.textContent)).toBe('Terms of delivery');
  await anna.page.getByText('Terms of delivery: Doing, place 3 of 3').waitFor({ state: 'attached' });
  await anna.page.keyboard.press('ArrowUp');
  await anna.page.getByText('Terms of delivery: Doing, place 2 of 3').waitFor({ state: 'attached' });
  for (const column of ['Doing', 'To do']) {
    await anna.page.getByRole('button', { name: 'Undo' }).click();
    await card(ben.page, column).waitFor();
  }
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
});

test('maintenance is announced to everybody, also to who comes later, until it ends', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  await anna.page.getByRole('button', { name: 'Announce maintenance' }).click();
  await using emil = await site.visit('emil', { place: '#/dashboard' });
  await emil.page.getByRole('status', { name: 'System' }).getByText('Maintenance at 18:00').waitFor();
  expect(await emil.page.getByRole('button', { name: 'End maintenance' }).isDisabled()).toBe(true);
  await anna.page.getByRole('button', { name: 'End maintenance' }).click();
  await expect.poll(() => emil.page.getByText('Maintenance at 18:00').count()).toBe(0);
  expect([...anna.complaints(), ...emil.complaints()]).toEqual([]);
});

test('who is away from the keyboard is faded for the others, and is back with the first key', async () => {
  await using anna = await site.visit('anna');
  await using ben = await site.visit('ben');
  const [online, here] = [/online/, 'In this document'].map((name) => anna.page.getByRole('list', { name }));
  // In both documents, or the clock that goes forward is not the one of what comes later.
  await here?.getByRole('img', { name: 'Ben Okafor', exact: true }).waitFor();
  await ben.page.clock.install();
  await ben.page.mouse.move(300, 300);
  await ben.page.clock.fastForward(61_000);
  await online?.getByRole('img', { name: 'Ben Okafor (Pages), idle' }).waitFor();
  await here?.getByRole('img', { name: 'Ben Okafor, idle' }).waitFor();
  expect(await anna.page.locator('.avatar-faded').count()).toBe(2);
  await ben.page.keyboard.press('Shift');
  await here?.getByRole('img', { name: 'Ben Okafor', exact: true }).waitFor();
  await expect.poll(() => anna.page.locator('.avatar-faded').count()).toBe(0);
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
});

test('while there is no connection whoever else was there is faded, and said to be perhaps gone, until it is back', async () => {
  await using anna = await site.visit('anna', { mayLoseServer: true });
  await using ben = await site.visit('ben', { mayLoseServer: true });
  const { page } = anna;
  const online = (name: string) => page.getByRole('list', { name: /online/ }).getByRole('img', { name, exact: true });
  const here = (name: string) => page.getByRole('list', { name: /^In this document/ }).getByRole('img', { name, exact: true });
  const color = (name: string) => online(name).evaluate((avatar) => getComputedStyle(avatar).backgroundColor);
  const [annas, bens] = ['rgb(168, 58, 43)', 'rgb(28, 100, 128)'];
  const present = async () => {
    await online('Ben Okafor (Pages)').waitFor();
    await here('Ben Okafor').waitFor();
    expect(await page.locator('.avatar-faded').count()).toBe(0);
    expect(await color('Ben Okafor (Pages)')).toBe(bens);
  };
  const uncertain = async () => {
    await here('Ben Okafor, perhaps gone').waitFor();
    await page.getByRole('list', { name: '2 online when last heard of' }).waitFor();
    expect(await color('Ben Okafor (Pages), perhaps gone')).not.toBe(bens);
    // Of oneself one knows.
    expect(await color('Anna Lindqvist (you)')).toBe(annas);
    expect(await page.locator('.avatar-faded').count()).toBe(2);
    await page.getByText('Were here', { exact: true }).waitFor();
  };
  await present();
  await page.getByRole('button', { name: 'Cut my connection' }).click();
  await uncertain();
  await page.getByRole('button', { name: 'Reconnect' }).click();
  await present();
  // A loss is told after some seconds: until then nothing else is said of them.
  await page.evaluate(() => {
    const said: string[] = [];
    new MutationObserver(() => said.push(document.querySelector('.page-head .actions')?.textContent ?? '')).observe(
      document.body,
      {
        childList: true,
        subtree: true,
        characterData: true,
      },
    );
    Object.assign(window, { said });
  });
  await site.demo.kill();
  await uncertain();
  expect(
    await page.evaluate(() => (window as unknown as { said: string[] }).said.filter((text) => text.includes('Only you'))),
  ).toEqual([]);
  await site.demo.restart();
  await present();
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 90_000);

test('who signs in while nobody answers is told, and is there once somebody does', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByRole('button', { name: /Ben Okafor/ }).waitFor();
  await site.demo.kill();
  await page.getByRole('button', { name: /Ben Okafor/ }).click();
  await page.getByText('The server does not answer.').waitFor();
  await site.demo.restart();
  await page.getByRole('img', { name: 'Ben Okafor (you)' }).waitFor();
  await page.getByRole('status', { name: 'Connection' }).getByText('Connected', { exact: true }).waitFor();
  await context.close();
}, 60_000);
