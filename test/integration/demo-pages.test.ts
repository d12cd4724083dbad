import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { addPage, pagesOf } from '../../demo/web/document/pages.ts';

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

test('a page that is added stands behind all others, however many are gone, and has a line to write in', () => {
  const workspace = new Y.Doc();
  const pages = workspace.getMap<unknown>('pages');
  pages.set('page-a', { title: 'a', order: 7 });
  pages.set('page-b', 'no page');
  const made = new Map<string, Y.Doc>();
  const document = (name: string) => {
    const doc = new Y.Doc();
    made.set(name, doc);
    return { doc, destroy: () => {} };
  };
  const id = addPage({ document } as never, { doc: workspace } as never, 'new');
  expect(pagesOf(pages.toJSON()).map(({ title }) => title)).toEqual(['a', 'new']);
  expect(made.get(id)?.getXmlFragment('default').toString()).toBe('<paragraph></paragraph>');
});
