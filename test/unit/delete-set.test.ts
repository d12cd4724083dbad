import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import {
  type DeleteSet,
  deletesMeet,
  subtractDeletes,
  unionDeletes,
  writeDeleteSet,
} from '../../server/documents/worker/delete-set.ts';

/** Any ranges of a few clients: unsorted, overlapping, empty. */
const deleteSet: fc.Arbitrary<DeleteSet> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(fc.record({ clock: fc.nat(40), len: fc.nat(8) }), { maxLength: 8 })), {
    maxLength: 3,
  })
  .map((entries) => new Map(entries));

/** The same as a plain set of ids: slow, and obviously right. */
const idsOf = (set: DeleteSet): Set<string> => {
  const ids = new Set<string>();
  for (const [client, ranges] of set)
    for (const { clock, len } of ranges) for (let at = clock; at < clock + len; at += 1) ids.add(`${client}:${at}`);
  return ids;
};

/** Sorted, apart, never empty. */
const isNormal = (set: DeleteSet): boolean =>
  [...set.values()].every(
    (ranges) =>
      ranges.length > 0 &&
      ranges.every(
        ({ clock, len }, index) => len > 0 && (index === 0 || clock > ranges[index - 1]!.clock + ranges[index - 1]!.len),
      ),
  );

describe('delete sets', () => {
  test('unite, subtract and meet as sets of single ids do', () => {
    fc.assert(
      fc.property(deleteSet, deleteSet, (a, b) => {
        const [left, right] = [idsOf(a), idsOf(b)];
        const union = unionDeletes([a, b]);
        const rest = subtractDeletes(a, b);
        expect(idsOf(union)).toEqual(new Set([...left, ...right]));
        expect(idsOf(rest)).toEqual(new Set([...left].filter((id) => !right.has(id))));
        expect(deletesMeet(a, b)).toBe([...left].some((id) => right.has(id)));
        expect(isNormal(union) && isNormal(rest)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('are written as Yjs reads them', () => {
    fc.assert(
      fc.property(deleteSet, (set) => {
        const encoder = encoding.createEncoder();
        encoding.writeVarUint(encoder, 0); // no structs
        writeDeleteSet(encoder, set);
        const read = Y.decodeUpdate(encoding.toUint8Array(encoder)).ds.clients;
        expect(read).toEqual(
          new Map([...unionDeletes([set])].map(([client, ranges]) => [client, ranges.map((range) => ({ ...range }))])),
        );
        expect([...read.keys()]).toEqual([...read.keys()].sort((a, b) => b - a));
      }),
    );
  });

  test('of 200,000 ranges unite without overflowing the stack', () => {
    const ranges = Array.from({ length: 200_000 }, (_, index) => ({ clock: index * 2, len: 1 }));
    expect(unionDeletes([new Map([[1, ranges]]), new Map([[1, ranges]])]).get(1)).toHaveLength(200_000);
  });
});
