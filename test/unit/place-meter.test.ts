import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { admitUpdate } from '../../server/documents/admission/admit-update.ts';
import { PlaceMeter } from '../../server/documents/admission/place-meter.ts';

/** What a client's updates count as, each judged as the server would. */
function measure(edit: (doc: Y.Doc) => void): number {
  const doc = new Y.Doc();
  doc.clientID = 7;
  const known = new Map<number, number>();
  let last: PlaceMeter['last'] = null;
  let unvouched = 0;
  doc.on('update', (update: Uint8Array) => {
    const meter = new PlaceMeter(last);
    const admission = admitUpdate(update, {
      known,
      ownerOf: () => 'self',
      full: false,
      maxStructs: 100_000,
      subdocuments: false,
      places: meter,
    });
    if (admission.verdict !== 'admitted') throw new Error(admission.verdict);
    for (const { clientId, clock } of admission.clocks) known.set(clientId, clock);
    last = meter.last;
    unvouched += meter.unvouched;
  });
  edit(doc);
  return unvouched;
}

test('typing on counts once, however long, and so does typing on in the middle of a text', () => {
  const unvouched = measure((doc) => {
    const text = doc.getText('body');
    for (let index = 0; index < 500; index++) text.insert(index, 'x');
    for (let index = 0; index < 500; index++) text.insert(100 + index, 'y');
  });
  expect(unvouched).toBe(2);
});

test('a list that grows at its front counts once', () => {
  expect(measure((doc) => Array.from({ length: 300 }, (_, index) => doc.getArray('list').unshift([index])))).toBeLessThanOrEqual(
    2,
  );
});

test('a new table counts with its own place, not with the first of each of its cells', () => {
  const unvouched = measure((doc) =>
    doc.transact(() => {
      const rows = doc.getArray<Y.Array<number>>('rows');
      for (let index = 0; index < 200; index++) {
        const row = new Y.Array<number>();
        rows.push([row]);
        row.push([1]);
      }
    }),
  );
  expect(unvouched).toBeLessThanOrEqual(201);
});

test('each jump of the caret counts', () => {
  const unvouched = measure((doc) => {
    const text = doc.getText('body');
    text.insert(0, 'x'.repeat(1_000));
    for (let index = 0; index < 100; index++) text.insert(1 + ((index * 7) % 999), 'y');
  });
  expect(unvouched).toBe(101);
});

test('[5] each jump counts under whatever id it comes: what an earlier session left is brought in one update or in many', () => {
  const jumps = (doc: Y.Doc): void => {
    const text = doc.getText('body');
    text.insert(0, 'x'.repeat(1_000));
    for (let index = 0; index < 100; index++) text.insert(1 + ((index * 7) % 999), 'y');
  };
  const former = new Y.Doc();
  former.clientID = 8;
  const updates: Uint8Array[] = [];
  former.on('update', (update: Uint8Array) => updates.push(update));
  jumps(former);
  // Yjs writes them by id: what an update holds stands in the order of its clocks again.
  expect(measure((doc) => Y.applyUpdate(doc, Y.mergeUpdates(updates)))).toBe(101);
  expect(measure((doc) => updates.forEach((update) => void Y.applyUpdate(doc, update)))).toBe(101);
});
