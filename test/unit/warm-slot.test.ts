import { beforeEach, expect, test } from 'vitest';
import { MAX_WARM_BYTES, type VouchJob, WarmSlot } from '../../server/documents/worker/warm-slot.ts';

const LOG = {};
const CHECK_MS = 8_000;
const record = (seq: number) => Uint8Array.of(seq);
const records = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => record(from + index));

let slot: WarmSlot;
beforeEach(() => {
  slot = new WarmSlot((bytes) => CHECK_MS + bytes);
});

const job = (parts: Partial<VouchJob>): VouchJob => ({
  room: 'doc:plan',
  log: LOG,
  snapshot: { seq: 0, bytes: 0 },
  after: 0,
  updates: [],
  trial: null,
  ...parts,
});

/** Lets the thread hold the records up to one. */
function hold(upTo: number, parts: Partial<VouchJob> = {}, ms = 100): void {
  slot.begin(job({ whole: { state: null }, updates: records(1, upTo), ...parts }))!.done(ms);
}

test('a thread is brought what it lacks, and no more', () => {
  hold(3);
  expect(slot.seqOf('doc:plan', LOG)).toBe(3);
  const begun = slot.begin(job({ after: 1, updates: records(2, 5) }))!;
  expect(begun.input).toMatchObject({ state: null, updates: [record(4), record(5)], goesOn: true });
  expect(begun.limitMs, 'an eighth of what a check of all five may take').toBe((CHECK_MS + 5) / 8);
  begun.done(120);
  expect(slot.seqOf('doc:plan', LOG)).toBe(5);
});

test('a thread that holds nothing of a log needs all of it', () => {
  expect(slot.begin(job({ after: 3, updates: [record(4)] }))).toBeNull();
  hold(3);
  expect(slot.seqOf('doc:other', LOG)).toBeNull();
  expect(slot.begin(job({ room: 'doc:other', after: 3, updates: [record(4)] }))).toBeNull();
  expect(slot.seqOf('doc:plan', LOG), 'what was there stays').toBe(3);
});

test.each<[string, Partial<VouchJob>]>([
  ['was read anew', { log: {}, after: 3, updates: [record(4)] }],
  ['has a hole behind what is held', { after: 4, updates: [record(5)] }],
  ['is not that long', { after: 0, updates: records(1, 2) }],
])('[10] a log that %s is brought whole', (_, parts) => {
  hold(3);
  expect(slot.begin(job(parts))).toBeNull();
});

test('[10] what was on trial stays only where the log has it next, byte by byte', () => {
  const trial = Uint8Array.of(9, 9);
  hold(3, { trial });
  expect(slot.begin(job({ after: 3, updates: [trial, record(5)] }))!.input.updates).toEqual([record(5)]);
  for (const updates of [[], [record(4)], [record(4), trial], [Uint8Array.of(9, 8)]]) {
    slot.empty();
    hold(3, { trial });
    expect(slot.begin(job({ after: 3, updates }))).toBeNull();
  }
});

test('a trial goes behind what the log has by then', () => {
  hold(3);
  const trial = Uint8Array.of(9);
  const begun = slot.begin(job({ after: 3, updates: [record(4)], trial }))!;
  expect(begun.input.updates).toEqual([record(4), trial]);
  begun.done(110);
  expect(slot.seqOf('doc:plan', LOG)).toBe(4);
});

test('[10] a job that is not done, or took too long, leaves nothing behind', () => {
  hold(3);
  slot.begin(job({ after: 3, updates: [record(4)] }));
  expect(slot.isEmpty).toBe(true);
  hold(3, {}, (CHECK_MS + 3) / 8 + 1);
  expect(slot.isEmpty).toBe(true);
});

test('[5] behind a newer snapshot a log may take the time of what is left of it, and is loaded anew where that is short', () => {
  const large = new Uint8Array(800_000);
  hold(2, { updates: [large, record(2)] }, 60_000);
  const shorter = { snapshot: { seq: 2, bytes: 10 }, after: 2, updates: [record(3)] };
  expect(slot.begin(job(shorter))).toBeNull();
  hold(2, { updates: [large, record(2)] }, (CHECK_MS + 11) / 16);
  expect(slot.begin(job(shorter))!.limitMs).toBe((CHECK_MS + 11) / 8);
});

test('what is too large is not kept, and nothing is kept beside what is too large with it', () => {
  const half = new Uint8Array(MAX_WARM_BYTES / 2);
  expect(slot.begin(job({ whole: { state: half }, updates: [half, record(2)] }))).toBeNull();
  hold(1, { updates: [half] });
  expect(slot.begin(job({ after: 1, updates: [half, record(3)] }))).toBeNull();
  const { warm } = slot.beside({ state: null, updates: [half] });
  expect(warm).toBeGreaterThan(0);
  expect(slot.beside({ state: half, updates: [record(1)] }).warm).toBe(0);
  expect(slot.isEmpty).toBe(true);
});
