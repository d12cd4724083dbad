import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallMap } from '../../server/small-map.ts';

test('whatever is done to it, it holds what a Map would, in the same order', () => {
  const key = fc.integer({ min: 0, max: 3 });
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.option(fc.integer(), { nil: undefined }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  );
  let most = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [small, map] = [new SmallMap<number, number | undefined>(), new Map<number, number | undefined>()];
      for (const next of steps) {
        if (next.do === 'set') {
          expect(small.set(next.key, next.value)).toBe(small);
          map.set(next.key, next.value);
        } else if (next.do === 'delete') expect(small.delete(next.key)).toBe(map.delete(next.key));
        else {
          small.clear();
          map.clear();
        }
        most = Math.max(most, map.size);
        expect(small.size).toBe(map.size);
        expect([...small]).toEqual([...map]);
        expect([[...small.keys()], [...small.values()]]).toEqual([[...map.keys()], [...map.values()]]);
        for (let asked = 0; asked <= 3; asked++) {
          expect([small.has(asked), small.get(asked)]).toEqual([map.has(asked), map.get(asked)]);
        }
        const told: [number, number | undefined][] = [];
        small.forEach((value, of, all) => {
          told.push([of, value]);
          expect(all).toBe(small);
        });
        expect(told).toEqual([...map]);
      }
    }),
  );
  expect(most).toBe(4);
});

test('entries may be deleted while they are gone through', () => {
  for (const count of [1, 2, 5]) {
    const map = new SmallMap<number, string>();
    for (let key = 0; key < count; key++) map.set(key, `value ${key}`);
    const seen: number[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      map.delete(key);
    }
    expect([seen.length, map.size]).toEqual([count, 0]);
  }
});
