import type { DocumentClient } from '../../clients/document-client.ts';
import { expect } from '../../scenario.ts';
import type { ServerProcess } from '../../server-process.ts';
import { wait } from '../../support.ts';

const CHATTERS = 20;
const CHAT_MS = 250;
const WIDGETS = 4;
const TICK_MS = 250;

/** A chat of twenty, four messages a second, and a dashboard that all look at, four values a second: on the connections that carry the documents. */
export class Office {
  messages = 0;
  ticks = 0;
  #closed = false;
  #heard = 0;
  readonly #isAshlar: boolean;
  readonly #server: ServerProcess;
  readonly #clients: readonly DocumentClient[];
  /** By person: the last value of each widget. */
  readonly #seen: Map<string, number>[];

  constructor(candidate: string, server: ServerProcess, clients: readonly DocumentClient[]) {
    this.#isAshlar = candidate === 'ashlar';
    this.#server = server;
    this.#clients = clients;
    this.#seen = clients.map(() => new Map());
  }

  async join(): Promise<void> {
    const join = this.#isAshlar ? 'join-room' : 'join';
    for (const [person, { events }] of this.#clients.entries()) {
      await events?.ask([join, 'dashboard']);
      if (person < CHATTERS) await events?.ask([join, 'chat:team']);
    }
  }

  readonly onEvent = (person: number, json: string): void => {
    if (json.startsWith('["chat:message"')) this.#heard += 1;
    else if (json.startsWith('["dashboard:update"')) {
      const [, { widgetId, value }] = JSON.parse(json) as [string, { widgetId: string; value: number }];
      this.#seen[person]?.set(widgetId, value);
    }
  };

  /** Talks and ticks for a while; resolves when all have heard it. */
  async work(ms: number): Promise<void> {
    await Promise.all([this.#talk(Math.floor(ms / CHAT_MS)), this.#tick(Math.floor(ms / TICK_MS))]);
    while (!this.#closed && (this.#heard < this.messages * CHATTERS || !this.#isSeen)) await wait(20);
  }

  async #talk(count: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 1; sent <= count; sent += 1) {
      const engine = this.#clients[this.messages % CHATTERS]?.events;
      this.messages += 1;
      const message = { sessionId: 'team', content: `what is said in message ${this.messages}` };
      await engine?.ask(this.#isAshlar ? ['chat:message', message] : ['chat', 'chat:team', message]);
      await wait(Math.max(0, startedAt + sent * CHAT_MS - performance.now()));
    }
  }

  async #tick(count: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 1; sent <= count; sent += 1) {
      const widgetId = `widget-${this.ticks % WIDGETS}`;
      this.ticks += 1;
      const data = { widgetId, value: this.ticks, timestamp: new Date().toISOString() };
      await this.#server.do('publish', { room: 'dashboard', name: 'dashboard:update', data });
      await wait(Math.max(0, startedAt + sent * TICK_MS - performance.now()));
    }
  }

  /** The last values are on everybody's dashboard. Older ones may be skipped. */
  get #isSeen(): boolean {
    return this.#seen.every((values) => Math.max(0, ...values.values()) === this.ticks);
  }

  verify(): void {
    const expected = this.messages * CHATTERS;
    expect(this.#heard === expected, `${expected} messages are heard, there were ${this.#heard}`);
    expect(this.#isSeen, 'everybody sees the last value');
  }

  close(): void {
    this.#closed = true;
  }
}
