import { connectEngine, type Engine } from '../clients/engine.ts';
import { signToken } from '../clients/sign-token.ts';
import { expect, type Round, type Scenario } from '../scenario.ts';
import { Deadline, inParallel, settle } from '../support.ts';

/** Receivers of a room's events, counted by the text that they come as. */
class Listeners {
  received = 0;
  last = '';
  readonly #engines: Engine[] = [];
  #awaited = Number.POSITIVE_INFINITY;
  #onAwaited: () => void = () => undefined;

  async join({ candidate }: Round, port: number, room: string, name: string, count: number, deadline: Deadline): Promise<void> {
    const start = `["${name}"`;
    await inParallel(count, 20, async (index) => {
      const engine = await connectEngine({
        port,
        ...(candidate.name === 'ashlar' ? { auth: { token: signToken(`user-${index}`) } } : {}),
        onEvent: (json) => {
          if (!json.startsWith(start)) return;
          this.received += 1;
          this.last = json;
          if (this.received >= this.#awaited) this.#onAwaited();
        },
        onFailure: deadline.fail,
      });
      this.#engines.push(engine);
      await engine.ask([candidate.name === 'ashlar' ? 'join-room' : 'join', room]);
    });
  }

  /** Resolves when so many have come in all. */
  until(count: number): Promise<void> {
    if (this.received >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaited = count;
      this.#onAwaited = resolve;
    });
  }

  close(): void {
    for (const engine of this.#engines) engine.close();
  }
}

const LISTENERS = 1_000;

/** A dashboard's value to a thousand watchers, published in the server's own process: one at a time, the next when all have it. */
export const eventFanOut: Scenario = {
  name: 'event-fan-out',
  title: 'A state event, one publisher in the process, 1,000 receivers',
  metrics: [
    { name: 'cpu', unit: 'µs server CPU per delivery', base: 'socket.io' },
    { name: 'perSecond', unit: 'deliveries/s' },
  ],
  takes: ({ name }) => name === 'ashlar' || name === 'socket.io',
  rounds: { quick: 3, full: 7 },
  async run(round) {
    const listeners = new Listeners();
    const [warm, count] = round.quick ? [30, 50] : [50, 100];
    const deadline = new Deadline(120, () => `${listeners.received} deliveries`);
    try {
      const server = await round.start();
      await deadline.race(listeners.join(round, server.port, 'dashboard', 'dashboard:update', LISTENERS, deadline));
      const publish = async (from: number, to: number): Promise<void> => {
        for (let value = from; value < to; value += 1) {
          const data = { widgetId: 'orders', value, timestamp: new Date().toISOString() };
          void server.do('publish', { room: 'dashboard', name: 'dashboard:update', data }).catch(deadline.fail);
          await listeners.until((value + 1) * LISTENERS);
        }
      };
      await deadline.race(publish(0, warm));
      await deadline.race(settle(server));
      const before = await server.usage();
      const startedAt = performance.now();
      await deadline.race(publish(warm, warm + count));
      const seconds = (performance.now() - startedAt) / 1_000;
      const after = await server.usage();
      expect(
        listeners.received === (warm + count) * LISTENERS,
        `${(warm + count) * LISTENERS} deliveries, there were ${listeners.received}`,
      );
      expect(listeners.last.includes(`"value":${warm + count - 1}`), 'the last value came last');
      const delivered = count * LISTENERS;
      return { cpu: (after.cpu - before.cpu) / delivered, perSecond: delivered / seconds };
    } finally {
      deadline.end();
      listeners.close();
    }
  },
};

const CHATTERS = 20;

/** Chat messages, durable, appended in the server's own process with at most 200 that are not on disk yet. */
export const logEvents: Scenario = {
  name: 'log-events',
  title: 'Durable log events, 20 receivers, at most 200 appends under way',
  metrics: [
    { name: 'appends', unit: 'appends/s, acked on disk' },
    { name: 'deliveries', unit: 'deliveries/s' },
    { name: 'cpu', unit: 'µs server CPU per delivery' },
  ],
  takes: ({ name }) => name === 'ashlar',
  rounds: { quick: 3, full: 5 },
  async run(round) {
    const listeners = new Listeners();
    const deadline = new Deadline(120, () => `${listeners.received} deliveries`);
    try {
      const server = await round.start();
      await deadline.race(listeners.join(round, server.port, 'chat:1', 'chat:message', CHATTERS, deadline));
      const append = async (count: number): Promise<number> => {
        const from = performance.now();
        await server.do('append', { count, inFlight: 200 });
        return (performance.now() - from) / 1_000;
      };
      await deadline.race(append(2_000));
      await deadline.race(listeners.until(2_000 * CHATTERS));
      await deadline.race(settle(server));
      const count = round.quick ? 5_000 : 20_000;
      const before = await server.usage();
      const startedAt = performance.now();
      const appended = await deadline.race(append(count));
      await deadline.race(listeners.until((2_000 + count) * CHATTERS));
      const seconds = (performance.now() - startedAt) / 1_000;
      const after = await server.usage();
      expect(listeners.received === (2_000 + count) * CHATTERS, `each listener had each message once`);
      const delivered = count * CHATTERS;
      return { appends: count / appended, deliveries: delivered / seconds, cpu: (after.cpu - before.cpu) / delivered };
    } finally {
      deadline.end();
      listeners.close();
    }
  },
};
