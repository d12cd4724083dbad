import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { joinUpdates } from '../../client/documents/join-updates.ts';

function load(...updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

function record(doc: Y.Doc): Uint8Array[] {
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  return updates;
}

test('keystrokes in a row become one item, as in the document that they were typed into', () => {
  const doc = new Y.Doc();
  const updates = record(doc);
  for (let index = 0; index < 1_000; index++) doc.getText('text').insert(index, 'x');
  const joined = joinUpdates(updates);
  expect(Y.decodeUpdate(joined).structs).toHaveLength(1);
  expect(joined).toEqual(Y.encodeStateAsUpdate(doc));
});

test('text behind a jump of the caret, and what others typed between, stays where it was typed', () => {
  const mine = new Y.Doc();
  const updates = record(mine);
  const text = mine.getText('text');
  for (const [at, typed] of [[0, 'a'], [1, 'b'], [1, 'X'], [3, 'c'], [0, 'Y'], [5, 'd']] as const) text.insert(at, typed); // biome-ignore format: pairs
  const others = load(updates[0]!, updates[1]!);
  others.getText('text').insert(1, 'theirs');
  const theirs = Y.encodeStateAsUpdate(others);
  const joined = joinUpdates(updates);
  expect(load(theirs, joined).getText('text').toString()).toBe(
    load(theirs, ...updates)
      .getText('text')
      .toString(),
  );
  expect(load(joined, theirs).getText('text').toString()).toBe(
    load(...updates, theirs)
      .getText('text')
      .toString(),
  );
});

const edit = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('type' as const), at: fc.nat(40), text: fc.constantFrom('a', 'bc', '😀') }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('typeOn' as const), text: fc.constantFrom('x', 'yz') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.nat(40), length: fc.integer({ min: 1, max: 5 }) }),
  },
  fc.record({ kind: fc.constant('format' as const), at: fc.nat(40), length: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('set' as const), key: fc.constantFrom('k', 'l'), text: fc.string() }),
  fc.record({ kind: fc.constant('nest' as const), text: fc.string({ minLength: 1 }) }),
  fc.record({ kind: fc.constant('others' as const), at: fc.nat(40), text: fc.constantFrom('o', 'pq') }),
  fc.record({ kind: fc.constant('undo' as const) }),
);
type Edit = typeof edit extends fc.Arbitrary<infer One> ? One : never;

test('whoever applies it has what the updates one by one make, over any edits of two people', () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), fc.nat(5), (edits, gap) => {
      const doc = new Y.Doc();
      const others = new Y.Doc();
      const all: Uint8Array[] = [];
      const own: Uint8Array[] = [];
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        all.push(update);
        if (origin !== 'others') own.push(update);
      });
      others.on('update', (update: Uint8Array) => Y.applyUpdate(doc, update, 'others'));
      const undo = new Y.UndoManager(doc.getText('text'), { captureTimeout: 0 });
      let caret = 0;
      for (const one of edits) caret = apply(one, doc, others, undo, caret);
      // Also where the first ones are missing: what is behind them waits, as it would.
      for (const part of [all, own, own.slice(gap), own.filter((_, index) => index !== gap)]) {
        if (part.length === 0) continue;
        const merged = Y.mergeUpdates(part);
        const joined = joinUpdates(part);
        // What was joined is joined once more, with what came behind.
        const half = part.length >> 1;
        const twice = joinUpdates([joinUpdates(part.slice(0, half)), ...part.slice(half)]);
        if (half > 0) expect(load(twice).toJSON()).toEqual(load(merged).toJSON());
        expect(Y.encodeStateVectorFromUpdate(joined)).toEqual(Y.encodeStateVectorFromUpdate(merged));
        const expected = load(merged);
        const found = load(joined);
        expect(found.toJSON()).toEqual(expected.toJSON());
        expect(Y.decodeUpdate(joined).ds).toEqual(Y.decodeUpdate(merged).ds);
        expect(load(Y.encodeStateAsUpdate(others), joined).getText('text').toDelta()).toEqual(
          load(Y.encodeStateAsUpdate(others), ...part)
            .getText('text')
            .toDelta(),
        );
        expect(
          load(joined, ...all)
            .getText('text')
            .toDelta(),
        ).toEqual(doc.getText('text').toDelta());
      }
    }),
    { numRuns: 200 },
  );
});

/** @returns where the caret is then */
function apply(one: Edit, doc: Y.Doc, others: Y.Doc, undo: Y.UndoManager, caret: number): number {
  const text = doc.getText('text');
  const within = (at: number) => Math.min(at, text.length);
  if (one.kind === 'type' || one.kind === 'typeOn') {
    const at = within(one.kind === 'type' ? one.at : caret);
    text.insert(at, one.text);
    return at + one.text.length;
  }
  if (one.kind === 'delete') text.delete(within(one.at), Math.min(one.length, text.length - within(one.at)));
  if (one.kind === 'format') text.format(within(one.at), Math.min(one.length, text.length - within(one.at)), { bold: true });
  if (one.kind === 'set') doc.getMap('map').set(one.key, one.text);
  if (one.kind === 'nest') doc.getArray('list').push([new Y.Text(one.text), one.text]);
  if (one.kind === 'undo') undo.undo();
  if (one.kind === 'others') {
    Y.applyUpdate(others, Y.encodeStateAsUpdate(doc), 'sync');
    others.getText('text').insert(Math.min(one.at, others.getText('text').length), one.text);
  }
  return caret;
}
