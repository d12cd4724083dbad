import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { type Client, createClient, type DocumentHandle, platformEnvironment } from '../../client/index.ts';
import { exchangeMarks } from '../support/exchange-marks.ts';
import { contentOf, edit, roots } from '../support/random-session.ts';
import { until } from '../support/sdk.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { watchRefusals } from '../support/watch-refusals.ts';

const USERS = ['ada', 'bob', 'cleo'] as const;
const FC_SEED = Number(process.env.FC_SEED ?? 20_261_124);
const FC_RUNS = Number(process.env.FC_RUNS ?? 25);
const LIMIT_MS = Math.max(30_000, FC_RUNS * 1_000);

type Step =
  | { readonly do: 'edit'; readonly member: number; readonly kind: number; readonly at: number; readonly size: number }
  | { readonly do: 'undo' | 'redo' | 'cut' | 'vanish' | 'mend'; readonly member: number }
  | { readonly do: 'rest'; readonly turns: number };

const member = fc.nat(USERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      member,
      kind: fc.nat(99),
      at: fc.nat(9_999),
      size: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('undo' as const, 'undo' as const, 'redo' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'vanish' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mend' as const), member }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('rest' as const), turns: fc.integer({ min: 1, max: 30 }) }) },
);

/** One user with a client of the SDK, an undo manager, and a network that can be cut. */
class Member implements AsyncDisposable {
  readonly user: string;
  readonly proxy: TcpProxy;
  readonly client: Client;
  readonly handle: DocumentHandle;
  readonly undo: Y.UndoManager;
  readonly problems: string[] = [];
  /** Tells the client that the network is back: it connects at once, in place of waiting. */
  #online: (online: boolean) => void = () => {};

  constructor(user: string, proxy: TcpProxy, document: string) {
    this.user = user;
    this.proxy = proxy;
    this.client = createClient({
      url: proxy.url,
      token: tokenFor(user),
      transports: ['websocket'],
      onError: (error) => this.problems.push(String(error)),
      environment: {
        ...platformEnvironment(),
        network: {
          online: () => true,
          onChange: (listener) => {
            this.#online = listener;
            return () => {};
          },
        },
      },
    });
    void this.client.connect();
    this.handle = this.client.document(document);
    this.handle.on('error', ({ code }) => this.problems.push(code));
    this.handle.on('reset', ({ reason }) => this.problems.push(`reset: ${reason}`));
    this.undo = new Y.UndoManager([...roots(this.doc)], { captureTimeout: 0 });
  }

  get doc(): Y.Doc {
    return this.handle.doc;
  }

  mend(): void {
    this.proxy.mend();
    this.#online(true);
  }

  async reconnect(): Promise<void> {
    this.proxy.mend();
    while (this.client.status.get().state !== 'connected') {
      this.#online(true);
      await until(this.client.status, ({ state }) => state !== 'connecting');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.undo.destroy();
    this.handle.destroy();
    this.client.disconnect();
    await this.proxy[Symbol.asyncDispose]();
  }
}

async function openMembers(server: TestServer, document: string): Promise<readonly Member[] & AsyncDisposable> {
  const members = await Promise.all(USERS.map(async (user) => new Member(user, await startTcpProxy(server.url), document)));
  return Object.assign(members, {
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((one) => one[Symbol.asyncDispose]()));
    },
  });
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function take(members: readonly Member[], next: Step): Promise<void> {
  if (next.do === 'rest') {
    for (let left = next.turns; left > 0; left -= 1) await turn();
    return;
  }
  const one = members[next.member] as Member;
  switch (next.do) {
    case 'edit':
      edit(one.doc, next.kind, next.at, next.size);
      break;
    case 'undo':
      one.undo.undo();
      break;
    case 'redo':
      one.undo.redo();
      break;
    case 'cut':
      one.proxy.cut();
      break;
    case 'vanish':
      one.proxy.vanish();
      break;
    case 'mend':
      one.mend();
      break;
  }
}

test(
  '[2] three people who edit, undo and lose their network at random end with one document, nothing refused',
  async () => {
    using refusals = watchRefusals();
    await using server = await startServer();
    let runs = 0;
    const did = { edits: 0, undone: 0, cuts: 0, reconnects: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), async (steps) => {
        runs += 1;
        const name = `random-${runs}`;
        const before = refusals.frames.length;
        await using members = await openMembers(server, name);
        await Promise.all(members.map((one) => one.handle.whenSynced));
        for (const next of steps) {
          if (next.do === 'undo' && (members[next.member]?.undo.undoStack.length ?? 0) > 0) did.undone += 1;
          if (next.do === 'cut' || next.do === 'vanish') did.cuts += 1;
          if (next.do === 'edit') did.edits += 1;
          await take(members, next);
        }
        await Promise.all(members.map((one) => one.reconnect()));
        await exchangeMarks(members);
        for (const one of members) did.reconnects += one.proxy.accepted - 1;

        const expected = contentOf(await server.realtime.documents.read(name));
        for (const one of members) expect(contentOf(one.doc)).toEqual(expected);
        await using fresh = new Member('dora', await startTcpProxy(server.url), name);
        await fresh.handle.whenSynced;
        expect(contentOf(fresh.doc)).toEqual(expected);
        expect(members.flatMap(({ problems }) => problems)).toEqual([]);
        expect(refusals.frames.slice(before)).toEqual([]);
      }),
      {
        seed: FC_SEED,
        numRuns: FC_RUNS,
        // A session that never settles is a failure with a seed and a path, like any other.
        timeout: 10_000,
        interruptAfterTimeLimit: LIMIT_MS - 5_000,
        ...(process.env.FC_PATH === undefined ? {} : { path: process.env.FC_PATH }),
      },
    );
    // The runs did something.
    if (process.env.FC_PATH === undefined) {
      expect(did.edits).toBeGreaterThan(FC_RUNS * 30);
      expect(did.undone).toBeGreaterThan(FC_RUNS * 3);
      expect(did.reconnects).toBeGreaterThan(FC_RUNS);
    }
  },
  LIMIT_MS,
);

test('what the server refuses is seen by these tests', async () => {
  using refusals = watchRefusals();
  await using server = await startServer();
  const reader = createClient({ url: server.url, token: tokenFor('eve', { access: { '*': 'read' } }), onError: () => {} });
  void reader.connect();
  const handle = reader.document('handbook');
  await handle.whenSynced;
  handle.doc.getText('text').insert(0, 'no');
  await expect(handle.whenSaved()).rejects.toMatchObject({ code: 'read-only' });
  expect(refusals.frames).toMatchObject([{ type: 'refused', code: 'read-only' }]);
  reader.disconnect();
});
