import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { describeLatency } from '../../server/cli/replay/latency.ts';
import { drawClientIds, planLanes } from '../../server/cli/replay/plan-lanes.ts';
import { type Participant, type PlayOptions, play } from '../../server/cli/replay/play.ts';
import { createProgress, renderBar } from '../../server/cli/replay/progress.ts';
import { parseTrace, readTrace, type Trace } from '../../server/cli/replay/read-trace.ts';
import { type Settling, settle } from '../../server/cli/replay/settle.ts';
import { TEXT, type WrittenTransaction, writeUpdates } from '../../server/cli/replay/write-updates.ts';
import { parseAccess } from '../../server/parse-access.ts';
import { AshlarError } from '../../shared/errors.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const concurrent = (endContent: string, txns: unknown[]): Trace => parseTrace({ kind: 'concurrent', endContent, txns });

/** Two authors: the second deletes what the first typed, the first goes on only after that. */
const WITH_DELETION = concurrent('ac', [
  { parents: [], agent: 0, patches: [[0, 0, 'ab']] },
  { parents: [0], agent: 1, patches: [[1, 1, '']] },
  { parents: [1], agent: 0, patches: [[1, 0, 'c']] },
]);

/** Clients joined by a relay that delivers in order, each receiver at its own time. */
function relay(writers: number, draw: () => number) {
  const docs = Array.from({ length: writers }, (_, lane) => {
    const doc = new Y.Doc();
    doc.clientID = 1_000 + lane;
    return doc;
  });
  const waiting: Uint8Array[][] = docs.map(() => []);
  for (const [from, doc] of docs.entries()) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'relay') return;
      for (const [to, queue] of waiting.entries()) if (to !== from) queue.push(update);
    });
  }
  return {
    docs,
    participants: docs.map((doc): Participant => ({ doc, whenSaved: async () => undefined })),
    /** Delivers some of what waits to one client; false where nothing waits anywhere. */
    deliver(): boolean {
      const full = waiting.flatMap((queue, to) => (queue.length > 0 ? [to] : []));
      const to = full[Math.floor(draw() * full.length)];
      if (to === undefined) return false;
      for (const update of waiting[to]?.splice(0, 1 + Math.floor(draw() * 20)) ?? [])
        Y.applyUpdate(docs[to] as Y.Doc, update, 'relay');
      return true;
    },
  };
}

const playOptions = (trace: Trace, written: readonly WrittenTransaction[], writers: Participant[]): PlayOptions => ({
  plan: planLanes(trace),
  written,
  writers,
  rate: undefined,
  now: () => performance.now(),
  pause: turn,
  onTyped: () => undefined,
  onSaved: () => undefined,
  signal: new AbortController().signal,
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('each agent gets one lane, and a further one where its own transactions are concurrent', () => {
  const trace = concurrent('', [
    { parents: [], agent: 0, patches: [] },
    { parents: [0], agent: 0, patches: [] },
    { parents: [0], agent: 1, patches: [] },
    { parents: [0], agent: 0, patches: [] },
    { parents: [1, 2], agent: 1, patches: [] },
    { parents: [1, 3], agent: 0, patches: [] },
  ]);
  const { lanes, laneOf, ancestors } = planLanes(trace);
  expect(lanes.map(({ agent, transactions }) => [agent, transactions])).toEqual([
    [0, [0, 1, 5]],
    [1, [2, 4]],
    [0, [3]],
  ]);
  expect(laneOf).toEqual([0, 0, 1, 2, 1, 0]);
  expect(Array.from(ancestors[4] as Uint32Array)).toEqual([2, 1, 0]);
  expect(Array.from(ancestors[5] as Uint32Array)).toEqual([2, 0, 1]);
});

test('client ids grow with the agent, whatever is drawn: Yjs puts the lower id first where two insert at one place', () => {
  const plan = planLanes(
    concurrent('', [
      { parents: [], agent: 1, patches: [] },
      { parents: [], agent: 0, patches: [] },
      { parents: [], agent: 1, patches: [] },
    ]),
  );
  const drawn = [30, 10, 10, 20];
  expect(drawClientIds(plan, () => drawn.shift() as number)).toEqual([20, 10, 30]);
});

test('the real concurrent session, typed through two clients over a slow relay, ends with its text in both', async () => {
  const trace = readTrace(new URL('../fixtures/traces/friendsforever.concurrent.json.gz', import.meta.url).pathname);
  const draw = seeded(7);
  const { docs, participants, deliver } = relay(2, draw);
  const written = await writeUpdates(
    trace,
    planLanes(trace),
    docs.map((doc) => doc.clientID),
    turn,
  );
  let typed = 0;
  let pending = 0;
  for (const doc of docs) {
    doc.on('update', (_update: Uint8Array, origin: unknown) => {
      if (origin !== 'relay' && doc.store.pendingStructs !== null) pending += 1;
    });
  }
  const options = playOptions(trace, written, participants);
  let over = false;
  const playing = play({ ...options, onTyped: () => (typed += 1) }).finally(() => {
    over = true;
  });
  while (!over) {
    deliver();
    await turn();
  }
  await playing;
  while (deliver());
  expect(typed).toBe(26_078);
  expect(pending, 'nobody typed before what they saw had arrived').toBe(0);
  expect(
    docs.map((doc) => doc.clientID),
    'every client kept its id',
  ).toEqual([1_000, 1_001]);
  for (const doc of docs) expect(doc.getText(TEXT).toString()).toBe(trace.endContent);
}, 60_000);

test('an author waits for a deletion too, which leaves no clock', async () => {
  const { docs, participants } = relay(2, () => 0);
  const [first, second] = docs as [Y.Doc, Y.Doc];
  const written = await writeUpdates(WITH_DELETION, planLanes(WITH_DELETION), [1_000, 1_001], turn);
  const playing = play(playOptions(WITH_DELETION, written, participants));
  // The relay delivers nothing by itself here: updates are handed over one by one.
  await vi.waitFor(() => expect(first.getText(TEXT).toString()).toBe('ab'));
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first), 'relay');
  await vi.waitFor(() => expect(second.getText(TEXT).toString()).toBe('a'));
  await turn();
  expect(first.getText(TEXT).toString(), 'not before the deletion is there').toBe('ab');
  Y.applyUpdate(first, Y.encodeStateAsUpdate(second), 'relay');
  await playing;
  expect(first.getText(TEXT).toString()).toBe('ac');
});

test('a patch outside of the text is refused by the number of its transaction', async () => {
  const trace = parseTrace({
    startContent: '',
    endContent: 'x',
    txns: [{ patches: [[0, 0, 'ab']] }, { patches: [[5, 3, 'x']] }],
  });
  await expect(writeUpdates(trace, planLanes(trace), [7], turn)).rejects.toMatchObject({
    code: 'invalid-options',
    detail: expect.stringContaining('transaction 1'),
  });
});

test('positions count code points', async () => {
  const trace = parseTrace({
    startContent: '',
    endContent: '🙂b🎉c',
    txns: [{ patches: [[0, 0, '🙂a🎉']] }, { patches: [[3, 0, 'c']] }, { patches: [[1, 1, 'b']] }],
  });
  const written = await writeUpdates(trace, planLanes(trace), [7], turn);
  const doc = new Y.Doc();
  for (const { update } of written) if (update !== null) Y.applyUpdate(doc, update);
  expect(doc.getText(TEXT).toString()).toBe(trace.endContent);
});

test('a play that is ended rejects with the reason, whatever it waits for', async () => {
  const { participants } = relay(2, () => 0);
  const written = await writeUpdates(WITH_DELETION, planLanes(WITH_DELETION), [1_000, 1_001], turn);
  const end = new AbortController();
  const playing = play({ ...playOptions(WITH_DELETION, written, participants), signal: end.signal });
  end.abort(new AshlarError('timeout'));
  await expect(playing).rejects.toMatchObject({ code: 'timeout' });
});

/** Clients that settle, each at rest until told otherwise. */
function settling(count: number) {
  const clients = Array.from({ length: count }, () => {
    const doc = new Y.Doc();
    const listeners = new Set<() => void>();
    let atRest = true;
    const client: Settling = {
      doc,
      text: () => doc.getText(TEXT).toString(),
      isAtRest: () => atRest,
      onChange(listener) {
        listeners.add(listener);
        doc.on('update', listener);
        return () => {
          listeners.delete(listener);
          doc.off('update', listener);
        };
      },
    };
    const rest = (is: boolean) => {
      atRest = is;
      for (const listener of listeners) listener();
    };
    return { client, doc, rest, listeners };
  });
  return { all: clients, clients: clients.map(({ client }) => client) };
}

test('clients that all hold another text are told at once, but not before everything has reached everyone', async () => {
  const { all, clients } = settling(2);
  const [ada, bob] = all as [(typeof all)[0], (typeof all)[0]];
  const tell = (from: Y.Doc, to: Y.Doc) => Y.applyUpdate(to, Y.encodeStateAsUpdate(from));
  ada.doc.getText(TEXT).insert(0, 'aa');
  tell(ada.doc, bob.doc);
  ada.doc.getText(TEXT).insert(2, '!');
  ada.doc.getText(TEXT).delete(2, 1);
  const end = new AbortController();
  let ended: boolean | undefined;
  const settled = settle(clients, 'another end', end.signal).then((is) => {
    ended = is;
  });
  const unsettled = async (why: string) => {
    for (let turns = 0; turns < 3; turns += 1) await turn();
    expect(ended, why).toBeUndefined();
  };
  await unsettled('both read the same, and what was taken back again is on its way');
  bob.rest(false);
  tell(ada.doc, bob.doc);
  ada.doc.getText(TEXT).delete(0, 1);
  bob.doc.getText(TEXT).delete(1, 1);
  bob.rest(true);
  await unsettled('both read the same, and deletions, which leave no clock, are on their way');
  bob.rest(false);
  tell(ada.doc, bob.doc);
  tell(bob.doc, ada.doc);
  await unsettled('an edit is not saved');
  bob.rest(true);
  await settled;
  expect(ended).toBe(false);
  expect(all.map(({ listeners }) => listeners.size)).toEqual([0, 0]);
});

test('clients settle on the text that was recorded, or not by the time that is given them; what else ends them is thrown', async () => {
  const { all, clients } = settling(2);
  const [ada, bob] = all as [(typeof all)[0], (typeof all)[0]];
  bob.rest(false);
  const settled = settle(clients, 'stone', new AbortController().signal);
  ada.doc.getText(TEXT).insert(0, 'stone');
  Y.applyUpdate(bob.doc, Y.encodeStateAsUpdate(ada.doc));
  expect(await settled).toBe(true);
  for (const [code, ends] of [
    ['timeout', { value: false }],
    ['access-denied', { reason: { code: 'access-denied' } }],
  ] as const) {
    const end = new AbortController();
    const ending = Promise.allSettled([settle(clients, 'another end', end.signal)]);
    end.abort(new AshlarError(code));
    expect(await ending).toMatchObject([ends]);
    expect(await Promise.allSettled([settle(clients, 'another end', end.signal)])).toMatchObject([ends]);
  }
});

test.each([
  [{}, 'endContent and txns'],
  [{ endContent: '', txns: [] }, 'no transaction'],
  [{ endContent: '', txns: [{ patches: [[0, -1, '']] }] }, 'transaction 0: patches'],
  [{ kind: 'concurrent', endContent: '', txns: [{ parents: [0], agent: 0, patches: [] }] }, 'parents'],
  [null, 'endContent and txns'],
])('%j is refused as a trace', (value, sentence) => {
  expect(() => parseTrace(value)).toThrow(sentence);
});

test('a file that is none is named', () => {
  expect(() => readTrace('/nowhere/x.json')).toThrow('/nowhere/x.json cannot be read (ENOENT)');
  expect(() => readTrace(new URL('../../package.json', import.meta.url).pathname)).toThrow('is no editing trace');
});

test('progress is a bar that fits a terminal, and plain lines elsewhere', () => {
  expect(renderBar(50, 100, 1_234, 80)).toBe(`[${'#'.repeat(20)}${' '.repeat(20)}]  50 %  50 of 100 edits, 1,234/s`);
  expect(renderBar(0, 0, 0, 80).length).toBeLessThan(80);
  expect(renderBar(50, 100, 1_234, 20).length).toBeLessThan(20);
  const lines: string[] = [];
  let time = 0;
  const progress = createProgress({ write: (text) => lines.push(text) }, 1_000, () => time);
  for (let done = 0; done < 1_000; done += 1) {
    time += 1;
    progress.advance();
  }
  progress.finish();
  expect(lines).toHaveLength(10);
  expect(lines.join('')).not.toContain('\r');
  expect(lines[9]).toBe('100 %  1,000 of 1,000 edits, 1,000/s\n');
});

test('a terminal is drawn ten times a second, not for every edit', () => {
  const drawn: string[] = [];
  let time = 0;
  const progress = createProgress({ isTTY: true, columns: 80, write: (text) => drawn.push(text) }, 1_000, () => time);
  for (let done = 0; done < 1_000; done += 1) {
    time += 1;
    progress.advance();
  }
  progress.finish();
  expect(drawn.length).toBeLessThanOrEqual(12);
  expect(drawn.at(-2)).toContain('100 %');
  expect(drawn.at(-1)).toBe('\n');
});

test('latency is told by its median, its 99th percentile and its worst', () => {
  expect(describeLatency([])).toBeNull();
  expect(describeLatency(Array.from({ length: 200 }, (_, index) => 200 - index))).toBe('p50 101 ms, p99 199 ms, max 200 ms');
});

test('access pairs are read by their last equals sign', () => {
  expect(parseAccess(['doc:*=write', 'a=b=read', ' x = none '])).toEqual({
    claim: { 'doc:*': 'write', 'a=b': 'read', x: 'none' },
    wrong: [],
  });
  expect(parseAccess(['doc', '=read', 'a=all', 'a*b=read']).wrong).toEqual(['doc', '=read', 'a=all', 'a*b=read']);
});
