import * as Y from 'yjs';
import type { DocumentClient } from '../clients/document-client.ts';
import { expect, type Figures, type Round, type Scenario } from '../scenario.ts';
import { countTyped, Deadline, inParallel, percentile, settleStored, TEXT, typeText } from '../support.ts';

const RECEIVERS = 50;
const IN_FLIGHT = 50;
const PACE_MS = 50;

/** One writer and fifty receivers of one document; what reaches them is counted, and one of them reads it. */
class Audience {
  readonly updates: readonly Uint8Array[];
  readonly reader = new Y.Doc();
  /** By update: how many have it. */
  readonly #counts: Uint16Array;
  readonly #received: number[] = [];
  readonly #sentAt: Float64Array;
  readonly latencies: number[] = [];
  deliveries = 0;
  complete = 0;
  #onComplete: () => void = () => undefined;
  writer!: DocumentClient;
  readonly #clients: DocumentClient[] = [];

  constructor(updates: readonly Uint8Array[]) {
    this.updates = updates;
    this.#counts = new Uint16Array(updates.length);
    this.#sentAt = new Float64Array(updates.length);
  }

  async join(round: Round, port: number, clientId: number, deadline: Deadline): Promise<void> {
    const { connect } = round.candidate;
    const common = { port, document: 'handbook', onFailure: deadline.fail };
    await inParallel(RECEIVERS, 10, async (index) => {
      // What comes with the join is the state of an empty document.
      let joined = false;
      this.#received[index] = 0;
      const client = await connect({
        ...common,
        user: `reader-${index}`,
        onUpdate: (update) => {
          if (joined) this.#take(index, update);
        },
      });
      joined = true;
      this.#clients.push(client);
    });
    this.writer = await connect({ ...common, user: 'writer', clientId, onUpdate: () => undefined });
    this.#clients.push(this.writer);
  }

  // A server may send several updates as one.
  #take(receiver: number, update: Uint8Array): void {
    if (receiver === 0) Y.applyUpdate(this.reader, update);
    const number = this.#received[receiver] as number;
    const isOne = update.length <= (this.updates[number]?.length ?? 0);
    for (let left = isOne ? 1 : countTyped(update); left > 0; left -= 1) this.#deliver(receiver);
  }

  #deliver(receiver: number): void {
    const number = this.#received[receiver] as number;
    this.#received[receiver] = number + 1;
    this.deliveries += 1;
    this.latencies.push(performance.now() - (this.#sentAt[number] as number));
    const count = (this.#counts[number] as number) + 1;
    this.#counts[number] = count;
    if (count === RECEIVERS) {
      this.complete += 1;
      this.#onComplete();
    }
  }

  send(number: number): void {
    this.#sentAt[number] = performance.now();
    this.writer.send(this.updates[number] as Uint8Array);
  }

  /** Sends updates with at most so many that not everybody has yet. */
  burst(from: number, to: number): Promise<void> {
    return new Promise((resolve) => {
      let next = from;
      const fill = (): void => {
        while (next < to && next - this.complete < IN_FLIGHT) this.send(next++);
        if (this.complete >= to) resolve();
      };
      this.#onComplete = fill;
      fill();
    });
  }

  /** Sends updates at 20/s, each at its time. */
  paced(from: number, to: number): Promise<void> {
    return new Promise((resolve) => {
      const start = performance.now();
      this.#onComplete = () => {
        if (this.complete >= to) resolve();
      };
      const tick = (number: number): void => {
        this.send(number);
        if (number + 1 < to) setTimeout(tick, start + (number + 1 - from) * PACE_MS - performance.now(), number + 1);
      };
      tick(from);
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.reader.destroy();
  }
}

async function run(round: Round, warm: number, count: number, how: 'burst' | 'paced'): Promise<Figures> {
  const typing = typeText(warm + count);
  const audience = new Audience(typing.updates);
  const deadline = new Deadline(120, () => `${audience.deliveries} of ${typing.updates.length * RECEIVERS} deliveries`);
  try {
    const server = await round.start();
    await deadline.race(audience.join(round, server.port, typing.clientId, deadline));
    await deadline.race(audience.burst(0, warm));
    audience.latencies.length = 0;
    // A document server may still be storing or compacting the warm-up, or rest before it does.
    await deadline.race(settleStored(server));
    const before = await server.usage();
    const startedAt = performance.now();
    await deadline.race(audience[how](warm, warm + count));
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await server.usage();
    const delivered = count * RECEIVERS;
    expect(audience.latencies.length === delivered, `${delivered} deliveries, there were ${audience.latencies.length}`);
    expect(audience.reader.getText(TEXT).toString() === typing.text, 'a receiver holds what was typed');
    const sorted = Float64Array.from(audience.latencies).sort();
    return {
      cpu: (after.cpu - before.cpu) / delivered,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      perSecond: delivered / seconds,
    };
  } finally {
    deadline.end();
    audience.close();
  }
}

export const fanOutPaced: Scenario = {
  name: 'fan-out-paced',
  title: 'One writer, 20 updates/s, 50 receivers',
  metrics: [
    { name: 'cpu', unit: 'µs server CPU per delivery', base: 'raw' },
    { name: 'p50', unit: 'ms latency p50' },
    { name: 'p99', unit: 'ms latency p99' },
  ],
  takes: () => true,
  rounds: { quick: 3, full: 5 },
  run: (round) => run(round, 2_000, round.quick ? 80 : 160, 'paced'),
};

export const fanOutBurst: Scenario = {
  name: 'fan-out-burst',
  title: 'One writer, at most 50 updates in flight, 50 receivers',
  metrics: [
    { name: 'cpu', unit: 'µs server CPU per delivery', base: 'raw' },
    { name: 'perSecond', unit: 'deliveries/s' },
  ],
  takes: () => true,
  rounds: { quick: 3, full: 5 },
  run: (round) => run(round, 2_000, round.quick ? 2_000 : 4_000, 'burst'),
};
