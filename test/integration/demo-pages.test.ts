import { expect, test } from 'vitest';
import { pagesOf } from '../../demo/web/document/pages.ts';

test('pages that were made at once stand in the same order for everybody, whatever the language', () => {
  // A dictionary has Z behind b.
  const ids = ['page-Z', 'page-a', 'page-b'];
  const stored = Object.fromEntries(ids.toReversed().map((id) => [id, { title: id, order: 1 }]));
  expect(pagesOf(stored).map(({ id }) => id)).toEqual(ids);
  expect(pagesOf({ ...stored, 'page-y': { title: 'first', order: 0 } })[0]).toEqual({ id: 'page-y', title: 'first' });
});

test('what is no page is left out', () => {
  expect(
    pagesOf({
      'page-a': 7,
      'page-b': { title: 'no order' },
      '': { title: '', order: 1 },
      'page-c': { title: '', order: Number.NaN },
    }),
  ).toEqual([]);
});
