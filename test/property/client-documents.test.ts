import fc from 'fast-check';
import { expect, test } from 'vitest';
import type * as Y from 'yjs';
import { SimulatedClient, SimulatedTime } from '../support/document-simulation.ts';
import { ModelDocumentServer } from '../support/model-document-server.ts';

type Step =
  | { do: 'write'; who: number; at: number; text: string }
  | { do: 'erase'; who: number; at: number; length: number }
  | { do: 'mark'; who: number }
  | { do: 'toServer'; who: number; count: number }
  | { do: 'toClient'; who: number; count: number; how: 'once' | 'twice' | 'lost' }
  | { do: 'commit' }
  | { do: 'flow'; who: number }
  | { do: 'cut'; who: number; noticed: boolean }
  | { do: 'connect'; who: number }
  | { do: 'refuse'; times: number; retryAfterMs: number }
  | { do: 'crash'; lost: number }
  | { do: 'wait'; ms: number };

const who = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      at: fc.nat(),
      text: fc.string({ minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('erase' as const), who, at: fc.nat(), length: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mark' as const), who }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('toServer' as const),
      who,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('toClient' as const),
      who,
      count: fc.integer({ min: 1, max: 4 }),
      how: fc.constantFrom('once' as const, 'once' as const, 'twice' as const, 'lost' as const),
    }),
  },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('flow' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), who, noticed: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('connect' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      times: fc.integer({ min: 1, max: 3 }),
      retryAfterMs: fc.constantFrom(0, 500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), lost: fc.constantFrom(0, 0, 1, 3) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 300, 5_000) }) },
);

/** Two clients on one document, with a wire, a server and a clock that only the steps move. */
class Net {
  readonly time = new SimulatedTime();
  readonly server = new ModelDocumentServer();
  readonly clients: SimulatedClient[];
  readonly marks: string[] = [];
  #refusals = 0;
  #seed = 1;

  constructor() {
    const random = () => {
      this.#seed = (this.#seed * 48_271) % 2_147_483_647;
      return this.#seed / 2_147_483_647;
    };
    this.clients = [0, 1].map((index) => new SimulatedClient(`client-${index}`, this.server, this.time, random));
    let wait = 0;
    this.server.refuse = () => (this.#refusals-- > 0 ? { code: 'rate-limited', retryAfterMs: wait } : undefined);
    this.setRefusals = (times, retryAfterMs) => {
      this.#refusals = times;
      wait = retryAfterMs;
    };
  }

  readonly setRefusals: (times: number, retryAfterMs: number) => void;

  apply(action: Step): void {
    switch (action.do) {
      case 'write': {
        const text = this.clients[action.who]!.doc.getText('text');
        text.insert(action.at % (text.length + 1), action.text);
        break;
      }
      case 'erase': {
        const text = this.clients[action.who]!.doc.getText('text');
        if (text.length === 0) break;
        const at = action.at % text.length;
        text.delete(at, Math.min(action.length, text.length - at));
        break;
      }
      case 'mark': {
        const mark = `mark-${this.marks.length}`;
        this.marks.push(mark);
        this.clients[action.who]!.doc.getMap('marks').set(mark, true);
        break;
      }
      case 'toServer':
        for (let index = 0; index < action.count; index++) this.clients[action.who]!.deliverToServer();
        break;
      case 'toClient':
        for (let index = 0; index < action.count; index++) this.clients[action.who]!.deliverToClient(action.how);
        break;
      case 'commit':
        this.server.commit();
        break;
      case 'flow':
        this.time.advance(1);
        while (this.clients[action.who]!.deliverToServer());
        while (this.clients[action.who]!.deliverToClient());
        break;
      case 'cut':
        this.clients[action.who]!.cut(action.noticed);
        break;
      case 'connect':
        this.clients[action.who]!.connect();
        break;
      case 'refuse':
        this.setRefusals(action.times, action.retryAfterMs);
        break;
      case 'crash':
        this.server.crash(action.lost);
        for (const client of this.clients) client.cut(true);
        break;
      case 'wait':
        this.time.advance(action.ms);
        break;
    }
  }

  /** Everyone comes back, and everything that can happen happens. @returns rounds used */
  settle(): number {
    this.setRefusals(0, 0);
    for (const client of this.clients) client.cut(true);
    for (const client of this.clients) client.connect();
    for (let round = 1; round <= 400; round++) {
      this.time.advance(1_000);
      let moved = false;
      for (const client of this.clients) {
        while (client.deliverToServer()) moved = true;
        while (client.deliverToClient()) moved = true;
      }
      this.server.commit();
      const quiet = this.clients.every((client) => client.toClient.length === 0 && client.toServer.length === 0);
      const done = this.clients.every((client) => client.session.outbox.isEmpty && client.session.status.state === 'synced');
      if (!moved && quiet && done) return round;
    }
    return Number.POSITIVE_INFINITY;
  }
}

function contentOf(doc: Y.Doc): string {
  return JSON.stringify([doc.getText('text').toString(), Object.keys(doc.getMap('marks').toJSON()).sort()]);
}

function run(steps: readonly Step[]): Net {
  const net = new Net();
  for (const action of steps) net.apply(action);
  expect(net.settle()).toBeLessThan(400);
  for (const client of net.clients) {
    expect(client.failed).toBeNull();
    expect(client.session.outbox.unsaved).toBe(0);
    expect(client.doc.store.pendingStructs).toBeNull();
    // Nothing that anyone wrote is lost, whatever the network, the server and its disk did.
    expect(Object.keys(client.doc.getMap('marks').toJSON()).sort()).toEqual([...net.marks].sort());
  }
  const [ada, bob] = net.clients;
  expect(contentOf(ada!.doc)).toBe(contentOf(bob!.doc));
  expect(contentOf(net.server.committedDoc())).toBe(contentOf(ada!.doc));
  return net;
}

const replay = {
  numRuns: Number(process.env.FC_RUNS ?? 600),
  ...(process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED), path: process.env.FC_PATH ?? '' }),
};

test('[2] two sessions converge and lose nothing, whatever the network and the server do', () => {
  let records = 0;
  let rejoins = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 150, size: 'max' }), (steps) => {
      const net = run([{ do: 'connect', who: 0 }, { do: 'connect', who: 1 }, ...steps]);
      records += net.server.records.length;
      rejoins += steps.filter((action) => action.do === 'cut' || action.do === 'crash').length;
    }),
    replay,
  );
  // The runs did something.
  expect(records).toBeGreaterThan(2_000);
  expect(rejoins).toBeGreaterThan(1_000);
});
