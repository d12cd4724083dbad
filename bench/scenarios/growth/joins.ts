import * as Y from 'yjs';
import type { DocumentClient } from '../../clients/document-client.ts';
import { type Course, courseOf, Pair } from '../../pair.ts';
import { expect, type Figures, type Round, type Scenario } from '../../scenario.ts';
import { Deadline, inParallel, settle, TEXT, wait } from '../../support.ts';
import { cpuOf, FACTORS, growthMetrics } from './growth.ts';

const PASSES = 2;
const JOINERS = 20;
/** With defaults Ashlar compacts a document of so many new records. */
const COMPACTED = 500;
/** What comes behind the last compaction: as much in each document. */
const TAIL = 20;

/** Somebody appends blocks to a text. */
function appendBlocks(count: number, characters: number): Course {
  const doc = new Y.Doc();
  doc.clientID = 1_234_567_891;
  const text = doc.getText(TEXT);
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let index = 0; index < count; index += 1) text.insert(text.length, `${index} `.padEnd(characters, '-').slice(-characters));
  return courseOf(doc.clientID, updates);
}

/** @param rest updates after which a document is left alone until it is compacted */
async function run(round: Round, courses: readonly Course[], rest: number): Promise<Figures> {
  const deadline = new Deadline(240, () => 'joining documents');
  const server = await round.start();
  const pairs = courses.map((course, index) => new Pair(round, server.port, `text-${index}`, course, deadline));
  /** Joins and leaves once all of the text is there. */
  const joinOnce = async (index: number, joiner: number, length: number): Promise<string> => {
    const doc = new Y.Doc();
    let client: DocumentClient | undefined;
    await new Promise<void>((resolve, reject) => {
      const onUpdate = (update: Uint8Array): void => {
        Y.applyUpdate(doc, update);
        if (doc.getText(TEXT).length === length) resolve();
      };
      const common = { port: server.port, document: `text-${index}`, user: `joiner-${joiner}`, onFailure: deadline.fail };
      round.candidate.connect({ ...common, onUpdate }).then((joined) => {
        client = joined;
        if (doc.getText(TEXT).length === length) resolve();
      }, reject);
    });
    const text = doc.getText(TEXT).toString();
    client?.close();
    doc.destroy();
    return text;
  };
  try {
    for (const pair of pairs) {
      await deadline.race(pair.join());
      const all = pair.course.updates.length;
      while (pair.sent < all) {
        await deadline.race(pair.send(Math.min(pair.sent + rest, all)));
        await deadline.race(settle(server));
        // On one connection the limits would be met.
        await deadline.race(pair.renewWriter());
      }
    }
    // Hocuspocus stores 2 s after the last change.
    await deadline.race(wait(2_500));
    const join = async (index: number, text: string): Promise<void> => {
      const texts = await inParallel(JOINERS, 5, (joiner) => joinOnce(index, joiner, text.length));
      expect(
        texts.every((one) => one === text),
        'each joiner holds the text',
      );
    };
    for (const [index, { text }] of courses.entries()) await deadline.race(join(index, text));
    const cpu = courses.map(() => 0);
    for (let pass = 0; pass < PASSES; pass += 1) {
      for (const [index, { text }] of courses.entries()) {
        (cpu[index] as number) += await cpuOf(server, deadline, () => join(index, text));
      }
    }
    return Object.fromEntries(
      FACTORS.map((factor, index) => [`x${factor}`, (cpu[index] as number) / 1_000 / (PASSES * JOINERS)]),
    );
  } finally {
    deadline.end();
    for (const pair of pairs) pair.close();
  }
}

/** The same number of records, with more in each. */
export const growthJoinBytes: Scenario = {
  name: 'growth-join-bytes',
  title: `Growth: a join, by the bytes of the document (${COMPACTED + TAIL} records)`,
  metrics: growthMetrics('ms server CPU per join', ['130 KB', '530 KB', '2.1 MB']),
  takes: ({ keeps }) => keeps,
  rounds: { quick: 1, full: 3 },
  run(round) {
    const courses = FACTORS.map((factor) => appendBlocks(COMPACTED + TAIL, factor * 256));
    // A megabyte is compacted as well: the largest document reaches that with half of its records.
    return run(round, courses, COMPACTED / 2);
  },
};

/** The same bytes, in more records. */
export const growthJoinRecords: Scenario = {
  name: 'growth-join-records',
  title: 'Growth: a join, by the records of the document (130 KB)',
  metrics: growthMetrics('ms server CPU per join', ['520 records', '2,020', '8,020']),
  takes: ({ keeps }) => keeps,
  rounds: { quick: 1, full: 3 },
  run(round) {
    const courses = FACTORS.map((factor) => appendBlocks(factor * COMPACTED + TAIL, 256 / factor));
    return run(round, courses, COMPACTED);
  },
};
