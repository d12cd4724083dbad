import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { type AdmissionContext, admitUpdate, countStructs } from '../../server/documents/admission/admit-update.ts';
import { scanJson } from '../../server/documents/admission/scan-json.ts';
import { decodeStateVector, encodeStateVector } from '../../server/documents/admission/state-vector.ts';
import { WireReader } from '../../server/documents/admission/wire-reader.ts';
import { AshlarError } from '../../shared/errors.ts';
import { encodeUpdate } from '../support/hostile-admissions.ts';
import { chained, clocksPerType } from '../support/nested-types.ts';
import { nestingInDoc } from '../support/nesting-in-doc.ts';

const ADA = 200;
const BOB = 100;

function context(over: Partial<AdmissionContext> = {}): AdmissionContext {
  return { known: new Map(), ownerOf: () => 'self', full: false, maxStructs: 1_000, subdocuments: false, ...over };
}

/** A document of Ada's and every update that it made. */
function document(change: (doc: Y.Doc) => void): { doc: Y.Doc; updates: Uint8Array[] } {
  const doc = new Y.Doc();
  doc.clientID = ADA;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  change(doc);
  return { doc, updates };
}

const hello = document((doc) => doc.getText('text').insert(0, 'hello')).updates[0] as Uint8Array;

/** By how many levels of Y types in Y types an update may deepen a document that knows `known`. */
function levelsOf(update: Uint8Array, known = new Map<number, number>()): number {
  const admission = admitUpdate(update, context({ known, maxStructs: 10_000 }));
  if (admission.verdict !== 'admitted') throw new Error(admission.verdict);
  return admission.levels;
}

describe('the nesting of Y types', () => {
  const paragraphs = (count: number) =>
    Array.from({ length: count }, () => {
      const element = new Y.XmlElement('p');
      element.insert(0, [new Y.XmlText('text')]);
      return element;
    });

  test('is not deepened by typing, and by a list of paragraphs only as deep as one of them', () => {
    const { updates } = document((doc) => {
      const root = doc.getXmlFragment('root');
      root.insert(0, paragraphs(600));
      ((root.get(3) as Y.XmlElement).get(0) as Y.XmlText).insert(2, 'x');
      root.insert(300, paragraphs(1));
      root.delete(0, 5);
    });
    const known = new Map<number, number>();
    const levels = updates.map((update) => {
      const all = levelsOf(update, known);
      known.set(
        ADA,
        Y.decodeStateVector(Y.encodeStateVectorFromUpdate(Y.mergeUpdates(updates.slice(0, updates.indexOf(update) + 1)))).get(
          ADA,
        )!,
      );
      return all;
    });
    expect(levels).toEqual([2, 0, 2, 0]);
  });

  test.each(['by parent', 'by origin', 'by right origin'] as const)('counts types that are put into each other %s', (nesting) => {
    expect(levelsOf(chained(512, { nesting }))).toBe(512);
    expect(admitUpdate(chained(513, { nesting }), context({ maxStructs: 10_000 }))).toMatchObject({
      verdict: 'refused',
      rule: 8,
    });
    const doc = new Y.Doc();
    Y.applyUpdate(doc, chained(512, { nesting }));
    expect(nestingInDoc(doc), 'as Yjs nests them').toBe(512);
  });

  test('counts from what is known, whatever the update says of it', () => {
    const start = 20 * clocksPerType('by origin') - 1;
    const known = new Map([[4_000, start]]);
    expect(levelsOf(chained(30, { start }), known)).toBe(30);
    expect(levelsOf(chained(50), known), 'twenty are cut away').toBe(30);
  });

  test('is the number of types where items refer to what comes later in the update', () => {
    // Ada's types stand before Bob's in the update, and in them: two levels, then one more.
    const update = encodeUpdate([
      {
        client: ADA,
        clock: 0,
        structs: [
          [7, 0, BOB, 1, 0],
          [7, 1, 'other', 0],
        ],
      },
      {
        client: BOB,
        clock: 0,
        structs: [
          [7, 1, 'root', 0],
          [7, 0, BOB, 0, 0],
        ],
      },
    ]);
    expect(levelsOf(update)).toBe(4);
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    expect(nestingInDoc(doc)).toBe(3);
    expect(
      levelsOf(
        encodeUpdate([
          {
            client: ADA,
            clock: 0,
            structs: [
              [7, 1, 'root', 0],
              [7, 0, ADA, 0, 0],
            ],
          },
          {
            client: BOB,
            clock: 0,
            structs: [
              [7, 0, ADA, 1, 0],
              [7, 1, 'other', 0],
            ],
          },
        ]),
      ),
      'what came before is known exactly',
    ).toBe(3);
  });
});

describe('an admitted update', () => {
  test('keeps its bytes, in a buffer of its own', () => {
    const pooled = Buffer.concat([Buffer.alloc(50), hello]).subarray(50);
    const admission = admitUpdate(pooled, context());
    expect(admission).toEqual({
      verdict: 'admitted',
      update: hello,
      clocks: [{ clientId: ADA, clock: 5 }],
      structs: 1,
      deletes: 0,
      levels: 0,
    });
    if (admission.verdict !== 'admitted') return;
    expect(admission.update.byteLength).toBe(admission.update.buffer.byteLength);
    pooled.fill(0);
    expect(admission.update).toEqual(hello);
  });

  test('has a buffer of its own when something was cut away, too', () => {
    const admission = admitUpdate(hello, context({ known: new Map([[ADA, 2]]) }));
    expect(admission).toMatchObject({ verdict: 'admitted', clocks: [{ clientId: ADA, clock: 5 }] });
    if (admission.verdict !== 'admitted') return;
    expect(admission.update.byteLength).toBe(admission.update.buffer.byteLength);
    expect(admission.update).toEqual(Y.diffUpdate(hello, encodeStateVector(new Map([[ADA, 2]]))));
  });

  test.each([
    ['text', (doc: Y.Doc) => doc.getText('t').insert(0, 'grüße 𝄞 ab')],
    [
      'values',
      (doc: Y.Doc) =>
        doc.getArray('t').insert(0, [1, 'two', { three: [3, undefined] }, null, -6.5, true, [new Uint8Array([5])]] as never[]),
    ],
    [
      'collected content',
      (doc: Y.Doc) => {
        doc.getText('t').insert(0, 'gone for good');
        doc.getText('t').delete(2, 9);
      },
    ],
  ])('of %s is cut at every clock as Yjs cuts it', (_, change) => {
    const { doc } = document(change);
    const whole = Y.encodeStateAsUpdate(doc);
    const end = Y.decodeStateVector(Y.encodeStateVector(doc)).get(ADA) ?? 0;
    for (let clock = 0; clock < end; clock++) {
      const known = new Map([[ADA, clock]]);
      expect(admitUpdate(whole, context({ known }))).toMatchObject({ update: Y.diffUpdate(whole, encodeStateVector(known)) });
    }
    expect(admitUpdate(whole, context({ known: new Map([[ADA, end]]) })).verdict).toBe(
      whole.at(-1) === 0 ? 'nothing' : 'admitted',
    );
  });

  test('of JSON values, with right neighbours and long deletes is cut as Yjs cuts it', () => {
    const update = encodeUpdate(
      [
        {
          client: ADA,
          clock: 0,
          structs: [
            [4, 1, 't', 'x'],
            [2 | 0x40, ADA, 0, 4, '1', 'undefined', '{"a":[]}', '"é"'],
            [1 | 0x80 | 0x40, ADA, 4, ADA, 0, 5],
            [0, 7],
          ],
        },
      ],
      [{ client: ADA, ranges: [[5, 5]] }],
    );
    for (let clock = 0; clock < 17; clock++) {
      const known = new Map([[ADA, clock]]);
      expect(admitUpdate(update, context({ known }))).toMatchObject({ update: Y.diffUpdate(update, encodeStateVector(known)) });
    }
  });

  test('drops the clients of which everything is known, and keeps the deletes', () => {
    const update = encodeUpdate(
      [
        { client: ADA, clock: 0, structs: [[4, 1, 't', 'ab']] },
        { client: BOB, clock: 0, structs: [[4, 1, 't', 'cd']] },
      ],
      [{ client: BOB, ranges: [[0, 1]] }],
    );
    const expected = encodeUpdate([{ client: ADA, clock: 0, structs: [[4, 1, 't', 'ab']] }], [{ client: BOB, ranges: [[0, 1]] }]);
    expect(admitUpdate(update, context({ known: new Map([[BOB, 2]]) }))).toEqual({
      verdict: 'admitted',
      update: expected,
      clocks: [{ clientId: ADA, clock: 2 }],
      structs: 2,
      deletes: 1,
      levels: 0,
    });
  });

  test('may refer to structs of the same update, in whichever order the clients stand', () => {
    const update = encodeUpdate([
      {
        client: ADA,
        clock: 0,
        structs: [
          [4 | 0x80, BOB, 1, 'a'],
          [4 | 0x80, BOB, 2, 'b'],
        ],
      },
      {
        client: BOB,
        clock: 0,
        structs: [
          [4, 1, 't', 'cd'],
          [4 | 0x80, ADA, 0, 'e'],
        ],
      },
    ]);
    expect(admitUpdate(update, context()).verdict).toBe('admitted');
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    expect(doc.store.pendingStructs).toBeNull();
  });

  test('may hold a subdocument where they are enabled', () => {
    const { updates } = document((doc) => doc.getMap('m').set('sub', new Y.Doc({ guid: 'g', autoLoad: true, meta: { a: 1 } })));
    const [update] = updates as [Uint8Array];
    expect(admitUpdate(update, context())).toMatchObject({ verdict: 'refused', rule: 4 });
    expect(admitUpdate(update, context({ subdocuments: true })).verdict).toBe('admitted');
    const withOption = encodeUpdate([
      { client: ADA, clock: 0, structs: [[9, 1, 't', 'guid', new Uint8Array([118, 1]), 'gcFilter', new Uint8Array([120])]] },
    ]);
    expect(admitUpdate(withOption, context({ subdocuments: true }))).toMatchObject({ verdict: 'refused', rule: 4 });
    const optionless = encodeUpdate([{ client: ADA, clock: 0, structs: [[9, 1, 't', 'guid', new Uint8Array([126])]] }]);
    expect(admitUpdate(optionless, context({ subdocuments: true }))).toMatchObject({ verdict: 'refused', rule: 4 });
  });
});

describe('an update without anything new', () => {
  const known = new Map([[ADA, 5]]);
  const deletesOnly = encodeUpdate([], [{ client: ADA, ranges: [[1, 2]] }]);

  test('is nothing: a repeat, other text at known clocks, the empty update', () => {
    expect(admitUpdate(hello, context({ known }))).toEqual({ verdict: 'nothing', structs: 1, deletes: 0 });
    expect(admitUpdate(new Uint8Array([0, 0]), context({ known, full: true }))).toEqual({
      verdict: 'nothing',
      structs: 0,
      deletes: 0,
    });
  });

  test('is admitted for its delete ranges, in a full step too: the caller compares those', () => {
    for (const full of [false, true]) {
      expect(admitUpdate(deletesOnly, context({ known, full }))).toEqual({
        verdict: 'admitted',
        update: deletesOnly,
        clocks: [],
        structs: 0,
        deletes: 1,
        levels: 0,
      });
    }
  });

  test("may repeat another's structs", () => {
    expect(admitUpdate(hello, context({ known, ownerOf: () => 'other' })).verdict).toBe('nothing');
  });
});

describe('whose structs an update holds', () => {
  test.each([
    ['self', false, 'admitted'],
    ['other', false, 'refused'],
    ['other', true, 'refused'],
    ['unclaimed', false, 'refused'],
    ['unclaimed', true, 'refused'],
    ['restorable', false, 'refused'],
    ['restorable', true, 'admitted'],
  ] as const)('%s, full step %s: %s', (owner, full, verdict) => {
    const admission = admitUpdate(hello, context({ full, ownerOf: () => owner }));
    expect(admission).toMatchObject(verdict === 'refused' ? { verdict, code: 'foreign-client-id', rule: 9 } : { verdict });
  });

  test('does not matter before it has a place: a gap is told as a gap', () => {
    const later = encodeUpdate([{ client: ADA, clock: 9, structs: [[0, 1]] }]);
    expect(admitUpdate(later, context({ ownerOf: () => 'other' }))).toEqual({ verdict: 'gap', structs: 1 });
  });
});

describe('limits', () => {
  test('structs beyond the cap are too large, however they are spread over clients', () => {
    const structs = Array.from({ length: 6 }, () => [0, 1] as const);
    const update = encodeUpdate([
      { client: ADA, clock: 0, structs },
      { client: BOB, clock: 0, structs },
    ]);
    expect(admitUpdate(update, context({ maxStructs: 12 })).verdict).toBe('admitted');
    expect(admitUpdate(update, context({ maxStructs: 11 }))).toMatchObject({ verdict: 'refused', code: 'too-large', rule: 2 });
    expect(countStructs(update)).toBe(12);
    expect(countStructs(hello)).toBe(1);
    expect(countStructs(new Uint8Array([0, 0]))).toBe(0);
  });

  test('counts the values that a struct holds, in arrays, objects and JSON, against a cap of their own', () => {
    const doc = new Y.Doc();
    doc.getArray('rows').insert(0, [{ a: [1, 2], b: {} }, 'x']);
    doc.getText('t').insert(0, 'x', { bold: { deep: [true] } });
    const update = Y.encodeStateAsUpdate(doc);
    const progress = { structs: 0, values: 0 };
    expect(admitUpdate(update, context({ ownerOf: () => 'self', progress }))).toMatchObject({ verdict: 'admitted' });
    // 6 in the row and its neighbour; 3 where the format begins, 1 where it ends.
    expect(progress.values).toBe(10);
    expect(admitUpdate(update, context({ ownerOf: () => 'self', maxValues: 10 }))).toMatchObject({ verdict: 'admitted' });
    const refused = { verdict: 'refused', code: 'too-large', rule: 2 };
    expect(admitUpdate(update, context({ ownerOf: () => 'self', maxValues: 9 }))).toMatchObject(refused);
  });

  test('a count that the bytes cannot hold is charged as many structs as there are bytes', () => {
    expect(countStructs(new Uint8Array(Buffer.from('01ffffff7f090000', 'hex')))).toBe(8);
  });

  test('structs of two clients that wait for each other are refused: they would stay pending for ever', () => {
    const circle = encodeUpdate([
      {
        client: ADA,
        clock: 0,
        structs: [
          [4, 1, 't', 'a'],
          [4 | 0x80, BOB, 0, 'b'],
          [0, 1],
        ],
      },
      { client: BOB, clock: 0, structs: [[4 | 0x80, ADA, 2, 'c']] },
    ]);
    expect(admitUpdate(circle, context())).toMatchObject({ verdict: 'refused', code: 'invalid-update', rule: 5 });
    const doc = new Y.Doc();
    Y.applyUpdate(doc, circle);
    expect(doc.store.pendingStructs).not.toBeNull();
  });

  test('64 levels of values, JSON and keys are honest', () => {
    let value: unknown = 1;
    for (let level = 0; level < 64; level++) value = level % 2 === 0 ? [value] : { deeper: value };
    const { updates } = document((doc) => {
      doc.getArray('a').insert(0, [value]);
      doc.getText('t').insertEmbed(0, value as object);
    });
    const known = new Map<number, number>();
    for (const update of updates) {
      const admission = admitUpdate(update, context({ known }));
      expect(admission.verdict).toBe('admitted');
      if (admission.verdict === 'admitted') for (const { clientId, clock } of admission.clocks) known.set(clientId, clock);
    }
  });

  test.each([
    ['prepended one by one', (list: Y.Array<number>, index: number) => list.unshift([index])],
    ['put behind the first one by one', (list: Y.Array<number>, index: number) => list.insert(Math.min(1, list.length), [index])],
    ['put anywhere', (list: Y.Array<number>, index: number) => list.insert((index * 7_919) % (list.length + 1), [index])],
    [
      'replaced',
      (list: Y.Array<number>, index: number) => {
        list.insert(0, [index]);
        if (list.length > 1) list.delete(1, 1);
      },
    ],
  ])('3,000 items %s, in one update, are honest', (_, insert) => {
    const { doc, updates } = document((inner) => {
      for (let index = 0; index < 3_000; index++) insert(inner.getArray('a'), index);
    });
    for (const update of [Y.encodeStateAsUpdate(doc), Y.mergeUpdates(updates)]) {
      expect(admitUpdate(update, context({ maxStructs: 20_000 })).verdict).toBe('admitted');
    }
  });

  test('bold set and unset on 3,000 paragraphs, in one update, is honest', () => {
    const { doc, updates } = document((inner) => {
      const list = inner.getArray<Y.Text>('a');
      inner.transact(() =>
        list.insert(
          0,
          Array.from({ length: 3_000 }, () => new Y.Text('paragraph')),
        ),
      );
      for (const bold of [true, null, true]) {
        inner.transact(() => {
          for (const text of list.toArray()) text.format(0, 9, { bold });
        });
      }
    });
    const known = new Map<number, number>();
    for (const update of updates) {
      const admission = admitUpdate(update, context({ known, maxStructs: 20_000 }));
      expect(admission.verdict).toBe('admitted');
      if (admission.verdict === 'admitted') for (const { clientId, clock } of admission.clocks) known.set(clientId, clock);
    }
    expect(admitUpdate(Y.encodeStateAsUpdate(doc), context({ maxStructs: 100_000 })).verdict).toBe('admitted');
  });
});

describe('text and JSON', () => {
  const fragments = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => [...Buffer.from(text)]),
    fc.constantFrom(
      [0xef, 0xbb, 0xbf],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
      [0xf0, 0x8f, 0x80, 0x80],
    ),
    fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 3 }),
  );

  test('is UTF-8 exactly where a strict TextDecoder says so, and as long in UTF-16', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const outcome = (read: () => number) => {
      try {
        return read();
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 4 }), (parts) => {
        const bytes = new Uint8Array(parts.flat()).subarray(0, 100);
        const behindLength = new Uint8Array([bytes.length, ...bytes]);
        expect(outcome(() => new WireReader(behindLength).text())).toBe(outcome(() => decoder.decode(bytes).length));
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });

  test('is JSON exactly where JSON.parse says so', () => {
    const scan = (text: string) => {
      const bytes = Buffer.from(text);
      const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
      const reader = new WireReader(new Uint8Array([...length, ...bytes, 0]));
      try {
        scanJson(reader);
        return reader.left === 1;
      } catch {
        return false;
      }
    };
    const parses = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const damaged = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', '"', '\\', ',', ':', '[', '}', '0', '-', '.', 'e', ' ', '\n', 'u', '\u0001'),
    );
    let valid = 0;
    fc.assert(
      fc.property(damaged, fc.boolean(), ([json, at, character], cut) => {
        const text = json.slice(0, at % (json.length + 1)) + character + json.slice((at % (json.length + 1)) + (cut ? 1 : 0));
        if (text.includes('__proto__') || Buffer.byteLength(text) > 16_000) return;
        expect([text, scan(text)]).toEqual([text, parses(text)]);
        if (parses(text)) valid++;
      }),
      { seed: 1, numRuns: 5_000 },
    );
    expect(valid).toBeGreaterThan(1_000);
    for (const text of [
      '',
      ' ',
      '01',
      '-',
      '1.',
      '.5',
      '1e',
      '+1',
      'tru',
      'nulll',
      '"\\x"',
      '"\\u12g4"',
      '{"a"}',
      '{,}',
      '[1,]',
      '[,1]',
      '{a:1}',
      '1 2',
    ]) {
      expect([text, scan(text)]).toEqual([text, false]);
    }
    for (const text of ['-0', '1e999', ' [ ] ', '{ "a" : { } }', '"\\u0000\\"\\/"', '{"__proto":1,"proto__":"__proto__"}']) {
      expect([text, scan(text)]).toEqual([text, true]);
    }
  });
});

describe('state vectors', () => {
  test('are written as Yjs writes them, and read back', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(2 ** 31), fc.integer({ min: 1, max: 2 ** 31 })), { selector: ([clientId]) => clientId }),
        (entries) => {
          const clocks = new Map(entries);
          const bytes = encodeStateVector(clocks);
          expect(bytes).toEqual(Y.encodeStateVector(clocks));
          expect([...decodeStateVector(bytes, 1_000)].sort()).toEqual([...clocks].sort());
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test.each([
    ['nothing', ''],
    ['more clients than allowed', '04010101010101010101'],
    ['more clients than bytes', '0309010801'],
    ['268 million clients', 'ffffff7f'],
    ['half a client', '0109'],
    ['a client twice', '0209010902'],
    ['a clock above 2^32', '0109818080801000'],
    ['a number of zeros without end', `0109${'80'.repeat(300)}00`],
    ['a byte behind its end', '01090100'],
  ])('of %s are refused', (_, text) => {
    try {
      decodeStateVector(new Uint8Array(Buffer.from(text, 'hex')), 3);
      expect.fail('it was taken');
    } catch (error) {
      expect(error).toBeInstanceOf(AshlarError);
      expect((error as AshlarError).code).toBe('malformed-frame');
    }
  });
});
