import axeCore from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { browserDemo } from '../support/browser-demo.ts';

const site = browserDemo();

describe('axe finds nothing serious or critical, and nothing outside of a landmark', () => {
  const findings = (page: Page): Promise<string[]> =>
    page.evaluate(async (script) => {
      // Past the page's policy, as a browser's extension is.
      new Function(script)();
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
      interface Violation {
        id: string;
        impact: string;
        nodes: { html: string }[];
      }
      // What is still fading in has less contrast than it will have.
      const passing = document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
      await Promise.allSettled(passing.map(({ finished }) => finished));
      const { violations } = await axe.run();
      return violations
        .filter(({ id, impact }) => impact === 'serious' || impact === 'critical' || id === 'region')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    }, axeCore.source);
  const looks = [
    { size: { width: 1280, height: 800 }, colorScheme: 'light' },
    { size: { width: 390, height: 844 }, colorScheme: 'dark' },
  ] as const;

  test.each(looks)('on any view: $size.width px, $colorScheme', async ({ size, colorScheme }) => {
    await using anna = await site.visit('anna', { size, colorScheme });
    const { page } = anna;
    for (const view of ['pages/page-welcome', 'board', 'dashboard', 'chat']) {
      await page.evaluate((hash) => Object.assign(window.location, { hash }), `#/${view}`);
      await page
        .locator(view.startsWith('pages') ? '.toolbar' : 'h1')
        .first()
        .waitFor();
      expect(await findings(page), view).toEqual([]);
    }
    await page.evaluate(() => Object.assign(window.location, { hash: '#/pages/page-welcome' }));
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('group', { name: 'Ben Okafor' }).locator('[aria-pressed=true]').waitFor();
    expect(await findings(page), 'sharing').toEqual([]);
    await page.keyboard.press('Escape');
    await page.evaluate(() => Object.assign(window.location, { hash: '#/dashboard' }));
    await page.getByRole('button', { name: 'Remind me' }).click();
    await page.getByRole('button', { name: 'Announce maintenance' }).click();
    await page.getByRole('status', { name: 'System' }).getByText('Maintenance at').waitFor();
    await page.getByRole('button', { name: 'Close “Reminder”' }).waitFor();
    expect(await findings(page), 'with a toast and a banner').toEqual([]);
    await page.getByRole('button', { name: 'End maintenance' }).click();
    await using ben = await site.visit('ben', { place: '#/pages/page-handbook', size, colorScheme });
    await ben.page.getByText('You may only read').waitFor();
    expect(await findings(ben.page), 'read-only').toEqual([]);
    await page
      .getByRole('list', { name: /online/ })
      .getByRole('img', { name: /Ben Okafor/ })
      .waitFor();
    await page.getByRole('button', { name: /^Notifications/ }).click();
    await page.getByRole('button', { name: 'Cut my connection' }).click();
    await page.getByRole('button', { name: /^Notifications/ }).click();
    await page.getByRole('region', { name: 'Notifications' }).waitFor();
    await page.getByRole('img', { name: /Ben Okafor.*, perhaps gone/ }).waitFor();
    expect(await findings(page), 'offline, with notifications').toEqual([]);
    await page.evaluate(() => Object.assign(window.location, { hash: '#/pages/page-launch' }));
    await page.getByText('has not been loaded').waitFor();
    expect(await findings(page), 'a page that is not here').toEqual([]);
    const signIn = await ben.context.newPage();
    await signIn.goto(site.demo.url);
    await signIn.getByRole('heading').waitFor();
    expect(await findings(signIn), 'sign-in').toEqual([]);
    expect(anna.complaints()).toEqual([]);
  });
});
