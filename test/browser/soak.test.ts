import { expect, test } from 'vitest';
import { PAGE_LIMITS, soakBrowser } from '../support/browser-soak.ts';
import { whatGrew } from '../support/what-grew.ts';

test('pages whose connection comes and goes hold no more than before', async () => {
  const result = await soakBrowser({ rounds: 3, everyMs: 0 });
  expect(whatGrew(result.pages, PAGE_LIMITS)).toEqual([]);
  expect(result.complaints).toEqual([]);
  for (const { samples } of result.pages) expect(samples).toHaveLength(3);
}, 120_000);

test('what grows is named', () => {
  const samples = Array.from({ length: 9 }, (_, index) => ({
    heapBytes: 1e7 + index * 1e6,
    listeners: 100 + index * 5,
    nodes: 900,
  }));
  expect(whatGrew([{ name: 'anna', samples }], PAGE_LIMITS)).toEqual([
    'anna: heapBytes grew from 11000000 to 17000000 in 9 rounds',
    'anna: listeners grew from 105 to 135 in 9 rounds',
  ]);
});
