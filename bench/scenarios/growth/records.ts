import { Pair, recordedCourse } from '../../pair.ts';
import { expect, type Scenario } from '../../scenario.ts';
import { Deadline, TEXT } from '../../support.ts';
import { cpuOf, FACTORS, growthMetrics } from './growth.ts';

const RECORDS = 1_000;
const PASSES = 2;
const PACE_MS = 5;
/** Within what one connection may send at once. */
const PER_CONNECTION = 4_000;

/** Typing in documents with a shorter and a longer past: each transaction of the session seph-blog1 is a record. */
export const growthRecords: Scenario = {
  name: 'growth-records',
  title: 'Growth: an update, 200/s, by the records before it',
  metrics: growthMetrics('µs server CPU per update', ['1,000 records', '4,000', '16,000']),
  takes: ({ keeps }) => keeps,
  rounds: { quick: 1, full: 3 },
  async run(round) {
    const each = round.quick ? 250 : 500;
    const deadline = new Deadline(240, () => 'typing in documents with a past');
    const server = await round.start();
    const pairs = FACTORS.map(
      (factor) => new Pair(round, server.port, `past-${factor}`, recordedCourse(factor * RECORDS + PASSES * each, 1), deadline),
    );
    try {
      for (const pair of pairs) {
        await deadline.race(pair.join());
        const records = pair.course.updates.length - PASSES * each;
        for (let to = Math.min(PER_CONNECTION, records); pair.sent < records; to = Math.min(to + PER_CONNECTION, records)) {
          await deadline.race(pair.send(to));
          await deadline.race(pair.renewWriter());
        }
      }
      const cpu = pairs.map(() => 0);
      // In turns, so that what a process learns while it runs is to the good of none of them.
      for (let pass = 0; pass < PASSES; pass += 1) {
        for (const [index, pair] of pairs.entries()) {
          (cpu[index] as number) += await cpuOf(server, deadline, () => pair.pace(pair.sent + each, PACE_MS));
        }
      }
      for (const { reader, course } of pairs) {
        expect(reader.getText(TEXT).toString() === course.text, 'each reader holds the text as it was then');
      }
      return Object.fromEntries(FACTORS.map((factor, index) => [`x${factor}`, (cpu[index] as number) / (PASSES * each)]));
    } finally {
      deadline.end();
      for (const pair of pairs) pair.close();
    }
  },
};
