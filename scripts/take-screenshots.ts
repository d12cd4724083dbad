// Takes the screenshots under docs/screens of a demo that runs: tsx scripts/take-screenshots.ts http://127.0.0.1:3000 [folder]
import { mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findPerson } from '../demo/people.ts';

const [url = 'http://127.0.0.1:3000', folder = 'docs/screens'] = process.argv.slice(2);
const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1280, height: 800 } },
} as const;

/** As a visitor who has picked a name: an inner frame's address (`?as=`) has neither a second person nor a sign-out. */
async function openAs(browser: Browser, id: string, size: keyof typeof DEVICES, colorScheme: 'light' | 'dark', place: string) {
  const page = await (await browser.newContext({ ...DEVICES[size], colorScheme })).newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') console.error(`${id}: ${message.text()}`);
  });
  await page.goto(`${url}/${place}`);
  await page.getByRole('button', { name: findPerson(id)?.name ?? id }).click();
  await page.getByRole('status', { name: 'Connection' }).getByText('Connected').waitFor();
  return page;
}

async function pressSecond(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Second person' }).click();
  await page.frameLocator('iframe').getByText('Connected').first().waitFor();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
mkdirSync(folder, { recursive: true });
try {
  const other = await openAs(browser, 'ben', 'desktop', 'light', '#/pages/page-welcome');
  await other.getByRole('textbox', { name: 'Welcome' }).getByText('Things to try').click();
  await other.keyboard.press('End');
  for (const said of ['@assistant how many orders are there?', '@assistant and how is the import?']) {
    await other.getByRole('textbox', { name: 'Message' }).fill(said);
    await other.keyboard.press('Enter');
    await other.getByText('is typing…').waitFor();
    await other.getByText('is typing…').waitFor({ state: 'detached' });
  }
  await other.getByRole('textbox', { name: 'Welcome' }).getByText('Things to try').click();
  await other.keyboard.press('End');
  const starter = await openAs(browser, 'anna', 'desktop', 'light', '#/dashboard');
  const start = starter.getByRole('button', { name: /Start|Run again/ }).first();
  if (await start.isEnabled()) await start.click();
  await starter.getByText('s left').first().waitFor();
  for (const size of ['desktop', 'phone'] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const withToasts = ['toast', 'offline'];
      const shoot = async (page: Page, name: string): Promise<void> => {
        // Still at the keyboard, and not idle.
        for (const { mouse } of [other, starter]) {
          await mouse.move(600, 400);
          await mouse.move(610, 400);
        }
        // The numbers tick: let the charts come, and the carets.
        await page.waitForTimeout(900);
        // One that came by chance is no part of the picture.
        const toasts = page.getByRole('button', { name: /^Close “/ });
        while (!withToasts.includes(name) && (await toasts.count()) > 0) await toasts.first().click();
        await page.screenshot({ path: `${folder}/${name}-${size}-${scheme}.png` });
        await page.context().close();
      };
      const signIn = await (await browser.newContext({ ...DEVICES[size], colorScheme: scheme })).newPage();
      await signIn.goto(url);
      await signIn.getByRole('heading', { name: 'Who are you today?' }).waitFor();
      await shoot(signIn, 'sign-in');
      const welcome = await openAs(browser, 'anna', size, scheme, '#/pages/page-welcome');
      await welcome.locator('.caret').first().waitFor();
      await shoot(welcome, 'document');
      const reader = await openAs(browser, 'ben', size, scheme, '#/pages/page-handbook');
      await reader.getByRole('textbox', { name: 'Company handbook' }).getByText('Everybody reads').waitFor();
      await shoot(reader, 'read-only');
      await shoot(await openAs(browser, 'anna', size, scheme, '#/board'), 'board');
      await shoot(await openAs(browser, 'anna', size, scheme, '#/dashboard'), 'dashboard');
      await shoot(await openAs(browser, 'anna', size, scheme, '#/chat'), 'chat');
      const bell = await openAs(browser, 'anna', size, scheme, '#/dashboard');
      // What comes while the list is loaded is no news.
      await bell.waitForTimeout(800);
      await bell.getByRole('button', { name: 'Remind me' }).click();
      await bell.locator('.toast').first().waitFor();
      await bell.getByRole('button', { name: 'Cut my connection' }).click();
      await bell.getByRole('button', { name: /Notifications/ }).click();
      await shoot(bell, 'offline');
      const away = await openAs(browser, 'anna', size, scheme, '#/pages/page-welcome');
      await away.getByRole('textbox', { name: 'Welcome' }).waitFor();
      await away.getByRole('button', { name: 'Cut my connection' }).click();
      await away.evaluate(() => Object.assign(window.location, { hash: '#/pages/page-launch' }));
      await away.getByText('has not been loaded').waitFor();
      await shoot(away, 'not-loaded');
      const share = await openAs(browser, 'anna', size, scheme, '#/pages/page-handbook');
      await share.getByRole('button', { name: 'Share' }).click();
      await share.getByRole('group', { name: 'Ben Okafor' }).locator('[aria-pressed=true]').waitFor();
      await shoot(share, 'share');
      const told = await openAs(browser, 'chloe', size, scheme, '#/dashboard');
      await told.waitForTimeout(800);
      await told.getByRole('button', { name: 'Remind me' }).click();
      await told.locator('.toast').first().waitFor();
      await shoot(told, 'toast');
      const second = await openAs(browser, 'anna', size, scheme, '#/pages/page-welcome');
      await pressSecond(second);
      await shoot(second, 'second-person');
    }
  }
} finally {
  await browser.close();
}
