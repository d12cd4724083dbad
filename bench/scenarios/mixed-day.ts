import { expect, type Scenario } from '../scenario.ts';
import { Deadline, percentile, settleStored } from '../support.ts';
import { LongDocument } from './mixed-day/long-document.ts';
import { Office } from './mixed-day/office.ts';
import { Typists } from './mixed-day/typists.ts';

const CHARACTERS_PER_SECOND = 3;
const WARM = 10;
/** More than a compaction waits for, unless the one before took long. */
const LONG_UPDATES = 700;
/** A relay has nothing but updates. */
const MIXED: readonly string[] = ['ashlar', 'socket.io', 'y-websocket', 'y-socket.io', 'hocuspocus'];

/**
 * What a product does all day, all of it at once: typing, cursors, a chat, a dashboard; then once more while a document of 2 MB is
 * typed in, which Ashlar compacts meanwhile. Of the peers only Socket.IO has a chat and a dashboard: the others do the documents alone.
 */
export const mixedDay: Scenario = {
  name: 'mixed-day',
  title:
    'Mixed day: 20 documents of 5 people who type 3 characters a second and show cursors, a chat, a dashboard of 100 watchers (these two: Ashlar and Socket.IO alone)',
  metrics: [
    { name: 'cpu', unit: 'ms server CPU per second', base: 'socket.io' },
    { name: 'p50', unit: 'ms latency of updates p50' },
    { name: 'p99', unit: 'ms latency of updates p99' },
    { name: 'loop', unit: 'ms event loop delay p99' },
    { name: 'longLoop', unit: 'ms event loop delay p99, a 2 MB document being typed in and compacted' },
    { name: 'longMax', unit: 'ms longest delay then' },
  ],
  takes: ({ name }) => MIXED.includes(name),
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const seconds = round.quick ? 8 : 20;
    const count = seconds * CHARACTERS_PER_SECOND;
    const typists = new Typists(WARM + 2 * count);
    const long = new LongDocument();
    const deadline = new Deadline(240, () => `${typists.received} characters arrived`);
    const server = await round.start();
    const compactions = async (): Promise<number> =>
      round.candidate.name === 'ashlar' ? ((await server.do('compactions')) as number) : 0;
    let office: Office | undefined;
    try {
      await deadline.race(typists.join(round, server.port, (person, json) => office?.onEvent(person, json), deadline));
      if (typists.clients[0]?.events !== undefined) office = new Office(round.candidate.name, server, typists.clients);
      await deadline.race(Promise.all([office?.join(), long.join(round, server.port, deadline)]));
      const day = async (from: number, to: number): Promise<void> => {
        await deadline.race(Promise.all([typists.type(from, to), office?.work(((to - from) / CHARACTERS_PER_SECOND) * 1_000)]));
      };
      await day(0, WARM);
      await deadline.race(settleStored(server));
      typists.latencies = [];
      const before = await server.usage();
      await server.watchDelay();
      const startedAt = performance.now();
      await day(WARM, WARM + count);
      const took = (performance.now() - startedAt) / 1_000;
      const { p99: loop } = await server.delay();
      const after = await server.usage();
      const sorted = Float64Array.from(typists.latencies).sort();

      const compacted = await compactions();
      const compactedAgain = async (): Promise<boolean> => round.candidate.name !== 'ashlar' || (await compactions()) > compacted;
      await server.watchDelay();
      await Promise.all([day(WARM + count, WARM + 2 * count), deadline.race(long.type(LONG_UPDATES, compactedAgain))]);
      const { p99: longLoop, max: longMax } = await server.delay();
      expect(await compactedAgain(), 'the long document was compacted meanwhile');
      typists.verify(WARM + 2 * count);
      office?.verify();
      return {
        cpu: (after.cpu - before.cpu) / 1_000 / took,
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        loop,
        longLoop,
        longMax,
      };
    } finally {
      deadline.end();
      office?.close();
      typists.close();
      long.close();
    }
  },
};
