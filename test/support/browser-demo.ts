import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser, type VisitOptions, type Visitor, visit } from './browser.ts';
import { type DemoServer, startDemoServer } from './demo-server.ts';

/** A browser, and a demo that it visits. */
export interface BrowserDemo {
  readonly browser: Browser;
  readonly demo: DemoServer;
  /** As `visit` of the demo. */
  visit(id: string, options?: VisitOptions): Promise<Visitor>;
}

/** A browser and a demo for the tests of one file: both start before them and end behind them. @param environment of the demo's process */
export function browserDemo(environment: { readonly [name: string]: string } = {}): BrowserDemo {
  let browser: Browser;
  let demo: DemoServer;
  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchBrowser(), startDemoServer(environment)]);
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });
  return {
    get browser() {
      return browser;
    },
    get demo() {
      return demo;
    },
    visit: (id, options) => visit(browser, demo.url, id, options),
  };
}
