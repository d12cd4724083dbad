import { expect, test } from 'vitest';
import { MAX_UNPROVEN } from '../../server/documents/compaction-due.ts';
import { DocumentPlaces } from '../../server/documents/document-places.ts';

test('several threads may look at once and end in any order: each vouches for what it saw', () => {
  const places = new DocumentPlaces();
  places.add(300);
  const first = places.added;
  places.add(300);
  const second = places.added;
  places.add(50);
  places.vouchedFor(second);
  expect(places.unvouched).toBe(50);
  places.provenFor(first);
  expect(places.unvouched, 'the same items count once').toBe(50);
});

test('half of what may be unvouched for is looked at in the background', () => {
  const places = new DocumentPlaces();
  places.add(499);
  expect(places.due).toBe(false);
  places.add(1);
  expect([places.due, places.proofDue, places.needProof]).toEqual([true, false, false]);
});

test('[5] what was only vouched for is proven by a snapshot, or else by whole checks', () => {
  const places = new DocumentPlaces();
  places.add(MAX_UNPROVEN / 2);
  places.vouchedFor(places.added);
  expect([places.unvouched, places.proofDue, places.needProof]).toEqual([0, true, false]);
  places.add(MAX_UNPROVEN / 2);
  expect(places.needProof).toBe(false);
  places.add(1);
  expect(places.needProof).toBe(true);
  places.provenFor(places.added);
  expect([places.proofDue, places.needProof]).toEqual([false, false]);
});

test('[5] what cannot be vouched for needs a snapshot as soon as it is half of what may be', () => {
  const places = new DocumentPlaces();
  places.cannotVouch();
  places.add(499);
  expect([places.needProof, places.proofDue]).toEqual([true, false]);
  places.add(1);
  expect(places.proofDue).toBe(true);
  places.provenFor(places.added);
  expect(places.needProof, 'a check of what is on trial makes the log no faster').toBe(true);
  places.compacted();
  expect(places.needProof).toBe(false);
});

test('an empty document has nothing to vouch for', () => {
  const places = new DocumentPlaces();
  places.add(MAX_UNPROVEN * 2);
  places.cannotVouch();
  places.clear();
  expect([places.unvouched, places.proofDue, places.needProof]).toEqual([0, false, false]);
});
