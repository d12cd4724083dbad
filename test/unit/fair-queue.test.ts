import { expect, test } from 'vitest';
import { FairQueue } from '../../server/documents/worker/fair-queue.ts';

test('whoever has many waiting has one of each turn', () => {
  const queue = new FairQueue<string>();
  for (const task of ['a1', 'a2', 'a3']) queue.push('a', task);
  queue.push('b', 'b1');
  expect([queue.shift(), queue.shift()]).toEqual(['a1', 'b1']);
  queue.push('c', 'c1');
  queue.push('b', 'b2');
  expect(queue.size).toBe(4);
  expect([queue.shift(), queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([
    'a2',
    'c1',
    'b2',
    'a3',
    undefined,
  ]);
});

test('what waits is handed over when it ends', () => {
  const queue = new FairQueue<string>();
  queue.push('a', 'a1');
  queue.push('b', 'b1');
  expect(queue.drain()).toEqual(['a1', 'b1']);
  expect([queue.size, queue.shift()]).toEqual([0, undefined]);
});
