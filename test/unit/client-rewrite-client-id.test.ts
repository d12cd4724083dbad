import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { restoreUnsaved } from '../../client/documents/restore.ts';
import { rewriteClientId } from '../../client/documents/rewrite-client-id.ts';

type Edit = { kind: number; at: number; text: string };

const edits = fc.array(
  fc.record({
    kind: fc.integer({ min: 0, max: 8 }),
    at: fc.nat(),
    text: fc.string({ minLength: 1, maxLength: 6, unit: 'binary-ascii' }),
  }),
  { maxLength: 40 },
);

/** An edit of any kind that Yjs has: text, formats, embeds, deletions, maps, arrays, XML, nested types. */
function edit(doc: Y.Doc, { kind, at, text }: Edit): void {
  const body = doc.getText('text');
  const map = doc.getMap<unknown>('map');
  const array = doc.getArray<unknown>('array');
  const place = at % (body.length + 1);
  const span = Math.min(text.length, body.length - place);
  switch (kind) {
    case 0:
    case 1:
      body.insert(place, text);
      break;
    case 2:
      if (span > 0) body.delete(place, span);
      break;
    case 3:
      if (span > 0) body.format(place, span, { bold: at % 2 === 0 ? true : null });
      break;
    case 4:
      map.set(text, at);
      break;
    case 5:
      array.insert(at % (array.length + 1), [text, { deep: [at] }, new Uint8Array([at % 256])]);
      break;
    case 6:
      if (array.length > 0) array.delete(at % array.length, 1);
      break;
    case 7: {
      const element = new Y.XmlElement('p');
      doc.getXmlFragment('xml').insert(0, [element]);
      element.insert(0, [new Y.XmlText(text)]);
      element.setAttribute('at', String(at));
      break;
    }
    default: {
      const nested = new Y.Map<unknown>();
      map.set('nested', nested);
      nested.set('key', text);
      body.insertEmbed(place, { image: text });
    }
  }
}

const ROOTS = (doc: Y.Doc) => [
  doc.getText('text').toDelta(),
  doc.getMap('map').toJSON(),
  doc.getArray('array').toJSON(),
  doc.getXmlFragment('xml').toString(),
];

function twin(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  for (const [name, get] of Object.entries({ text: 'getText', map: 'getMap', array: 'getArray', xml: 'getXmlFragment' } as const))
    copy[get](name);
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

test('[4] edits under another id are the same edits: on the saved base they give the same content', () => {
  let moved = 0;
  fc.assert(
    fc.property(edits, edits, edits, (saved, others, unsaved) => {
      const doc = new Y.Doc({ gc: true });
      for (const step of saved) edit(doc, step);
      // Someone else's content in between, which the edits build on.
      const other = twin(doc);
      for (const step of others) edit(other, step);
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
      const base = twin(doc);
      const before = Y.getState(doc.store, doc.clientID);
      const updates: Uint8Array[] = [];
      doc.on('update', (update: Uint8Array) => updates.push(update));
      for (const step of unsaved) edit(doc, step);
      if (updates.length === 0) return;
      moved += Y.getState(doc.store, doc.clientID) - before;
      const merged = Y.mergeUpdates(updates);
      const rewritten = rewriteClientId(merged, { from: doc.clientID, to: 7, clock: 0 });
      const fresh = twin(base);
      Y.applyUpdate(fresh, rewritten);
      expect(fresh.store.pendingStructs).toBeNull();
      expect(fresh.store.pendingDs).toBeNull();
      // What was saved is still under the old id, and nothing new is.
      expect(Y.getState(fresh.store, doc.clientID)).toBe(before);
      expect(Y.getState(fresh.store, 7)).toBe(Y.getState(doc.store, doc.clientID) - before);
      expect(ROOTS(fresh)).toEqual(ROOTS(doc));
      // Highest client first, each once, as the server demands.
      const clients = [...Y.parseUpdateMeta(rewritten).from.keys()];
      expect(clients).toEqual([...clients].sort((left, right) => right - left));
    }),
    { numRuns: 200 },
  );
  expect(moved).toBeGreaterThan(1_000);
});

test('clocks go on where the new id stands, and a gap of saved structs in between vanishes', () => {
  const doc = new Y.Doc();
  doc.clientID = 5;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  doc.getText('text').insert(0, 'ab');
  doc.getText('text').insert(2, 'cd');
  doc.getText('text').insert(4, 'ef');
  // The middle is saved, the ends are not: such an update holds a Skip.
  const merged = Y.mergeUpdates([updates[0]!, updates[2]!]);
  const rewritten = rewriteClientId(merged, { from: 5, to: 9, clock: 100 });
  const { structs } = Y.decodeUpdate(rewritten);
  expect(structs.map(({ id, length }) => [id.client, id.clock, length])).toEqual([
    [9, 100, 2],
    [9, 102, 2],
  ]);
  expect((structs[1] as Y.Item).origin).toMatchObject({ client: 5, clock: 3 });
});

test('an update that already holds the new id is left alone, with an error', () => {
  const doc = new Y.Doc();
  doc.clientID = 9;
  doc.getText('text').insert(0, 'x');
  expect(() => rewriteClientId(Y.encodeStateAsUpdate(doc), { from: 5, to: 9, clock: 0 })).toThrowError(
    expect.objectContaining({ code: 'invalid-update' }),
  );
});

test('unsaved edits that build on something the server lost are not forced into the fresh document', () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  doc.getText('text').insert(0, 'lost');
  doc.getText('text').insert(4, ' kept');
  const fresh = new Y.Doc();
  const unsaved = { update: updates[1]!, clientId: doc.clientID, edits: 1 };
  expect(restoreUnsaved(fresh, unsaved)).toBe(false);
  expect(fresh.store.pendingStructs).toBeNull();
  expect(fresh.getText('text').toString()).toBe('');
  const both = { update: Y.mergeUpdates(updates), clientId: doc.clientID, edits: 2 };
  const id = fresh.clientID;
  expect(restoreUnsaved(fresh, both)).toBe(true);
  expect(fresh.getText('text').toString()).toBe('lost kept');
  // Yjs would take a remote update under our own id for another client's, and change ours.
  expect(fresh.clientID).toBe(id);
});

test('a deletion of what the server lost does not fit either, and leaves nothing pending', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'lost');
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  doc.getText('text').delete(0, 2);
  const fresh = new Y.Doc();
  expect(restoreUnsaved(fresh, { update: updates[0]!, clientId: doc.clientID })).toBe(false);
  expect(fresh.store.pendingDs).toBeNull();
});
