import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { createClient } from '../../client/index.ts';
import { browserDemo } from '../support/browser-demo.ts';
import { SECRET, tokenFor } from '../support/start-server.ts';

const MARKUP = `"><img src=x onerror="window.taken='img'"><script>window.taken='script'</script>`;
const LINK = `javascript:window.taken='link'`;

const site = browserDemo({ JWT_SECRET: SECRET });
const messages = (page: Page) => page.getByRole('log', { name: 'Messages' });

test('[5] names, chat, titles, cards and awareness that are markup are shown as text, and nothing of them runs', async () => {
  await using anna = await site.visit('anna');
  const { page } = anna;
  const mallory = createClient({
    url: site.demo.url,
    token: tokenFor('mallory', { name: `Mallory ${MARKUP}` }),
    transports: ['websocket'],
  });
  await mallory.connect();
  try {
    await mallory.joinRoom('workspace');
    const [workspace, welcome, board] = ['workspace', 'page-welcome', 'board'].map((name) => mallory.document(name));
    await Promise.all([workspace, welcome, board].map((handle) => handle?.whenSynced));
    for (const handle of [workspace, welcome]) {
      handle?.awareness.setLocalStateField('user', { id: 'anna', name: MARKUP, color: `red;background:url(${LINK})` });
      handle?.awareness.setLocalStateField('activity', { idle: false, place: MARKUP });
    }
    for (const content of [MARKUP, LINK]) await mallory.emit('chat:message', { sessionId: 'team', content });

    // Who is here: by the token's name, in text, however odd.
    const here = page.getByRole('list', { name: 'In this document' });
    await here.getByRole('img', { name: `Mallory ${MARKUP}`, exact: true }).waitFor();
    await page
      .getByRole('list', { name: /online/ })
      .getByRole('img', { name: `Mallory ${MARKUP} (${MARKUP})`, exact: true })
      .waitFor();
    for (const said of [MARKUP, LINK]) await messages(page).getByText(said, { exact: true }).waitFor();
    await messages(page).getByText(`Mallory ${MARKUP}`, { exact: true }).first().waitFor();

    // A page's title and a card, written past the demo's own forms; and what is no title and no card at all.
    const pages = workspace?.doc.getMap<unknown>('pages');
    pages?.set('page-odd', { title: `Title ${MARKUP}`, order: 90 });
    pages?.set(LINK, { title: 'A page whose id is a link', order: 91 });
    pages?.set('page-none', { title: { no: 'text' }, order: 'first' });
    pages?.set('page-number', 7);
    pages?.set('..', { title: 'A page whose id is no name', order: 92 });
    board?.doc.getMap<unknown>('cards').set('card-none', 'no card');
    const card = new Y.Map<unknown>([
      ['title', `Card ${MARKUP}`],
      ['column', 'column-0'],
      ['order', 90],
    ]);
    board?.doc.getMap<unknown>('cards').set('card-odd', card);
    await page.getByRole('link', { name: `Title ${MARKUP}`, exact: true }).waitFor();
    await page.getByRole('link', { name: 'A page whose id is a link' }).click();
    expect(await page.getByText('A page whose id is no name').count()).toBe(0);
    await page.goto(`${site.demo.url}/?as=anna#/board`);
    await page.getByRole('button', { name: `Card ${MARKUP}`, exact: true }).waitFor();
    await page.goto(`${site.demo.url}/?as=anna#/pages/page-welcome`);
    await page.getByRole('textbox', { name: 'Welcome' }).waitFor();

    expect(await page.evaluate(() => (window as { taken?: string }).taken)).toBeUndefined();
    expect(await page.locator('img[src="x"], script:not([src])').count()).toBe(0);
    expect(anna.complaints()).toEqual([]);
  } finally {
    mallory.disconnect();
  }
});
