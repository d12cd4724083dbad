import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { Outbox } from '../../client/documents/outbox.ts';

function typed(count: number): { doc: Y.Doc; updates: Uint8Array[] } {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let index = 0; index < count; index++) doc.getText('text').insert(index, 'x');
  return { doc, updates };
}

const textOf = (...updates: readonly (Uint8Array | null)[]) => {
  const doc = new Y.Doc();
  for (const update of updates) if (update !== null) Y.applyUpdate(doc, update);
  return doc.getText('text').toString();
};

test('what waits is merged when it is sent, and its bytes never change from then on', () => {
  const { updates } = typed(40);
  const outbox = new Outbox();
  for (const update of updates.slice(0, 30)) outbox.add(update);
  const first = outbox.number(1_000_000);
  expect(first).toMatchObject({ counter: 1, edits: 30, full: false });
  expect(textOf(first?.update ?? null)).toBe('x'.repeat(30));
  for (const update of updates.slice(30)) outbox.add(update);
  expect(outbox.at(1)).toBe(first);
  expect(outbox.number(1_000_000)).toMatchObject({ counter: 2, edits: 10 });
  expect(outbox.unsaved).toBe(40);
  outbox.acknowledge(1);
  expect(outbox.unsaved).toBe(10);
  expect(outbox.savedThrough).toBe(30);
  expect(outbox.at(1)).toBeUndefined();
  outbox.acknowledge(2);
  expect(outbox.isEmpty).toBe(true);
  expect(outbox.merged()).toBeNull();
});

test('an offline day of edits stays cheap: the wait is kept as a few merged groups', () => {
  const { doc, updates } = typed(5_000);
  const outbox = new Outbox();
  const begun = performance.now();
  for (const update of updates) outbox.add(update);
  const merged = outbox.merged();
  expect(performance.now() - begun).toBeLessThan(3_000);
  expect(textOf(merged)).toBe(doc.getText('text').toString());
  expect(outbox.unsaved).toBe(5_000);
});

test('what waits is merged in groups of bounded size: large edits stay apart, and go in updates no larger than asked for', () => {
  const doc = new Y.Doc();
  const outbox = new Outbox();
  doc.on('update', (update: Uint8Array) => outbox.add(update));
  for (let index = 0; index < 300; index++) doc.getText('text').insert(0, 'x'.repeat(2_000));
  const updates: Uint8Array[] = [];
  for (let next = outbox.number(200_000); next !== undefined; next = outbox.number(200_000)) updates.push(next.update);
  expect(Math.max(...updates.map(({ length }) => length))).toBeLessThanOrEqual(200_000);
  expect(textOf(...updates)).toBe(doc.getText('text').toString());
});

test('a full step takes the place of what it covers, and keeps what is under way below it', () => {
  const { doc, updates } = typed(9);
  const outbox = new Outbox();
  for (let index = 0; index < 3; index++) {
    outbox.add(updates[index]!);
    outbox.number(1_000_000);
  }
  for (const update of updates.slice(3)) outbox.add(update);
  const below = outbox.at(1);
  outbox.replace(2, Y.encodeStateAsUpdate(doc));
  expect(outbox.at(1)).toBe(below);
  expect(outbox.at(2)).toMatchObject({ counter: 2, full: true, edits: 8 });
  expect(outbox.lastCounter).toBe(2);
  expect(outbox.unsaved).toBe(9);
  outbox.replace(3, null);
  expect(outbox.lastCounter).toBe(2);
});

test('counts always follow from the content, whatever happens', () => {
  const step = fc.oneof(
    fc.constant('add' as const),
    fc.constant('number' as const),
    fc.constant('ack' as const),
    fc.constant('replace' as const),
    fc.constant('count' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { doc, updates } = typed(60);
      const outbox = new Outbox();
      let next = 0;
      for (const action of steps) {
        if (action === 'add') outbox.add(updates[next++]!);
        if (action === 'number') outbox.number(200);
        if (action === 'ack') outbox.acknowledge(outbox.numbered[0]?.counter ?? 0);
        if (action === 'replace') outbox.replace(outbox.lastCounter + 1, Y.encodeStateAsUpdate(doc));
        if (action === 'count') outbox.countFrom(3);
        const counters = outbox.numbered.map(({ counter }) => counter);
        expect(counters).toEqual(counters.map((_, index) => (counters[0] ?? 0) + index));
        expect(outbox.savedThrough).toBeGreaterThanOrEqual(0);
        expect(outbox.unsaved === 0).toBe(outbox.isEmpty);
        for (const counter of counters) expect(outbox.at(counter)?.counter).toBe(counter);
      }
    }),
  );
});
