import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { DocumentAwareness, encodeAwareness, readAwareness } from '../../server/documents/document-awareness.ts';

const ada = { id: 'ada', name: 'Ada', color: '#336699' };

function encode(entries: readonly (readonly [clientId: number, json: string])[]): Uint8Array {
  return encodeAwareness(entries.map(([clientId, json]) => ({ clientId, clock: 1, json })));
}

test('what y-protocols writes is read, and what is written y-protocols reads', () => {
  const own = new Awareness(new Y.Doc());
  own.setLocalState({ pointer: 3, text: '👩‍💻' });
  const update = encodeAwarenessUpdate(own, [own.clientID]);
  expect(readAwareness(update, own.clientID)).toEqual({ pointer: 3, text: '👩‍💻' });
  const entry = new DocumentAwareness().set(7, { pointer: 3 }, ada, 1_000);
  const others = new Awareness(new Y.Doc());
  applyAwarenessUpdate(others, encodeAwareness([entry!]), null);
  expect(others.getStates().get(7)).toEqual({ pointer: 3, user: ada });
  for (const awareness of [own, others]) awareness.destroy();
});

test('[4] the user in a state is the token’s, whatever the client says', () => {
  const awareness = new DocumentAwareness();
  const entry = awareness.set(7, { pointer: 3, user: { id: 'bob', name: 'Bob', admin: true } }, ada, 1_000);
  expect(JSON.parse(entry!.json)).toEqual({ pointer: 3, user: ada });
});

test.each([
  ['another’s state', encode([[8, '{}']]), 'foreign-client-id'],
  ['another’s removal', encode([[8, 'null']]), 'foreign-client-id'],
  [
    'its own state with another’s behind',
    encode([
      [7, '{}'],
      [8, 'null'],
    ]),
    'malformed-frame',
  ],
  ['nothing', encode([]), 'malformed-frame'],
  ['something behind its end', Uint8Array.of(...encode([[7, '{}']]), 0), 'malformed-frame'],
  ['a text instead of an object', encode([[7, '"ada"']]), 'invalid-payload'],
  ['an array', encode([[7, '[]']]), 'invalid-payload'],
  ['what is no JSON', encode([[7, '{a}']]), 'invalid-payload'],
  ['the key __proto__', encode([[7, '{"a":{"\\u005f_proto__":{}}}']]), 'invalid-payload'],
  ['nine levels', encode([[7, `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`]]), 'invalid-payload'],
  ['more than 4 kB', encode([[7, JSON.stringify({ a: 'x'.repeat(4_200) })]]), 'too-large'],
  ['4,097 bytes', encode([[7, JSON.stringify({ a: 'x'.repeat(4_089) })]]), 'too-large'],
  ['what is 4 kB once it is written out', encode([[7, `{"a":[${Array(800).fill('1e20').join()}]}`]]), 'too-large'],
  ['a length beyond its end', Uint8Array.of(1, 7, 1, 200, 0x7b, 0x7d), 'malformed-frame'],
])('[4] a client shows its own state and nothing else: %s is refused', (_, update, code) => {
  expect(() => readAwareness(update, 7)).toThrow(expect.objectContaining({ code }));
});

const PLACE = { type: null, tname: 'default', item: { client: 7, clock: 3 }, assoc: -1 };

test.each([
  ['a number', 3],
  ['a list', []],
  ['no places', { anchor: null, head: null }],
  ['numbers', { anchor: 5, head: 5 }],
  ['one place alone', { anchor: PLACE }],
  ['places that name nothing', { anchor: {}, head: {} }],
  ['an id that is none', { anchor: { ...PLACE, item: 5 }, head: PLACE }],
  ['a clock below 0', { anchor: { ...PLACE, item: { client: 7, clock: -1 } }, head: PLACE }],
  ['a clock between two', { anchor: PLACE, head: { ...PLACE, type: { client: 7, clock: 0.5 } } }],
  ['a name that is none', { anchor: PLACE, head: { ...PLACE, tname: 5 } }],
])('[5] editors stumble over no cursor: %s is refused', (_, cursor) => {
  expect(() => readAwareness(encode([[7, JSON.stringify({ cursor })]]), 7)).toThrow(
    expect.objectContaining({ code: 'invalid-payload' }),
  );
});

test('[5] the cursor of an editor stays what it is, and one of the product’s own has places that are nowhere', () => {
  const read = (cursor: unknown) => readAwareness(encode([[7, JSON.stringify({ cursor })]]), 7) as { cursor: unknown };
  expect(read(null)).toEqual({ cursor: null });
  expect(read({ anchor: PLACE, head: PLACE, pressed: true })).toEqual({ cursor: { anchor: PLACE, head: PLACE, pressed: true } });
  // As y-protocols' own JSON leaves them out.
  expect(read({ anchor: { tname: 'default' }, head: PLACE }).cursor).toMatchObject({
    anchor: { type: null, tname: 'default', item: null, assoc: 0 },
  });
  const { cursor } = read({ x: 1, y: 2 }) as { cursor: { x: number; anchor: Y.RelativePosition; head: Y.RelativePosition } };
  expect(cursor).toMatchObject({ x: 1, y: 2 });
  const doc = new Y.Doc();
  for (const place of [cursor.anchor, cursor.head]) {
    expect(Y.createAbsolutePositionFromRelativePosition(place, doc)).toBeNull();
    expect(Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(place), doc)).toBeNull();
  }
  expect([...doc.share.keys()]).toEqual([]);
});

test('clocks grow, whatever client and wall clock say, so that no member takes a newer state for an older one', () => {
  const awareness = new DocumentAwareness();
  const encoder = encoding.createEncoder();
  for (const number of [1, 7, 2 ** 40]) encoding.writeVarUint(encoder, number);
  encoding.writeVarString(encoder, '{}');
  expect(readAwareness(encoding.toUint8Array(encoder), 7)).toEqual({});
  const clocks = [1_000, 900, 900, 2_000].map((now) => awareness.set(7, {}, ada, now)?.clock ?? 0);
  expect(clocks).toEqual([...clocks].sort((a, b) => a - b));
  expect(new Set(clocks).size).toBe(4);
});

test('a state that is taken back is gone, and taking it back twice is nothing', () => {
  const awareness = new DocumentAwareness();
  awareness.set(7, { cursor: 3 }, ada, 1_000);
  expect(awareness.set(7, null, ada, 1_000)?.json).toBe('null');
  expect(awareness.entries()).toEqual([]);
  expect(awareness.set(7, null, ada, 1_000)).toBeNull();
});
