import { beforeEach, expect, test, vi } from 'vitest';
import { MAX_UNPROVEN } from '../../server/documents/compaction-due.ts';
import type { DocumentMember } from '../../server/documents/document-member.ts';
import type { DocumentRoom } from '../../server/documents/document-room.ts';
import { tryUpdate } from '../../server/documents/try-update.ts';
import type { DocumentJob } from '../../server/documents/worker/document-workers.ts';
import type { Vouched } from '../../server/documents/worker/warm-slot.ts';
import type { WriterSession } from '../../server/documents/writers.ts';
import { AshlarError } from '../../shared/errors.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openDocument } from '../support/open-document.ts';

const LIMIT_MS = 5_000;
const UPDATE = new Uint8Array([7]);

/** How long the log takes by itself, and what the update adds, ms; beyond the limit a trial fails, as one does that is 'damaged'. */
let log: number | 'damaged';
let added: number | 'damaged';
/** How deep the log is nested, and how much deeper with the update. */
let nesting: number;
let deepened: number;
let trials: number;
let compactions: number;
/** What a thread that keeps the document warm says; null: it cannot keep it. */
let warm: Vouched | 'damaged' | null;
let vouchings: number;
let document: DocumentRoom;
let eve: { member: DocumentMember; session: WriterSession };
const clock = createManualClock();

async function check({ updates }: DocumentJob) {
  trials += 1;
  const costs = updates.includes(UPDATE) ? [log, added] : [log];
  if (costs.includes('damaged')) throw new AshlarError('document-damaged', { detail: 'it does not apply' });
  const ms = costs.reduce<number>((sum, cost) => sum + (cost as number), 0);
  if (ms > LIMIT_MS)
    throw new AshlarError('document-damaged', { cause: Object.assign(new Error(), { code: 'ERR_WORKER_OUT_OF_MEMORY' }) });
  return { ms, limitMs: LIMIT_MS, nesting: updates.includes(UPDATE) ? nesting + deepened : nesting };
}

async function vouch() {
  vouchings += 1;
  if (warm === 'damaged') throw new AshlarError('document-damaged', { detail: 'it does not apply' });
  return warm;
}

beforeEach(async () => {
  [log, added, nesting, deepened, trials, compactions] = [100, 100, 0, 0, 0, 0];
  warm = null;
  vouchings = 0;
  const workers = { check, vouch, vouchedUpTo: () => null } as never;
  ({ document } = await openDocument('doc:plan', { clock, workers, compact: () => void compactions++ }));
  document.places.add(1_200);
  eve = sessionOf('eve');
});

function sessionOf(userId: string): typeof eve {
  const user = { id: userId, name: userId, color: '#336699', roles: [], permissions: [] };
  const session = document.writers.claim(user, userId.charCodeAt(0), userId, null);
  return { member: { connection: fakeConnection({ clock, userId }) } as unknown as DocumentMember, session };
}

/** What becomes of an update that brings so many items which nobody vouches for. */
async function outcome(unvouched = 1, { member, session } = eve, levels = 0): Promise<string> {
  return tryUpdate(document, member, session, UPDATE, { unvouched, levels }).then(
    () => 'taken',
    (error: AshlarError) => error.code,
  );
}

test('what applies in time is taken, and vouches for what was there', async () => {
  expect(await outcome(500)).toBe('taken');
  expect([trials, document.places.unvouched]).toEqual([1, 0]);
});

test('[5] what takes too long by itself, or does not apply, comes twice again and is then refused', async () => {
  for (added of [LIMIT_MS, 'damaged'] as const) {
    expect([await outcome(), await outcome(), await outcome()]).toEqual(['rate-limited', 'rate-limited', 'invalid-update']);
    expect(document.places.unvouched).toBe(1_200);
    eve.session.failedTrials = 0;
  }
});

test('[5] nobody may add much to a document that is slow already; a little is vouched for', async () => {
  log = 2_600;
  added = 1_300;
  expect(await outcome()).toBe('rate-limited');
  added = 10;
  expect([await outcome(), document.places.unvouched]).toEqual(['taken', 0]);
});

test.each([
  ['is too large', LIMIT_MS + 1],
  ['does not apply', 'damaged' as const],
])('[5] a log that %s by itself is nobody’s fault who comes after: a little of each is taken untried', async (_, cost) => {
  log = cost;
  expect(await outcome(40)).toBe('taken');
  expect(compactions).toBe(1);
  expect(await outcome(40)).toBe('rate-limited');
  expect(await outcome(40, sessionOf('ada'))).toBe('taken');
  expect(trials, 'not again for each').toBe(2);
  expect(eve.session.failedTrials).toBe(0);
  clock.advance(60_000);
  log = 100;
  expect([await outcome(40), document.places.unvouched]).toEqual(['taken', 0]);
});

test('[5] what nests types deeper than 1,024 levels is refused, once and for all; what does not deepen the document is taken', async () => {
  document.nesting.add(1_200);
  [nesting, deepened] = [1_000, 24];
  expect(await outcome(1, eve, 24)).toBe('taken');
  expect([document.nesting.bound, trials]).toEqual([1_024, 1]);
  deepened = 25;
  expect(await outcome(1, eve, 25)).toBe('invalid-update');
  expect(document.nesting.bound).toBe(1_024);
  [nesting, deepened] = [1_500, 0];
  expect(await outcome(1, eve, 1)).toBe('taken');
});

test('[5] levels that are added to a document too slow for trials count as items do', async () => {
  log = 'damaged';
  expect(await outcome(1, eve, 40)).toBe('taken');
  expect(await outcome(1, eve, 40)).toBe('rate-limited');
});

test('what a thread that keeps the document warm applies in time is taken without a check', async () => {
  warm = { ms: 625, limitMs: 625 };
  eve.session.failedTrials = 2;
  expect(await outcome(500)).toBe('taken');
  expect([vouchings, trials, document.places.unvouched, eve.session.failedTrials]).toEqual([1, 0, 0, 0]);
});

test.each([
  ['applies too slowly', { ms: 626, limitMs: 625 }, 626],
  ['does not apply', 'damaged' as const, 625],
])('[5] what %s where the document is warm is judged by a whole check, and costs its sender both', async (_, said, ms) => {
  warm = said;
  expect(await outcome()).toBe('taken');
  expect([vouchings, trials]).toEqual([1, 1]);
  added = 4_000;
  document.places.add(1_001);
  const spend = vi.spyOn(eve.member.connection.budgets, 'spend');
  expect([await outcome(), await outcome(), await outcome()]).toEqual(['rate-limited', 'rate-limited', 'invalid-update']);
  expect(spend.mock.calls).toEqual(Array.from({ length: 3 }, () => ['structs', (4_100 + ms) * 10]));
});

test('[5] a document that no thread keeps warm is asked about once, until it has a new snapshot', async () => {
  expect([await outcome(), await outcome(), vouchings, trials]).toEqual(['taken', 'taken', 1, 2]);
  document.compacted({ seq: 0, epoch: '', state: new Uint8Array(), stateVector: new Uint8Array() }, 0);
  expect([await outcome(), vouchings]).toEqual(['taken', 2]);
});

test('[5] what may nest types deeper is always checked whole', async () => {
  warm = { ms: 1, limitMs: 625 };
  expect([await outcome(1, eve, 1), vouchings, trials]).toEqual(['taken', 0, 1]);
});

test('[5] what was vouched for in the order of the log alone is checked whole before it is too much', async () => {
  warm = { ms: 1, limitMs: 625 };
  document.places.add(MAX_UNPROVEN - 1_200);
  expect([await outcome(), vouchings, trials, document.places.unvouched]).toEqual(['taken', 1, 0, 0]);
  document.places.add(1);
  expect([await outcome(), vouchings, trials, document.places.unvouched]).toEqual(['taken', 1, 1, 0]);
  document.places.add(1_000);
  expect([await outcome(), vouchings, trials]).toEqual(['taken', 2, 1]);
});
