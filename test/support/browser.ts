import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium that is on PATH. @throws where there is none, naming the command that installs it */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS });
}

/** Where Chromium is on a PATH. */
export function findChromium(path: string = process.env.PATH ?? ''): string {
  for (const folder of path.split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      try {
        const file = join(folder, name);
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Looked for in the next folder.
      }
    }
  }
  throw new Error(
    'The browser tests need Chromium, and there is none on PATH: apt-get update && apt-get install -y --no-install-recommends chromium',
  );
}

/** One device of one person, with the demo open. */
export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors and warnings of the console so far, but for those that tell of a server that is down. */
  complaints(): string[];
}

/** What Chromium itself writes when nobody answers, or a server that is starting says so: the page can’t keep it from doing so. */
const NO_SERVER =
  /net::ERR_(CONNECTION_|INTERNET_|EMPTY_RESPONSE|SOCKET_)|WebSocket connection to .* failed|Failed to load resource: .* status of 503/;

export interface VisitOptions {
  /** Such as `#/board`. */
  readonly place?: string;
  readonly size?: { width: number; height: number };
  readonly colorScheme?: 'light' | 'dark';
  /** A device that is used by finger. */
  readonly touch?: boolean;
  /** The server is going to be killed. */
  readonly mayLoseServer?: boolean;
}

/** Opens the demo as somebody, in a browser profile of its own, and waits for the connection. */
export async function visit(browser: Browser, url: string, id: string, options: VisitOptions = {}): Promise<Visitor> {
  const {
    place = '',
    size = { width: 1280, height: 800 },
    colorScheme = 'light',
    mayLoseServer = false,
    touch = false,
  } = options;
  const context = await browser.newContext({ viewport: size, colorScheme, hasTouch: touch, isMobile: touch });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    const said = message.text();
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!(mayLoseServer && NO_SERVER.test(said))) complaints.push(said);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${url}/?as=${id}${place}`);
  await page.getByRole('status', { name: 'Connection' }).getByText('Connected').waitFor();
  await page
    .getByRole('list', { name: /online/ })
    .locator('li')
    .first()
    .waitFor();
  return { page, context, complaints: () => [...complaints], [Symbol.asyncDispose]: () => context.close() };
}

/** Where the page says how far its edits have come. */
export const saving = (page: Page) => page.getByRole('status', { name: 'Saving' });

/** All is on the server: who visits next finds it as it is here. */
export const saved = (page: Page) => saving(page).getByText('All changes saved').waitFor();

/** The text of the page that is open, without the names at the carets of others. */
export function textOf(page: Page): Promise<string> {
  return page.locator('.prose').evaluate((element) => {
    const copy = element.cloneNode(true) as Element;
    for (const caret of copy.querySelectorAll('.caret')) caret.remove();
    return [...copy.children].map((block) => block.textContent).join('\n');
  });
}
