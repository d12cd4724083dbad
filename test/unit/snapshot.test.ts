import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shallowEqual, snapshot } from '../../client/snapshot.ts';

const tasks = (...names: string[]) => names.map((name) => ({ name, tags: ['x'] }));

test('what did not change keeps its identity, in every part', () => {
  const before = snapshot(undefined, { a: { n: 1 }, list: tasks('one', 'two', 'three') });
  expect(snapshot(before, { a: { n: 1 }, list: tasks('one', 'two', 'three') })).toBe(before);
  const after = snapshot(before, { a: { n: 1 }, list: tasks('one', 'new', 'two', 'three') });
  expect(after.a).toBe(before.a);
  expect([after.list[0], after.list[2], after.list[3]]).toEqual([before.list[0], before.list[1], before.list[2]]);
  expect(after.list[2]).toBe(before.list[1]);
  expect(after.list[3]).toBe(before.list[2]);
  const without = snapshot(after, { a: { n: 2 }, list: tasks('one', 'two', 'three') });
  expect(without.list[1]).toBe(after.list[2]);
  expect(without.a).not.toBe(after.a);
});

test('a snapshot is a frozen copy: what it was made of can change, and it cannot', () => {
  const source = { list: [{ n: 1 }] };
  const copy = snapshot(undefined, source);
  source.list[0]!.n = 2;
  expect(copy).toEqual({ list: [{ n: 1 }] });
  expect(() => {
    copy.list[0]!.n = 3;
  }).toThrow(TypeError);
  const named = snapshot(undefined, JSON.parse('{"__proto__":{"polluted":1}}') as object);
  expect(Object.keys(named)).toEqual(['__proto__']);
  expect((named as { polluted?: number }).polluted).toBeUndefined();
});

test('a snapshot equals what it was made of, whatever came before', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(json, json, (before, value) => {
      const first = snapshot(undefined, before);
      const second = snapshot(first, value);
      expect(JSON.stringify(second)).toBe(JSON.stringify(value));
      expect(snapshot(second, structuredClone(value))).toBe(second);
    }),
    { numRuns: 500 },
  );
});

test('equality one level deep', () => {
  const part = {};
  expect(shallowEqual([part, 1], [part, 1])).toBe(true);
  expect(shallowEqual({ part, n: Number.NaN }, { n: Number.NaN, part })).toBe(true);
  expect(shallowEqual([{}], [{}])).toBe(false);
  expect(shallowEqual({ a: undefined }, { b: undefined })).toBe(false);
  expect(shallowEqual([], {})).toBe(false);
  expect(shallowEqual(null, {})).toBe(false);
  expect(shallowEqual(new Map(), new Map())).toBe(false);
});
