import { beforeEach, expect, test } from 'vitest';
import { MAX_UNPROVEN } from '../../server/documents/compaction-due.ts';
import type { DocumentRoom } from '../../server/documents/document-room.ts';
import type { Vouched, VouchJob } from '../../server/documents/worker/warm-slot.ts';
import { AshlarError } from '../../shared/errors.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openDocument } from '../support/open-document.ts';

const IN_TIME: Vouched = { ms: 1, limitMs: 625 };

/** What the thread is asked, with how it answers; it holds a log up to `held`. */
let asked: { job: VouchJob; answer(said: Vouched | null | AshlarError): void }[];
let held: number | null;
let compactions: ('can wait' | 'now')[];
let document: DocumentRoom;
const clock = createManualClock();

beforeEach(async () => {
  [asked, held, compactions] = [[], null, []];
  const vouch = (job: VouchJob) =>
    new Promise((resolve, reject) => {
      asked.push({ job, answer: (said) => (said instanceof AshlarError ? reject(said) : resolve(said)) });
    });
  ({ document } = await openDocument('doc:plan', {
    clock,
    workers: { vouch, vouchedUpTo: () => held } as never,
    compactAfterRecords: 3,
    compact: (_, canWait) => void compactions.push(canWait ? 'can wait' : 'now'),
  }));
});

/** Commits a record, with so many items that nobody vouches for. */
async function write(unvouched: number): Promise<void> {
  const common = { at: 0, userId: null, kind: 'doc:update', version: 1, id: null, session: null, counter: 0 };
  await new Promise<void>((resolve, reject) => {
    document.room.submit({
      durable: true,
      record: { ...common, payload: Uint8Array.of(0, 0) },
      leave: (record) => {
        document.updateCommitted(record!);
        resolve();
      },
      fail: reject,
    });
    document.places.add(unvouched);
  });
  await soon();
}

/** Lets everything go on that waits for nothing but its turn. */
const soon = () => document.room.settled().then(() => new Promise((resolve) => setImmediate(resolve)));

async function answer(said: Vouched | null | AshlarError): Promise<void> {
  asked.at(-1)!.answer(said);
  await soon();
}

test('a document that people write to is vouched for in the background, and nobody waits for it', async () => {
  await write(499);
  expect(asked).toEqual([]);
  await write(1);
  expect(asked.map(({ job }) => [job.after, job.updates.length, job.trial])).toEqual([[0, 2, null]]);
  expect(document.busy, 'it stays in memory until then').toBe(true);
  await answer(IN_TIME);
  expect([document.places.unvouched, document.busy]).toEqual([0, false]);
});

test('what came meanwhile is no part of it, and is asked for as soon as it is due itself', async () => {
  await write(500);
  await write(400);
  await write(200);
  expect(asked, 'one at a time').toHaveLength(1);
  held = 1;
  await answer(IN_TIME);
  expect(document.places.unvouched).toBe(600);
  expect(asked.map(({ job }) => [job.after, job.updates.length, job.whole === undefined])).toEqual([
    [0, 1, false],
    [1, 2, true],
  ]);
  held = 3;
  await answer(IN_TIME);
  expect([document.places.unvouched, asked.length]).toEqual([0, 2]);
});

test('a thread that has lost the document gets it whole', async () => {
  await write(10);
  held = 1;
  await write(600);
  expect(asked.at(-1)!.job).toMatchObject({ after: 1, updates: [Uint8Array.of(0, 0)] });
  await answer(null);
  expect(asked.at(-1)!.job).toMatchObject({ after: 0, whole: { state: null } });
  expect(asked.at(-1)!.job.updates).toHaveLength(2);
  await answer(IN_TIME);
  expect(document.places.unvouched).toBe(0);
});

test('a snapshot can wait while threads vouch, until much was vouched for in the order of the log alone', async () => {
  for (let count = 0; count < 3; count++) {
    await write(600);
    await answer(IN_TIME);
  }
  expect(compactions).toEqual(['can wait']);
  document.places.add(MAX_UNPROVEN / 2);
  await write(0);
  expect(compactions).toEqual(['can wait', 'now']);
});

test.each<[string, Vouched | null]>([
  ['too slow', { ms: 626, limitMs: 625 }],
  ['too large', null],
])('[5] a document that is %s is not asked for again, and gets its snapshot now', async (_, said) => {
  await write(600);
  await answer(said);
  await write(0);
  await write(0);
  expect([asked.length, document.places.unvouched, compactions]).toEqual([1, 600, ['now']]);
  document.compacted({ seq: 3, epoch: '', state: new Uint8Array(), stateVector: new Uint8Array() }, 0);
  await write(0);
  expect(asked).toHaveLength(2);
});

test('[10] a log that does not apply is looked into at once', async () => {
  await write(600);
  await answer(new AshlarError('document-damaged', { detail: 'update 0 does not apply' }));
  expect([compactions, document.places.unvouched, document.busy]).toEqual([['now'], 600, false]);
});

test('[10] what a thread saw of a log that was read anew meanwhile vouches for nothing', async () => {
  await write(600);
  document.logIdentity = {};
  await answer(IN_TIME);
  expect(document.places.unvouched).toBe(600);
  await write(0);
  expect(asked, 'it is asked for again').toHaveLength(2);
});

test('while a snapshot is made no other one is asked for, and behind it only where one is due', async () => {
  document.compacting = true;
  for (let count = 0; count < 4; count++) await write(0);
  expect(compactions).toEqual([]);
  document.compacting = false;
  document.compacted({ seq: 1, epoch: '', state: new Uint8Array(), stateVector: new Uint8Array() }, 0);
  document.compacted({ seq: 2, epoch: '', state: new Uint8Array(), stateVector: new Uint8Array() }, 0);
  expect(compactions).toEqual(['can wait']);
});
