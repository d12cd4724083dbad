import { expect, test } from 'vitest';
import { DocumentNesting, MAX_NESTING } from '../../server/documents/document-nesting.ts';

test('an empty document is known to be flat, one that comes from disk is taken for half as deep as it may be', () => {
  expect(new DocumentNesting(true)).toMatchObject({ bound: 0, measured: true });
  expect(new DocumentNesting(false)).toMatchObject({ bound: MAX_NESTING / 2, measured: false });
});

test('[5] levels add up, until a worker has seen the document; what came after it looked still counts', () => {
  const nesting = new DocumentNesting(false);
  nesting.add(300);
  const { bound } = nesting;
  nesting.add(200);
  expect([nesting.exceededBy(12), nesting.exceededBy(13)]).toEqual([false, true]);
  nesting.measure(3, bound);
  expect(nesting).toMatchObject({ bound: 203, measured: true });
  expect([nesting.exceededBy(821), nesting.exceededBy(822)]).toEqual([false, true]);
});

test('what adds no level is never too much', () => {
  const nesting = new DocumentNesting(true);
  nesting.add(5_000);
  expect(nesting.exceededBy(0)).toBe(false);
});
