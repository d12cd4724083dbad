import * as Y from 'yjs';
import type { DocumentClient } from '../clients/document-client.ts';
import { readTrace } from '../read-trace.ts';
import { expect, type Figures, type Round, type Scenario } from '../scenario.ts';
import { Deadline, settle, TEXT, wait } from '../support.ts';

const TRACE = new URL('../../../test/fixtures/traces/seph-blog1.json.gz', import.meta.url);
/** What an Ashlar client merges first where edits wait for a place on the wire (client/documents/outbox.ts). */
const MERGED = 16;
/** Updates that the reader lacks: as many as an Ashlar client has under way (client/documents/update-sender.ts). */
const IN_FLIGHT = 32;
const WARM = 2_000;
/** One socket may send 20,000 packets at once, and an update is two. */
const SINGLY = 7_000;

/** Updates of one writer, in order, and what comes of them. */
interface Replay {
  readonly clientId: number;
  readonly updates: readonly Uint8Array[];
  /** By update: the writer's clock behind it. */
  readonly clocks: readonly number[];
  readonly transactions: number;
  readonly text: string;
}

let recorded: ReturnType<typeof readTrace> | undefined;
const replays = new Map<string, Replay>();

/** The first transactions of the recorded session, some of them an update. */
function replayOf(transactions: number, perUpdate: number): Replay {
  const key = `${transactions}/${perUpdate}`;
  const known = replays.get(key);
  if (known !== undefined) return known;
  recorded ??= readTrace(TRACE, 1, 0);
  const { clientId } = recorded;
  const singly = recorded.updates.slice(0, transactions);
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  const clocks: number[] = [];
  for (let from = 0; from < singly.length; from += perUpdate) {
    const some = singly.slice(from, from + perUpdate);
    const update = some.length === 1 ? (some[0] as Uint8Array) : Y.mergeUpdates(some);
    Y.applyUpdate(doc, update);
    updates.push(update);
    clocks.push(Y.getState(doc.store, clientId));
  }
  const replay = { clientId, updates, clocks, transactions: singly.length, text: doc.getText(TEXT).toString() };
  doc.destroy();
  replays.set(key, replay);
  return replay;
}

/** One who writes the session and one who reads along; the next update goes when the reader lacks fewer than 32. */
class Pair {
  readonly reader = new Y.Doc();
  sent = 0;
  received = 0;
  readonly #replay: Replay;
  readonly #clients: DocumentClient[] = [];
  #onReceived: () => void = () => undefined;

  constructor(replay: Replay) {
    this.#replay = replay;
  }

  async join({ candidate }: Round, port: number, deadline: Deadline): Promise<void> {
    const common = { port, document: 'blog', onFailure: deadline.fail };
    const { clientId, clocks } = this.#replay;
    const onUpdate = (update: Uint8Array): void => {
      Y.applyUpdate(this.reader, update);
      const clock = Y.getState(this.reader.store, clientId);
      while (this.received < this.sent && (clocks[this.received] as number) <= clock) this.received += 1;
      this.#onReceived();
    };
    this.#clients.push(await candidate.connect({ ...common, user: 'reader', onUpdate }));
    this.#clients.push(await candidate.connect({ ...common, user: 'writer', clientId, onUpdate: () => undefined }));
  }

  /** Sends up to an update. Resolves when the reader has them: `text` also tells whether deletions have come, which move no clock. */
  send(to: number, text?: string): Promise<void> {
    const writer = this.#clients[1] as DocumentClient;
    return new Promise((resolve) => {
      this.#onReceived = () => {
        while (this.sent < to && this.sent - this.received < IN_FLIGHT) {
          this.sent += 1;
          writer.send(this.#replay.updates[this.sent - 1] as Uint8Array);
        }
        if (this.received < to) return;
        if (text === undefined || this.reader.getText(TEXT).toString() === text) resolve();
      };
      this.#onReceived();
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.reader.destroy();
  }
}

async function run(round: Round, transactions: number, perUpdate: number): Promise<Figures> {
  const replay = replayOf(transactions, perUpdate);
  const warm = WARM / perUpdate;
  const pair = new Pair(replay);
  const deadline = new Deadline(300, () => `${pair.received} of ${replay.updates.length} updates`);
  try {
    const server = await round.start();
    await deadline.race(pair.join(round, server.port, deadline));
    await deadline.race(pair.send(warm));
    // Hocuspocus stores 2 s after the last change.
    await deadline.race(wait(2_500));
    await deadline.race(settle(server));
    const before = await server.usage();
    const startedAt = performance.now();
    await deadline.race(pair.send(replay.updates.length, replay.text));
    const seconds = (performance.now() - startedAt) / 1_000;
    // What a server stores or compacts behind it belongs to it.
    await deadline.race(wait(2_500));
    await deadline.race(settle(server));
    const after = await server.usage();
    expect(pair.reader.getText(TEXT).toString() === replay.text, 'the reader holds the text as it was then');
    const measured = replay.transactions - warm * perUpdate;
    return { cpu: (after.cpu - before.cpu) / measured, seconds, perSecond: measured / seconds };
  } finally {
    deadline.end();
    pair.close();
  }
}

const metrics = [
  { name: 'cpu', unit: 'µs server CPU per transaction, all behind it included', base: 'raw' },
  { name: 'seconds', unit: 's until the reader has it' },
  { name: 'perSecond', unit: 'transactions/s' },
];

export const replay: Scenario = {
  name: 'replay',
  title: `The session seph-blog1 through one writer and one reader, ${MERGED} transactions an update, ${IN_FLIGHT} updates under way`,
  metrics,
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  run: (round) => run(round, round.quick ? 10_000 : 137_154, MERGED),
};

export const replaySingly: Scenario = {
  name: 'replay-singly',
  title: `The session's first ${SINGLY.toLocaleString('en-US')} transactions, each an update of its own, ${IN_FLIGHT} under way`,
  metrics,
  takes: () => true,
  rounds: { quick: 1, full: 3 },
  run: (round) => run(round, SINGLY, 1),
};
