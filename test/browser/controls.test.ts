import { randomUUID } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { saved } from '../support/browser.ts';
import { browserDemo } from '../support/browser-demo.ts';

const site = browserDemo();

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
/** What has the focus, in a word. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
  });
const isFocused = (page: Page, name: string) => expect.poll(() => focused(page)).toBe(name);
const bell = (page: Page) => page.getByRole('button', { name: /^Notifications/ });
const toast = (page: Page) => page.locator('.toast');

/** The names of controls, on screen, that a press in their middle would not reach. */
function covered(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, a, input, select')]
      .filter((control) => control.checkVisibility() && !control.classList.contains('skip'))
      .flatMap((control) => {
        const { left, top, width, height } = control.getBoundingClientRect();
        const [x, y] = [left + width / 2, top + height / 2];
        const scroller = control.closest('.page-list ul, .messages, main')?.getBoundingClientRect();
        // What is scrolled out of sight is not covered.
        const outside = scroller && (y < scroller.top || y > scroller.bottom || x < scroller.left || x > scroller.right);
        if (outside || x < 0 || y < 0 || x > innerWidth || y > innerHeight) return [];
        const there = document.elementFromPoint(x, y);
        const reached = there === control || control.contains(there);
        return reached ? [] : [control.getAttribute('aria-label') ?? control.textContent ?? ''];
      }),
  );
}

async function remind(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Remind me' }).click();
  await toast(page).filter({ hasText: 'Reminder' }).waitFor();
}

/** As another backend does: with the token that the demo prints. */
async function ship(userId: string): Promise<void> {
  const data = { id: randomUUID(), level: 'info', title: 'Shipped', message: 'Order 4711', timestamp: new Date().toISOString() };
  const answer = await fetch(`${site.demo.url}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${/^ey\S+$/m.exec(site.demo.said)?.[0]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'system:notification', userId, data }),
  });
  expect(answer.ok).toBe(true);
}

test.each([PHONE, DESKTOP])(
  'toasts cover no control, stay while they are read, stand for all that say the same, and are closed by keyboard: $width px',
  async (size) => {
    await using chloe = await site.visit('chloe', { place: '#/dashboard', size });
    const { page } = chloe;
    await page.clock.install();
    await remind(page);
    await ship('chloe');
    await expect.poll(() => toast(page).count()).toBe(2);
    // The same once more is no other toast.
    await remind(page);
    await toast(page).filter({ hasText: 'Reminder ×2' }).waitFor();
    expect(await toast(page).count()).toBe(2);
    for (const view of ['pages/page-welcome', 'board', 'dashboard', 'chat']) {
      await page.evaluate((hash) => Object.assign(window.location, { hash }), `#/${view}`);
      await page.getByRole('button', { name: 'Close “Reminder”' }).first().focus();
      expect(await covered(page), view).toEqual([]);
    }
    await page.clock.fastForward(20_000);
    expect(await toast(page).count()).toBe(2);
    await page.keyboard.press('Enter');
    await isFocused(page, 'Close “Shipped”');
    await page.clock.fastForward(20_000);
    expect(await toast(page).count()).toBe(1);
    await page.keyboard.press('Enter');
    await expect.poll(() => toast(page).count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    // One that nobody reads goes by itself.
    await page.evaluate(() => Object.assign(window.location, { hash: '#/dashboard' }));
    await remind(page);
    await page.clock.fastForward(20_000);
    await expect.poll(() => toast(page).count()).toBe(0);
    expect(chloe.complaints()).toEqual([]);
  },
);

test('on a phone what is pressed is in sight, named in words, and large enough', async () => {
  await using anna = await site.visit('anna', { size: PHONE, place: '#/pages/page-welcome' });
  const { page } = anna;
  await page.getByRole('textbox', { name: 'Welcome' }).waitFor();
  const small = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('button, a, input')].flatMap((control) => {
        const { width, height, right } = control.getBoundingClientRect();
        const name = control.getAttribute('aria-label') ?? control.textContent ?? '';
        if (!control.checkVisibility() || control.classList.contains('skip')) return [];
        const outside = right > innerWidth && control.closest('.page-list ul') === null;
        return width < 40 || height < 40 || outside ? [`${name} ${width}x${height} to ${right}`] : [];
      }),
    );
  expect(await small()).toEqual([]);
  await page.getByRole('button', { name: 'Cut my connection' }).getByText('Cut', { exact: false }).first().waitFor();
  await page.evaluate(() => Object.assign(window.location, { hash: '#/board' }));
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  expect(await small()).toEqual([]);
  expect(anna.complaints()).toEqual([]);
});

test('on a phone the line of pages shows at which edge it goes on, scrolls by finger and by keyboard, and has the open page in sight', async () => {
  await using anna = await site.visit('anna', { size: PHONE, touch: true, place: '#/pages/page-welcome' });
  const { page, context } = anna;
  const list = page.locator('.page-list ul');
  const link = (name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true });
  const edges = () =>
    page.locator('.more-pages').evaluateAll((marks) => marks.map(({ className }) => className.split('-').at(-1)));
  /** How far a link stands out of what can be seen of the line, its arrows taken off, px. */
  const hidden = (name: string) =>
    link(name).evaluate((element) => {
      const line = element.closest('ul')!.getBoundingClientRect();
      const width = (edge: string) => document.querySelector(`.more-pages-${edge}`)?.getBoundingClientRect().width ?? 0;
      const { left, right } = element.getBoundingClientRect();
      return Math.round(Math.max(0, line.left + width('left') - left, right - (line.right - width('right'))));
    });
  await expect.poll(edges).toEqual(['right']);
  expect(await hidden('Welcome')).toBe(0);
  expect(await hidden('Company handbook')).toBeGreaterThan(0);
  const box = (await list.boundingBox())!;
  const devtools = await context.newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x?: number) =>
    devtools.send('Input.dispatchTouchEvent', { type, touchPoints: x === undefined ? [] : [{ x, y: box.y + box.height / 2 }] });
  /** A finger that stays down. @param steps where it goes, px from the line's left edge */
  const drag = async (...steps: number[]) => {
    for (const [index, step] of steps.entries()) await touch(index === 0 ? 'touchStart' : 'touchMove', box.x + step);
  };
  // From upon the arrow: it is no control, and in no finger's way.
  await drag(box.width - 10, box.width - 40, box.width - 80);
  await expect.poll(edges).toEqual(['left', 'right']);
  await touch('touchMove', box.x - 10);
  await expect.poll(edges).toEqual(['left']);
  expect(await hidden('Company handbook')).toBe(0);
  await touch('touchEnd');
  await drag(10, 60, box.width, box.width + 100);
  await expect.poll(edges).toEqual(['right']);
  await touch('touchEnd');
  await link('Welcome').focus();
  for (const name of ['Launch plan', 'Company handbook']) {
    await page.keyboard.press('Tab');
    await isFocused(page, name);
    await expect.poll(() => hidden(name)).toBe(0);
  }
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await isFocused(page, 'Welcome');
  await expect.poll(() => hidden('Welcome')).toBe(0);
  for (const [id, name] of [
    ['page-handbook', 'Company handbook'],
    ['page-launch', 'Launch plan'],
  ] as const) {
    await page.evaluate((hash) => Object.assign(window.location, { hash }), `#/pages/${id}`);
    await page.getByRole('textbox', { name, exact: true }).waitFor();
    await expect.poll(() => hidden(name)).toBe(0);
  }
  expect(anna.complaints()).toEqual([]);
});

test('on a phone the second person’s frame covers neither the way around nor anything else of the first', async () => {
  const context = await site.browser.newContext({ viewport: PHONE });
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByRole('button', { name: /Anna Lindqvist/ }).click();
  await page.getByRole('textbox', { name: 'Welcome' }).waitFor();
  await page.getByRole('button', { name: 'Second person' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('textbox', { name: 'Welcome' }).waitFor();
  expect(await covered(page)).toEqual([]);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Board', exact: true }).click();
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  await frame.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Dashboard' }).click();
  await frame.getByRole('heading', { name: 'Dashboard' }).waitFor();
  await context.close();
});

test('a card is removed by its button or by Delete: the focus goes to its neighbour, and undo brings it back', async () => {
  await using anna = await site.visit('anna', { place: '#/board' });
  const { page } = anna;
  const doing = page.getByRole('region', { name: /^Doing/ });
  const card = (title: string) => doing.getByRole('button', { name: title, exact: true });
  await card('Payment provider contract').focus();
  await page.keyboard.press('Delete');
  await expect.poll(() => card('Payment provider contract').count()).toBe(0);
  await isFocused(page, 'Load test of the checkout');
  await doing.getByRole('button', { name: 'Remove “Load test of the checkout”' }).click();
  await isFocused(page, 'New card in Doing');
  await page.getByText('Load test of the checkout: removed. Undo brings it back.').waitFor({ state: 'attached' });
  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.focus();
  await page.keyboard.press('Enter');
  await card('Load test of the checkout').waitFor();
  await page.keyboard.press('Enter');
  await card('Payment provider contract').waitFor();
  // It can do no more, and keeps the focus.
  await isFocused(page, 'Undo');
  expect(await undo.isDisabled()).toBe(true);
  await saved(page);
  expect(anna.complaints()).toEqual([]);
});

test('a dragged card is dimmed, a line shows where it would be put, and it is put there; Ctrl+Z takes it back', async () => {
  await using anna = await site.visit('anna', { place: '#/board' });
  const { page } = anna;
  const column = (name: string) => page.getByRole('region', { name: new RegExp(`^${name}`) });
  const titles = (name: string) => column(name).locator('.board-card-title').allTextContents();
  const box = async (title: string) => (await page.getByRole('button', { name: title, exact: true }).boundingBox())!;
  const from = await box('Photos of the new range');
  const below = await box('Load test of the checkout');
  await page.mouse.move(from.x + 20, from.y + from.height / 2);
  await page.mouse.down();
  // Into the gap between the two cards of “Doing”.
  for (const x of [from.x + 60, below.x + 30, below.x + 40]) await page.mouse.move(x, below.y - 3);
  await page.locator('.board-card-drop-before', { hasText: 'Load test of the checkout' }).waitFor();
  expect(await page.locator('.board-card-dragged').allTextContents()).toEqual(['Photos of the new range']);
  await page.mouse.up();
  await expect
    .poll(() => titles('Doing'))
    .toEqual(['Payment provider contract', 'Photos of the new range', 'Load test of the checkout']);
  expect(await page.locator('.board-card-dragged, .board-card-drop-before').count()).toBe(0);
  await isFocused(page, 'Photos of the new range');
  await page.keyboard.press('Control+z');
  await expect.poll(() => titles('To do')).toContain('Photos of the new range');
  await page.getByText('Undone', { exact: true }).waitFor({ state: 'attached' });
  await page.keyboard.press('Control+Shift+Z');
  await expect.poll(() => titles('Doing')).toContain('Photos of the new range');
  await page.keyboard.press('Control+z');
  await expect.poll(() => titles('To do')).toContain('Photos of the new range');
  // A field has an undo of its own.
  await column('Done').getByRole('textbox').fill('half a card');
  await page.keyboard.press('Control+z');
  expect(await page.getByText('Nothing to undo').count()).toBe(0);
  await saved(page);
  expect(anna.complaints()).toEqual([]);
});

test('the focus goes on where what had it goes: by signing in and out, closing a field or a frame, and by somebody else', async () => {
  const context = await site.browser.newContext({ viewport: DESKTOP });
  const page = await context.newPage();
  await page.goto(site.demo.url);
  await page.getByRole('button', { name: /Anna Lindqvist/ }).focus();
  await page.keyboard.press('Enter');
  await isFocused(page, 'Pages');
  await page.getByRole('textbox', { name: 'Welcome' }).waitFor();
  await page.getByRole('button', { name: 'New page' }).focus();
  await page.keyboard.press('Enter');
  await isFocused(page, 'Title of the new page');
  await page.keyboard.press('Escape');
  await isFocused(page, ' New page');
  await page.keyboard.press('Enter');
  await page.keyboard.type('Fresh');
  await page.keyboard.press('Enter');
  await isFocused(page, 'Fresh');
  await page.keyboard.type('Typed at once.');
  await page.getByRole('textbox', { name: 'Fresh' }).getByText('Typed at once.').waitFor();
  await page.getByRole('button', { name: 'Second person' }).press('Enter');
  await page.getByRole('button', { name: 'Close the second person' }).press('Enter');
  await isFocused(page, 'Second person');

  await using ben = await site.visit('ben', { place: '#/board' });
  await page.evaluate(() => Object.assign(window.location, { hash: '#/board' }));
  await page.getByRole('button', { name: 'Translate the product texts', exact: true }).focus();
  await ben.page.getByRole('button', { name: 'Move “Translate the product texts” to Doing' }).click();
  const moved = page
    .getByRole('region', { name: /^Doing/ })
    .getByRole('button', { name: 'Translate the product texts', exact: true });
  await moved.waitFor();
  await isFocused(page, 'Translate the product texts');
  await ben.page.getByRole('button', { name: 'Move “Translate the product texts” to To do' }).click();
  await moved.waitFor({ state: 'detached' });
  await isFocused(page, 'Translate the product texts');
  await ben.page.getByRole('button', { name: 'Remove “Translate the product texts”' }).click();
  await moved.waitFor({ state: 'detached' });
  await isFocused(page, 'Terms of delivery');
  await ben.page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Translate the product texts', exact: true }).waitFor();
  await Promise.all([saved(page), saved(ben.page)]);
  await page.getByRole('button', { name: 'Sign out Anna Lindqvist' }).press('Enter');
  await isFocused(page, 'Who are you today?');
  await context.close();
});

test('by finger a card is moved and removed, on targets of 44 px', async () => {
  await using anna = await site.visit('anna', { place: '#/board', size: PHONE, touch: true });
  const { page } = anna;
  const size = async (control: Locator) => {
    const box = await control.boundingBox();
    return Math.min(box?.width ?? 0, box?.height ?? 0);
  };
  const remove = page.getByRole('button', { name: 'Remove “Photos of the new range”' });
  await remove.waitFor();
  const controls = [remove, page.getByRole('button', { name: 'Move “Photos of the new range” to Doing' })];
  for (const control of [...controls, page.getByRole('button', { name: 'Undo' })])
    expect(await size(control)).toBeGreaterThanOrEqual(44);
  const titles = page.getByRole('region', { name: /^To do/ }).locator('.board-card-title');
  const before = await titles.allTextContents();
  const [first, second, ...rest] = before;
  const up = (title = '') => page.getByRole('button', { name: `Move “${title}” up` });
  const down = (title = '') => page.getByRole('button', { name: `Move “${title}” down` });
  for (const control of [up(second), down(first), titles.first()]) expect(await size(control)).toBeGreaterThanOrEqual(44);
  // There is nowhere to go from an end.
  expect([await up(first).count(), await down(before.at(-1)).count()]).toEqual([0, 0]);
  await down(first).tap();
  await expect.poll(() => titles.allTextContents()).toEqual([second, first, ...rest]);
  await isFocused(page, first ?? '');
  await up(first).tap();
  await expect.poll(() => titles.allTextContents()).toEqual(before);
  await remove.tap();
  await expect.poll(() => page.getByText('Photos of the new range', { exact: true }).count()).toBe(0);
  await page.getByRole('button', { name: 'Undo' }).tap();
  await remove.waitFor();
  await saved(page);
  expect(anna.complaints()).toEqual([]);
});

test('marking a notification read moves the focus on: to the next, to the one before, and to the list', async () => {
  await using ben = await site.visit('ben', { place: '#/dashboard' });
  const { page } = ben;
  for (const unread of [1, 2, 3]) {
    await page.getByRole('button', { name: 'Remind me' }).click();
    await page.getByRole('button', { name: `Notifications, ${unread} unread` }).waitFor();
  }
  await bell(page).click();
  const read = page.getByRole('button', { name: 'Mark read: Reminder' });
  const at = () => read.evaluateAll((buttons) => buttons.indexOf(document.activeElement as HTMLElement));
  await read.first().focus();
  await page.keyboard.press('Enter');
  await expect.poll(at).toBe(0);
  expect(await read.count()).toBe(2);
  await read.last().focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => read.count()).toBe(1);
  expect(await at()).toBe(0);
  await page.keyboard.press('Enter');
  await isFocused(page, 'Notifications');
  expect(ben.complaints()).toEqual([]);
});

test('the share panel shows who may do what now, keeps it over a reload, and Escape gives the focus back', async () => {
  await using anna = await site.visit('anna', { place: '#/pages/page-handbook' });
  const { page } = anna;
  const share = page.getByRole('button', { name: 'Share' });
  const level = (name: string) => page.getByRole('group', { name }).locator('[aria-pressed=true]');
  await share.click();
  await expect.poll(() => level('Ben Okafor').allTextContents()).toEqual(['may read']);
  await page.getByRole('group', { name: 'Ben Okafor' }).getByRole('button', { name: 'may edit' }).click();
  await expect.poll(() => level('Ben Okafor').allTextContents()).toEqual(['may edit']);
  expect(await level('Emil Novak').allTextContents()).toEqual(['may read']);
  await using ben = await site.visit('ben', { place: '#/pages/page-handbook' });
  await ben.page.getByRole('toolbar').waitFor();
  expect(await ben.page.getByRole('button', { name: 'Share' }).count()).toBe(0);

  await page.reload();
  await share.click();
  await expect.poll(() => level('Ben Okafor').allTextContents()).toEqual(['may edit']);
  // While the editor’s toolbar has the focus: the page turns read-only, and its text has it.
  await ben.page.getByRole('button', { name: 'Bold' }).focus();
  await page.getByRole('group', { name: 'Ben Okafor' }).getByRole('button', { name: 'may read' }).click();
  await ben.page.getByText('You may only read this page').waitFor();
  await isFocused(ben.page, 'Company handbook');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('region', { name: 'Who may do what' }).count()).toBe(0);
  expect((await focused(page)).trim()).toBe('Share');
  await share.click();
  await page.getByText('Ashlar workspace').click();
  await expect.poll(() => page.getByRole('region', { name: 'Who may do what' }).count()).toBe(0);
  expect([...anna.complaints(), ...ben.complaints()]).toEqual([]);
});

test('while cut the dashboard’s buttons can’t be pressed, and it says why; a guest is told as well', async () => {
  await using anna = await site.visit('anna', { place: '#/dashboard' });
  const { page } = anna;
  const buttons = ['Remind me', 'Notify everybody', 'Announce maintenance', 'Change something', 'Start'];
  const enabled = () => Promise.all(buttons.map((name) => page.getByRole('button', { name }).first().isEnabled()));
  const why = page.locator('.why-not', { hasText: 'These buttons need the connection, and work again when it is back.' });
  expect(await enabled()).toEqual(buttons.map(() => true));
  await page.getByRole('button', { name: 'Cut my connection' }).click();
  await why.waitFor();
  expect(await enabled()).toEqual(buttons.map(() => false));
  await page.getByRole('button', { name: 'Remind me' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Reconnect' }).click();
  await why.waitFor({ state: 'detached' });
  expect(await enabled()).toEqual(buttons.map(() => true));
  await page.getByRole('button', { name: 'Notifications, 0 unread' }).waitFor();
  await using emil = await site.visit('emil', { place: '#/dashboard' });
  await emil.page.locator('.why-not', { hasText: 'You are a guest: you may look, not touch.' }).waitFor();
  expect([...anna.complaints(), ...emil.complaints()]).toEqual([]);
});
