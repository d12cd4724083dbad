import type { CDPSession, Page } from 'playwright-core';
import { launchBrowser, textOf, type Visitor, visit } from './browser.ts';
import { startDemoServer } from './demo-server.ts';

export interface SoakOptions {
  /** Each: one of two people is cut off, both write, and the connection comes back. */
  readonly rounds: number;
  /** From one round's start to the next, ms; a round that takes longer is followed at once. */
  readonly everyMs: number;
  progress?(round: number, samples: readonly Sample[]): void;
}

/** What a page holds after garbage was collected. */
export interface Sample {
  readonly heapBytes: number;
  readonly listeners: number;
  readonly nodes: number;
}

/** The samples of each page, one per round, the first rounds (in which code is loaded and compiled) left out. */
export interface SoakResult {
  readonly pages: readonly { readonly name: string; readonly samples: readonly Sample[] }[];
  /** Errors and warnings of the consoles. */
  readonly complaints: readonly string[];
}

const WARM_UP = 2;

/**
 * Lets two people write in one page of the demo while their connections are cut in turn, and samples what their pages hold.
 * What they write is a few letters a round, no reason for a page to grow.
 */
export async function soakBrowser({ rounds, everyMs, progress }: SoakOptions): Promise<SoakResult> {
  const browser = await launchBrowser();
  try {
    await using demo = await startDemoServer();
    await using anna = await visit(browser, demo.url, 'anna');
    await using ben = await visit(browser, demo.url, 'ben');
    const people = await Promise.all([anna, ben].map(async (visitor) => ({ visitor, probe: await probeOf(visitor.page) })));
    const pages = [
      { name: 'anna', samples: [] as Sample[] },
      { name: 'ben', samples: [] as Sample[] },
    ];
    for (let round = 0; round < rounds + WARM_UP; round++) {
      const next = Date.now() + everyMs;
      const [cut, other] = round % 2 === 0 ? [anna, ben] : [ben, anna];
      await writeThroughCut(cut, other, `round ${round}`);
      const samples = await Promise.all(people.map(({ probe }) => sample(probe)));
      if (round >= WARM_UP) for (const [index, one] of samples.entries()) pages[index]?.samples.push(one);
      progress?.(round - WARM_UP + 1, samples);
      if (round < rounds + WARM_UP - 1) await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
    return { pages, complaints: [...anna.complaints(), ...ben.complaints()] };
  } finally {
    await browser.close();
  }
}

/** What a page may hold at the end, given what it held at the beginning. */
export const PAGE_LIMITS = {
  heapBytes: (first: number) => first * 1.1 + 1_000_000,
  listeners: (first: number) => first + 20,
  nodes: (first: number) => first * 1.1 + 100,
};

async function writeThroughCut(cut: Visitor, other: Visitor, text: string): Promise<void> {
  const before = await textOf(cut.page);
  await cut.page.getByRole('button', { name: 'Cut my connection' }).click();
  await Promise.all([cut, other].map(({ page }) => typeAtEnd(page, ` ${text}`)));
  await cut.page.getByRole('button', { name: 'Reconnect' }).click();
  await cut.page.getByRole('status', { name: 'Connection' }).getByText('Connected').waitFor();
  // Both wrote it, and both see both; letters of two who write at one place may lie between each other's.
  const letters = before.length + 2 * (text.length + 1);
  for (const { page } of [cut, other]) await until(async () => (await textOf(page)).length === letters, `${text} is seen`);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function typeAtEnd(page: Page, text: string): Promise<void> {
  await page.locator('.prose > p').last().click();
  await page.keyboard.press('End');
  await page.keyboard.type(text);
}

async function probeOf(page: Page): Promise<CDPSession> {
  const probe = await page.context().newCDPSession(page);
  await probe.send('Performance.enable');
  return probe;
}

async function sample(probe: CDPSession): Promise<Sample> {
  await probe.send('HeapProfiler.collectGarbage');
  const { metrics } = await probe.send('Performance.getMetrics');
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return { heapBytes: value('JSHeapUsedSize'), listeners: value('JSEventListeners'), nodes: value('Nodes') };
}
