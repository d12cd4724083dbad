import { IN_FLIGHT, Pair, recordedCourse } from '../pair.ts';
import { expect, type Figures, type Round, type Scenario } from '../scenario.ts';
import { Deadline, settleStored, TEXT } from '../support.ts';

/** As bytes, for all candidates alike. An Ashlar client merges more, and joins what was typed on: see `replay-own-client`. */
const MERGED = 16;
const WARM = 2_000;
/** One socket may send 20,000 packets at once, and an update is two. */
const SINGLY = 7_000;

async function run(round: Round, transactions: number, perUpdate: number): Promise<Figures> {
  const course = recordedCourse(transactions, perUpdate);
  const warm = WARM / perUpdate;
  const server = await round.start();
  const deadline = new Deadline(300, () => `${pair.received} of ${course.updates.length} updates`);
  const pair = new Pair(round, server.port, 'blog', course, deadline);
  try {
    await deadline.race(pair.join());
    await deadline.race(pair.send(warm));
    await deadline.race(settleStored(server));
    const before = await server.usage();
    const startedAt = performance.now();
    await deadline.race(pair.send(course.updates.length));
    const seconds = (performance.now() - startedAt) / 1_000;
    // What a server stores or compacts behind it belongs to it.
    await deadline.race(settleStored(server));
    const after = await server.usage();
    expect(pair.reader.getText(TEXT).toString() === course.text, 'the reader holds the text as it was then');
    const measured = transactions - WARM;
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
