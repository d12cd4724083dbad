import { expect, test } from 'vitest';
import { ReservedIds } from '../../server/documents/reserved-ids.ts';
import { documentRoom } from '../../shared/room-name.ts';

const NOTES = documentRoom('notes');
const HOUR_MS = 3_600_000;

test('an id is kept for its user in its room, for an hour after it was last seen', () => {
  const ids = new ReservedIds();
  ids.keep(NOTES, 7, 'ada', 0);
  expect(ids.userOf(NOTES, 7, HOUR_MS - 1)).toBe('ada');
  expect(ids.userOf(documentRoom('other'), 7, 0)).toBeUndefined();
  ids.keep(NOTES, 7, 'ada', 1_000);
  expect(ids.userOf(NOTES, 7, HOUR_MS)).toBe('ada');
  expect(ids.userOf(NOTES, 7, HOUR_MS + 1_000)).toBeUndefined();
});

test('one that is kept longer, since it was seen again, keeps no other one longer', () => {
  const ids = new ReservedIds();
  ids.keep(NOTES, 1, 'ada', 0);
  ids.keep(NOTES, 2, 'bob', 1);
  ids.keep(NOTES, 1, 'ada', 2);
  expect([ids.userOf(NOTES, 1, HOUR_MS + 1), ids.userOf(NOTES, 2, HOUR_MS + 1)]).toEqual(['ada', undefined]);
  ids.keep(NOTES, 1, 'eve', HOUR_MS + 1);
  ids.forget('ada');
  expect(ids.userOf(NOTES, 1, HOUR_MS + 1)).toBe('eve');
});

test('[5] one user’s ids never push out another’s: the user’s own oldest goes', () => {
  const ids = new ReservedIds();
  ids.keep(NOTES, 1, 'ada', 0);
  for (let clientId = 1_000; clientId < 1_300; clientId++) ids.keep(NOTES, clientId, 'eve', 1);
  const kept = Array.from({ length: 300 }, (_, index) => 1_000 + index).filter((id) => ids.userOf(NOTES, id, 2) === 'eve');
  expect(kept).toHaveLength(256);
  expect(kept[0]).toBe(1_044);
  expect(ids.userOf(NOTES, 1, 2)).toBe('ada');
});
