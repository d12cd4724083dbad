import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Joined, joinDocument } from '../../server/cli/replay/join-document.ts';
import { drawClientIds, planLanes } from '../../server/cli/replay/plan-lanes.ts';
import { play, until } from '../../server/cli/replay/play.ts';
import { readTrace } from '../../server/cli/replay/read-trace.ts';
import { TEXT, writeUpdates } from '../../server/cli/replay/write-updates.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { watchRefusals } from '../support/watch-refusals.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/traces/${name}.json.gz`, import.meta.url));
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Clients of the SDK in one document. A refusal for good, or a reset, ends whatever the test waits for. */
class Room implements Disposable {
  readonly #document: string;
  readonly #end = new AbortController();
  readonly #joined: Joined[] = [];

  constructor(document: string) {
    this.#document = document;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  async join({ url }: TestServer, user: string, clientId?: number): Promise<Joined> {
    const joined = await joinDocument({
      url,
      path: '/socket.io/',
      token: tokenFor(user),
      document: this.#document,
      clientId,
      label: user,
      onFailure: (error) => this.#end.abort(error),
      onActivity: () => {},
      signal: this.signal,
    });
    this.#joined.push(joined);
    return joined;
  }

  [Symbol.dispose](): void {
    for (const joined of this.#joined) joined.close();
  }
}

// The limit of the test is that of the whole: the play, all who read along, a restart and a later joiner.
test.each([
  ['friendsforever.concurrent', { agents: 2, transactions: 26_078 }],
  ['friendsforever_flat', { agents: 1, transactions: 26_078 }],
  ['seph-blog1', { agents: 1, transactions: 137_154 }],
] as const)(
  '[1] %s, typed by a client per agent, is the same text for its writers, a reader, and a later joiner after a restart',
  async (name, { agents, transactions }) => {
    using refusals = watchRefusals();
    const trace = readTrace(fixture(name));
    const plan = planLanes(trace);
    expect(plan.lanes).toHaveLength(agents);
    expect(trace.transactions).toHaveLength(transactions);
    await using server = await startServer();
    using room = new Room(name);
    const clientIds = drawClientIds(plan, () => Math.floor(Math.random() * 2 ** 32));
    const writers = await Promise.all(plan.lanes.map(({ agent }, lane) => room.join(server, `agent ${agent}`, clientIds[lane])));
    const reader = await room.join(server, 'reader');
    const written = await writeUpdates(trace, plan, clientIds, breathe);
    let typed = 0;
    await play({
      plan,
      written,
      writers,
      rate: undefined,
      now: () => performance.now(),
      pause: breathe,
      onTyped: () => {
        typed += 1;
      },
      onSaved: () => {},
      signal: room.signal,
    });
    expect(typed).toBe(transactions);
    for (const member of [...writers, reader]) {
      await until(member.doc, () => member.text() === trace.endContent, room.signal);
      expect(member.handle.unsavedChanges.get()).toBe(0);
    }
    const read = await server.realtime.documents.read(name);
    expect(read.getText(TEXT).toString()).toBe(trace.endContent);
    await server.stop();

    await using again = await startServer({ dataDir: server.dataDir });
    const later = await room.join(again, 'later');
    expect(later.text()).toBe(trace.endContent);
    // Over a limit the client waits and sends again, from the refused update on; anything else would be an honest update refused.
    const others = refusals.frames.filter(
      (frame) => frame.type !== 'refused' || (frame.code !== 'rate-limited' && frame.code !== 'counter-gap'),
    );
    expect(others).toEqual([]);
  },
  90_000,
);
