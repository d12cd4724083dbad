import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { addCard, boardOf, moveCard } from '../../demo/web/board/board.ts';
import { insertOrder } from '../../demo/web/board/insert-order.ts';

test('a card is put between its neighbours, and these keep their orders where there is room', () => {
  expect(insertOrder([], 0)).toEqual({ order: 0, others: [] });
  expect(insertOrder([3, 4], 0)).toEqual({ order: 2, others: [3, 4] });
  expect(insertOrder([3, 4], 1)).toEqual({ order: 3.5, others: [3, 4] });
  expect(insertOrder([3, 4], 2)).toEqual({ order: 5, others: [3, 4] });
});

test('where neighbours have the same order, as few as will do move on', () => {
  expect(insertOrder([1, 1, 2, 9, 9], 1)).toEqual({ order: 2, others: [1, 3, 4, 9, 9] });
  expect(insertOrder([1, 1], 0)).toEqual({ order: 0, others: [1, 1] });
});

test('whatever orders a column has, a card lands where it is put, and those behind it stay in their order', () => {
  const order = fc.oneof(fc.integer({ min: -2, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(order, { maxLength: 8 }), fc.nat(8), (given, place) => {
      const orders = given.sort((left, right) => left - right);
      const index = Math.min(place, orders.length);
      const { order: own, others } = insertOrder(orders, index);
      expect(others).toHaveLength(orders.length);
      for (const [at, other] of others.entries()) {
        expect(at < index ? other < own : other > own).toBe(true);
        const next = others[at + 1];
        // Of two with the same order the ids decide, now as before.
        if (next !== undefined) expect(orders[at] === orders[at + 1] ? other <= next : other < next).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test('between two cards that were added while cut a third lands where it was dropped, and undo takes it all back', () => {
  const doc = new Y.Doc();
  const board = () => boardOf([{ id: 'todo', title: 'To do' }], doc.getMap('cards').toJSON());
  const titles = () =>
    board()
      .cardsOf('todo')
      .map(({ title }) => title);
  addCard({ doc }, board(), 'todo', 'dropped');
  const theirs = new Y.Doc();
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc));
  const before = board();
  addCard({ doc }, before, 'todo', 'ours');
  addCard({ doc: theirs }, before, 'todo', 'theirs');
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(theirs));
  const [first, second, third] = board().cardsOf('todo');
  expect(second?.order).toBe(third?.order);
  const undo = new Y.UndoManager(doc.getMap('cards'));
  moveCard({ doc }, board(), first?.id ?? '', 'todo', 1);
  expect(titles()).toEqual([second?.title, 'dropped', third?.title]);
  undo.undo();
  expect(titles()).toEqual(['dropped', second?.title, third?.title]);
  for (const one of [doc, theirs]) one.destroy();
});
