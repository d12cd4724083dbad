import * as Y from 'yjs';
import type { ServerProcess } from './server-process.ts';

/** A writer's updates, one typed character each, and the text that they make. */
export interface Typing {
  readonly clientId: number;
  readonly updates: readonly Uint8Array[];
  readonly text: string;
}

/** The Y.Text that everything is typed into. */
export const TEXT = 'text';

/** Somebody types at the end of a document. @param seed gives each writer another client id and another text */
export function typeText(count: number, seed = 0): Typing {
  const doc = new Y.Doc();
  doc.clientID = 1_000_000_007 + seed * 7_919;
  const text = doc.getText(TEXT);
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let index = 0; index < count; index += 1) text.insert(text.length, String.fromCharCode(97 + ((index * 7 + seed) % 26)));
  return { clientId: doc.clientID, updates, text: text.toString() };
}

/** How many of the typed characters an update brings. @param except those of this client: a server may send back what it was sent */
export function countTyped(update: Uint8Array, except?: number): number {
  return Y.decodeUpdate(update).structs.reduce((sum, { id, length }) => sum + (id.client === except ? 0 : length), 0);
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Acts so many times, each at its time by the clock, however long an act or a wait takes. @param act gets its number, from 0 */
export async function inPace(count: number, everyMs: number, act: (number: number) => void): Promise<void> {
  const startedAt = performance.now();
  for (let number = 0; number < count; number += 1) {
    act(number);
    await wait(Math.max(0, startedAt + (number + 1) * everyMs - performance.now()));
  }
}

/** Waits until a server is at rest: less than 2 % of a processor over a second, for at most 20 s. @returns the CPU that it used meanwhile, µs */
export async function settle(server: ServerProcess): Promise<number> {
  const { cpu: first } = await server.usage();
  let last = first;
  const end = performance.now() + 20_000;
  for (let quiet = 0; quiet < 4 && performance.now() < end; ) {
    await wait(250);
    const { cpu } = await server.usage();
    quiet = cpu - last < 5_000 ? quiet + 1 : 0;
    last = cpu;
  }
  return last - first;
}

/** Also waits for what a server stores later by default: Hocuspocus 2 s after the last change. */
export async function settleStored(server: ServerProcess): Promise<void> {
  await wait(2_500);
  await settle(server);
}

/** Rejects when something is not done in time, or when a round has failed elsewhere. */
export class Deadline {
  readonly #failure: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(seconds: number, what: () => string) {
    this.#failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failure.catch(() => undefined);
    this.#timer = setTimeout(() => this.#fail(new Error(`not done in ${seconds} s: ${what()}`)), seconds * 1_000);
  }

  readonly fail = (error: Error): void => this.#fail(error);

  race<Value>(promise: Promise<Value>): Promise<Value> {
    return Promise.race([promise, this.#failure]);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Runs tasks, some of them at a time. */
export async function inParallel<Value>(count: number, width: number, task: (index: number) => Promise<Value>): Promise<Value[]> {
  const results: Value[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      results[index] = await task(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
  return results;
}

/** A value at a share of sorted numbers. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
