import { deepStrictEqual as same } from 'node:assert/strict';
import { type Client, createClient, type DocumentHandle, platformEnvironment } from '../../client/index.ts';
import { type ChildServer, type ProcessSample, startChildServer } from './child-server.ts';
import { drawFrom } from './mutate-update.ts';
import { retainedBytes } from './retained-bytes.ts';
import { until } from './sdk.ts';
import { tokenFor } from './start-server.ts';
import { startTcpProxy } from './tcp-proxy.ts';

export interface SoakOptions {
  /** Each: everybody writes, some come and go, the network is cut, and all have the same in the end. */
  readonly rounds: number;
  /** From one round's start to the next, ms; a round that takes longer is followed at once. */
  readonly everyMs: number;
  readonly seed: number;
  progress?(round: number, server: ProcessSample, clientBytes: number): void;
}

/** One sample per round of the server's process and of this one, the first rounds (in which code is compiled) left out. */
export interface SoakResult {
  readonly server: readonly ProcessSample[];
  readonly clients: readonly { readonly heapBytes: number }[];
}

/** What the server may hold at the end, given what it held at the beginning. */
export const SERVER_LIMITS = {
  heapBytes: (first: number) => first * 1.1 + 2_000_000,
  residentBytes: (first: number) => first * 1.2 + 30_000_000,
  descriptors: (first: number) => first + 5,
  handles: (first: number) => first + 10,
};
export const CLIENT_LIMITS = { heapBytes: (first: number) => first * 1.1 + 2_000_000 };

const WARM_UP = 3;
const PEOPLE = 16;
/** Fewer than people: some have two devices. */
const USERS = 12;
const DOCUMENTS = 4;
/** Documents are left for new ones after so many rounds: each reload of a page is one more Yjs client in them for ever. */
const ROUNDS_PER_DOCUMENT = 30;
const LONGEST_TEXT = 200;

// Tokens hold for an hour, a soak may take longer.
const publisher = () => tokenFor('erp', { permissions: ['publish'] });

/** Somebody at a page: in a document, a chat, the dashboard. */
class Person {
  readonly #number: number;
  readonly #url: string;
  #client: Client;
  handle: DocumentHandle;

  constructor(number: number, url: string, document: string) {
    this.#number = number;
    this.#url = url;
    [this.#client, this.handle] = this.#open(document);
  }

  #open(document: string): [Client, DocumentHandle] {
    const client = createClient({
      url: this.#url,
      token: async () => tokenFor(`user-${this.#number % USERS}`),
      transports: this.#number % 4 === 0 ? ['polling'] : ['websocket'],
      // It waits at random before it comes back: here always for a short while.
      environment: { ...platformEnvironment(), random: () => 0.05 },
    });
    void client.connect();
    void client.joinRoom('dashboard');
    client.on('dashboard:update', () => {});
    client.on('system:notification', () => {});
    client.on('chat:message', () => {});
    void client.joinRoom(`chat:${this.#number % 3}`);
    const handle = client.document(document);
    handle.awareness.setLocalStateField('pointer', this.#number);
    return [client, handle];
  }

  async reload(document: string): Promise<void> {
    await this.leave();
    [this.#client, this.handle] = this.#open(document);
    await this.handle.whenSynced;
  }

  async leave(): Promise<void> {
    this.handle.destroy();
    this.#client.disconnect();
    await until(this.#client.status, ({ state }) => state === 'idle' || state === 'closed');
  }

  type(draw: (below: number) => number): void {
    const text = this.handle.doc.getText('text');
    for (let count = 0; count < 5; count++) {
      text.insert(draw(text.length + 1), 'abcdefgh'[draw(8)] as string);
      if (text.length > LONGEST_TEXT) text.delete(draw(text.length - 1), 1);
    }
    this.handle.awareness.setLocalStateField('pointer', draw(LONGEST_TEXT));
  }

  say(content: string): Promise<unknown> {
    return this.#client.emit('chat:message', { sessionId: String(this.#number % 3), content });
  }

  get text(): string {
    return this.handle.doc.getText('text').toString();
  }
}

/**
 * Lets a crowd work against the built server: type, chat, watch a dashboard, reload, lose the network; and samples what the server and the
 * clients hold after each round, when everybody is back and has the same.
 * @throws AssertionError, with the seed, where people of one document do not have the same
 */
export async function soak({ rounds, everyMs, seed, progress }: SoakOptions): Promise<SoakResult> {
  const draw = drawFrom(seed);
  await using server = await startChildServer({ ASHLAR_PRESENCE_GRACE_MS: '100' }, { probe: true });
  await using proxy = await startTcpProxy(server.url);
  const documentOf = (number: number, round: number) => `doc-${Math.floor(round / ROUNDS_PER_DOCUMENT)}-${number % DOCUMENTS}`;
  const people = Array.from({ length: PEOPLE }, (_, number) => new Person(number, proxy.url, documentOf(number, 0)));
  const result = { server: [] as ProcessSample[], clients: [] as { heapBytes: number }[] };
  try {
    for (let round = 0; round < rounds + WARM_UP; round++) {
      const next = Date.now() + everyMs;
      const moves = round > 0 && round % ROUNDS_PER_DOCUMENT === 0;
      const reloading = people
        .map((person, number) => ({ person, number }))
        .filter(({ number }) => moves || draw(4) === number % 4);
      await Promise.all(reloading.map(({ person, number }) => person.reload(documentOf(number, round))));
      for (const person of people) person.type(draw);
      await Promise.all([publish(server, round), people[draw(PEOPLE)]?.say(`round ${round}`)]);
      if (round % 2 === 0) {
        proxy.cut();
        for (const person of people) person.type(draw);
        proxy.mend();
      }
      await allHaveTheSame(people, seed);
      const [held, clientBytes] = [await server.sample(), await retainedBytes()];
      if (round >= WARM_UP) {
        result.server.push(held);
        result.clients.push({ heapBytes: clientBytes });
      }
      progress?.(round - WARM_UP + 1, held, clientBytes);
      if (round < rounds + WARM_UP - 1) await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
    return result;
  } finally {
    await Promise.all(people.map((person) => person.leave()));
  }
}

async function publish(server: ChildServer, round: number): Promise<void> {
  const timestamp = new Date().toISOString();
  const batchId = String(round % 10);
  const events = [
    ...Array.from({ length: 5 }, (_, widget) => ({
      event: 'dashboard:update',
      data: { widgetId: String(widget), value: round, timestamp },
    })),
    {
      event: 'system:notification',
      userId: `user-${round % USERS}`,
      data: { id: `n-${round}`, level: 'info', title: 'Round', message: String(round), timestamp },
    },
    { event: 'batch:progress', data: { batchId, status: 'processing', progress: 50, current: 50, total: 100 } },
  ];
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${publisher()}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  same(response.status, 200, await response.text());
}

async function allHaveTheSame(people: readonly Person[], seed: number): Promise<void> {
  await Promise.all(people.map(({ handle }) => handle.whenSaved()));
  const end = Date.now() + 30_000;
  for (;;) {
    const texts = new Map<string, Set<string>>();
    for (const { handle, text } of people) texts.set(handle.name, (texts.get(handle.name) ?? new Set()).add(text));
    if ([...texts.values()].every(({ size }) => size === 1)) return;
    same(Date.now() < end, true, `seed ${seed}: after 30 s people of one document do not have the same`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
