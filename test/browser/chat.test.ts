import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { browserDemo } from '../support/browser-demo.ts';

/** Small, so that a person can reach it. */
const EVENTS_PER_MINUTE = 20;

const site = browserDemo({ ASHLAR_LIMITS_EVENTS_PER_MINUTE: String(EVENTS_PER_MINUTE) });
const connection = (page: Page) => page.getByRole('status', { name: 'Connection' });
const messages = (page: Page) => page.getByRole('log', { name: 'Messages' });
const say = async (page: Page, said: string) => {
  await page.getByRole('textbox', { name: 'Message' }).fill(said);
  await page.keyboard.press('Enter');
};

/** The backend says so many lines, one after the other. */
const fill = async (words: string, lines: number) => {
  const [token] = /^eyJ\S+$/m.exec(site.demo.said) ?? [];
  for (let line = 1; line <= lines; line++) {
    const data = { id: `${words} ${line}`, sessionId: 'team', content: `${words} ${line}`, sender: 'assistant' };
    const answer = await fetch(`${site.demo.url}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ event: 'chat:message', room: 'chat:team', data: { ...data, timestamp: new Date().toISOString() } }),
    });
    expect(answer.status).toBeLessThan(300);
  }
};

test('cut off, one is told so at once; what is written to the chat meanwhile is sent on return, once', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  await using ben = await site.visit('ben');
  await anna.page.getByRole('button', { name: 'Cut my connection' }).click();
  await connection(anna.page).getByText('Offline').waitFor();
  await anna.page
    .getByText(/stale since \d\d:\d\d:\d\d/)
    .first()
    .waitFor();
  await anna.page.getByRole('textbox', { name: 'Message' }).fill('@assistant written while away');
  await anna.page.keyboard.press('Enter');
  await messages(anna.page).locator('[data-status=sending]', { hasText: 'written while away' }).waitFor();
  await ben.page.getByRole('textbox', { name: 'Message' }).fill('meanwhile, here');
  await ben.page.keyboard.press('Enter');
  await messages(ben.page).locator('[data-status=sent]', { hasText: 'meanwhile, here' }).waitFor();

  await anna.page.getByRole('button', { name: 'Reconnect' }).click();
  for (const { page } of [anna, ben]) {
    for (const said of ['meanwhile, here', 'written while away']) {
      await messages(page).locator('[data-status=sent]', { hasText: said }).waitFor();
      expect(await messages(page).getByText(said).count()).toBe(1);
    }
    // The assistant answers the one line that turns to it.
    await messages(page).getByText('Ask me about visitors').waitFor();
    expect(await messages(page).getByText('Ask me about visitors').count()).toBe(1);
  }
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 30_000);

test('that nothing was said is told only of messages that were read', async () => {
  const context = await site.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${site.demo.url}/#/chat`);
  await page.getByRole('button', { name: /Emil Novak/ }).waitFor();
  await context.setOffline(true);
  await page.getByRole('button', { name: /Emil Novak/ }).click();
  await messages(page).getByText('The messages have not been loaded. They come when the connection is back.').waitFor();
  expect(await page.getByText('Nothing said yet').count()).toBe(0);
  await context.setOffline(false);
  await messages(page).getByText('Begin a line with @assistant').waitFor();
  await context.close();
});

test('the assistant, addressed, answers with the backend’s own numbers, and is seen to type before', async () => {
  await using ben = await site.visit('ben', { place: '#/chat', size: { width: 390, height: 844 } });
  await ben.page.getByRole('textbox', { name: 'Message' }).fill('@assistant how many orders?');
  await ben.page.keyboard.press('Enter');
  await ben.page.getByText('The assistant is typing…').waitFor();
  await messages(ben.page)
    .getByText(/Orders per minute: \d+/)
    .waitFor();
  expect(ben.complaints()).toEqual([]);
});

test('a message that is refused says why, and is sent once by trying again; another is discarded', async () => {
  await using anna = await site.visit('anna', { place: '#/chat' });
  await using ben = await site.visit('ben', { place: '#/chat' });
  const failed = messages(anna.page).locator('[data-status=failed]');
  for (let index = 0; index < EVENTS_PER_MINUTE && (await failed.count()) === 0; index++) {
    const said = `quickly, ${index}`;
    await say(anna.page, said);
    await messages(anna.page).locator(':is([data-status=sent], [data-status=failed])', { hasText: said }).waitFor();
  }
  await say(anna.page, 'too much');
  await failed.filter({ hasText: 'too much' }).getByText('Not sent').waitFor();
  // One line for however many.
  const alerts = anna.page.getByRole('alert').filter({ hasText: /./ });
  expect(await alerts.allTextContents()).toEqual([
    expect.stringMatching(/^Not sent: you are sending too fast\. Try again in \d seconds?\.$/),
  ]);
  // On a slow machine the budget may have room for one by then.
  let refused = '';
  for (let index = 0; index < 5 && refused === ''; index++) {
    const said = `never mind ${index}`;
    await say(anna.page, said);
    await messages(anna.page).locator(':is([data-status=sent], [data-status=failed])', { hasText: said }).waitFor();
    if ((await failed.filter({ hasText: said }).count()) > 0) refused = said;
  }
  await failed.filter({ hasText: refused }).getByRole('button', { name: 'Discard' }).click();
  await expect.poll(() => anna.page.getByText(refused).count()).toBe(0);
  // The budget fills up again, a message every three seconds.
  await expect
    .poll(
      async () => {
        const again = failed.filter({ hasText: 'too much' }).getByRole('button', { name: 'Try again' });
        if ((await again.count()) > 0) {
          await again.press('Enter');
          expect(await anna.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Message');
        }
        return messages(anna.page).locator('[data-status=sent]', { hasText: 'too much' }).count();
      },
      { timeout: 30_000, interval: 1_000 },
    )
    .toBe(1);
  await messages(ben.page).getByText('too much').waitFor();
  expect(await messages(ben.page).getByText('too much').count()).toBe(1);
  expect(await ben.page.getByText(refused).count()).toBe(0);
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 90_000);

test('who reads further up keeps the place: when somebody writes, and when older messages come above; at the end one follows', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  await using ben = await site.visit('ben', { place: '#/dashboard' });
  const list = messages(anna.page);
  const gapBelow = () => list.evaluate((log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight));
  const topOf = (text: string) =>
    list.getByText(text, { exact: true }).evaluate((row) => Math.round(row.getBoundingClientRect().top));
  await fill('line', 120);
  await anna.page.reload();
  await list.getByText('line 120', { exact: true }).waitFor();
  await expect.poll(gapBelow).toBe(0);
  await list.evaluate((log) => log.scrollTo({ top: 0 }));
  const before = await topOf('line 75');
  await anna.page.getByRole('button', { name: 'Older messages' }).click();
  await list.getByText('line 25', { exact: true }).waitFor({ state: 'attached' });
  expect(Math.abs((await topOf('line 75')) - before)).toBeLessThan(2);
  await say(ben.page, 'something new');
  await list.getByText('something new').waitFor({ state: 'attached' });
  expect(Math.abs((await topOf('line 75')) - before)).toBeLessThan(2);
  await say(anna.page, 'my own');
  await list.locator('[data-status=sent]', { hasText: 'my own' }).waitFor();
  await expect.poll(gapBelow).toBe(0);
  await say(ben.page, 'to who follows');
  await list.getByText('to who follows').waitFor();
  await expect.poll(gapBelow).toBe(0);
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
}, 60_000);

test('on a phone the chat, opened after another view, is at its end', async () => {
  await using anna = await site.visit('anna', { place: '#/board', size: { width: 390, height: 800 } });
  await fill('on a phone, line', 60);
  await anna.page.getByRole('link', { name: 'Chat' }).click();
  const list = messages(anna.page);
  await list.getByText('on a phone, line 60').waitFor();
  await expect.poll(() => list.evaluate((log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight))).toBe(0);
}, 30_000);
