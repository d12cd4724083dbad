import { cp } from 'node:fs/promises';
import * as Y from 'yjs';
import type { DocumentClient } from '../clients/document-client.ts';
import { readTrace } from '../read-trace.ts';
import { expect, type Round, type Scenario } from '../scenario.ts';
import { startServer } from '../server-process.ts';
import { Deadline, inParallel, settle, settleStored, TEXT, wait } from '../support.ts';

const EDITS_PER_UPDATE = 32;
/** The newest come as they were typed: a tail behind the snapshot is of such. */
const SINGLY = 1_000;
const JOINERS = 100;
const TRACE = new URL('../../fixtures/automerge-paper.json.gz', import.meta.url);
let session: ReturnType<typeof readTrace> | undefined;

const recorded = (): ReturnType<typeof readTrace> => {
  session ??= readTrace(TRACE, EDITS_PER_UPDATE, SINGLY);
  return session;
};

interface Written {
  readonly folder: string;
  /** CPU of the first join after the writer's process, with all that it causes, µs. */
  readonly caughtUp: number;
}

/**
 * A folder whose document was written over the wire by one client, at 500 updates a second: within everybody's limits. Then it was joined
 * once after a restart: Ashlar compacts what an earlier process left, and that belongs to nobody who joins later.
 */
async function writeDocument(round: Round): Promise<Written> {
  const folder = await round.folder();
  await write(round, folder);
  const server = await startServer(round.candidate.server, folder);
  const deadline = new Deadline(60, () => 'catching up');
  let joined: () => void = () => undefined;
  const whenJoined = new Promise<void>((resolve) => {
    joined = resolve;
  });
  try {
    const before = await server.usage();
    const common = { port: server.port, document: 'paper', user: 'reader', onFailure: deadline.fail };
    const reader = await round.candidate.connect({ ...common, onUpdate: joined });
    await deadline.race(whenJoined);
    await deadline.race(settleStored(server));
    reader.close();
    return { folder, caughtUp: (await server.usage()).cpu - before.cpu };
  } finally {
    deadline.end();
    await server.kill();
  }
}

async function write({ candidate }: Round, folder: string): Promise<void> {
  const { clientId, updates } = recorded();
  const server = await startServer(candidate.server, folder);
  const deadline = new Deadline(240, () => 'writing the long document');
  try {
    const writer = await candidate.connect({
      port: server.port,
      document: 'paper',
      user: 'writer',
      clientId,
      onUpdate: () => undefined,
      onFailure: deadline.fail,
    });
    for (const [index, update] of updates.entries()) {
      writer.send(update);
      if (index % 10 === 9) await deadline.race(wait(20));
    }
    // Hocuspocus stores 2 s after the last change, at most 10 s after the first.
    await deadline.race(wait(3_000));
    await deadline.race(settle(server));
    writer.close();
    await wait(2_000);
  } finally {
    deadline.end();
    await server.kill();
  }
}

/** A server that was just started, and a document with a long past. */
export const coldJoin: Scenario = {
  name: 'cold-join',
  title: `A document after 259,778 edits, joined after a restart by one, then by ${JOINERS} at once`,
  metrics: [
    { name: 'caughtUp', unit: 'ms server CPU, first join after the writing, compaction included' },
    { name: 'first', unit: 'ms server CPU, first join after another restart' },
    { name: 'join', unit: 'ms server CPU per join', base: 'ashlar' },
    { name: 'wall', unit: 'ms until all of them have it' },
    { name: 'memory', unit: "MiB resident beyond the connections' own" },
  ],
  takes: ({ keeps }) => keeps,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const { text } = recorded();
    const written = await round.once('long document', () => writeDocument(round));
    const folder = await round.folder();
    await cp(written.folder, folder, { recursive: true });
    const clients: DocumentClient[] = [];
    const deadline = new Deadline(180, () => `${clients.length} joined`);
    const server = await round.start(folder);
    /** Resolves when the document's content has come. */
    const join = async (
      document: string,
      index: number,
      enough: (bytes: number, update: Uint8Array) => boolean,
    ): Promise<void> => {
      let bytes = 0;
      let whole: () => void = () => undefined;
      const whenWhole = new Promise<void>((resolve) => {
        whole = resolve;
      });
      const onUpdate = (update: Uint8Array): void => {
        bytes += update.length;
        if (enough(bytes, update)) whole();
      };
      clients.push(
        await round.candidate.connect({
          port: server.port,
          document,
          user: `${document}-${index}`,
          onUpdate,
          onFailure: deadline.fail,
        }),
      );
      await whenWhole;
    };
    try {
      const atStart = await server.usage(true);
      await deadline.race(inParallel(JOINERS, 10, (index) => join('empty', index, () => true)));
      await deadline.race(settle(server));
      const withOthers = await server.usage(true);
      const { cpu: before } = await server.usage();
      const doc = new Y.Doc();
      const complete = (_bytes: number, update: Uint8Array): boolean => {
        Y.applyUpdate(doc, update);
        return doc.getText(TEXT).length === text.length;
      };
      await deadline.race(join('paper', 0, complete));
      expect(doc.getText(TEXT).toString() === text, 'the first joiner holds the paper');
      await deadline.race(settle(server));
      const first = await server.usage();
      const least = Y.encodeStateAsUpdate(doc).length * 0.9;
      const startedAt = performance.now();
      await deadline.race(inParallel(JOINERS, JOINERS, (index) => join('paper', index + 1, (bytes) => bytes >= least)));
      const wall = performance.now() - startedAt;
      await deadline.race(settle(server));
      const { cpu } = await server.usage();
      const after = await server.usage(true);
      return {
        caughtUp: written.caughtUp / 1_000,
        first: (first.cpu - before) / 1_000,
        join: (cpu - first.cpu) / 1_000 / JOINERS,
        wall,
        memory: (after.rss - withOthers.rss - (withOthers.rss - atStart.rss)) / 2 ** 20,
      };
    } finally {
      deadline.end();
      for (const client of clients) client.close();
    }
  },
};
