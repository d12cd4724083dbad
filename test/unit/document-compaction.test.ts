import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { compact } from '../../server/documents/worker/compact.ts';
import { describeDoc, differenceOf } from '../../server/documents/worker/describe-doc.ts';
import { diff } from '../../server/documents/worker/diff.ts';
import { loadDoc } from '../../server/documents/worker/load-doc.ts';
import { mergeState, mergeTree } from '../../server/documents/worker/merge-tree.ts';
import { nestingOf } from '../../server/documents/worker/nesting-of.ts';
import { novelDeletes } from '../../server/documents/worker/novel-deletes.ts';
import { AshlarError } from '../../shared/errors.ts';
import { encodeUpdate } from '../support/hostile-admissions.ts';
import { BRICK, memoryBomb } from '../support/hostile-updates.ts';
import { chained } from '../support/nested-types.ts';
import { nestingInDoc } from '../support/nesting-in-doc.ts';
import { loadConcurrentTrace, replayConcurrent } from '../support/traces.ts';
import { contentOf, playSession, sessionSteps } from '../support/yjs-session.ts';

/** The updates that `change` makes, one per transaction. */
function updatesOf(change: (doc: Y.Doc) => void, clientId = 1, state?: Uint8Array): Uint8Array[] {
  const doc = new Y.Doc();
  if (state !== undefined) Y.applyUpdate(doc, state);
  doc.clientID = clientId;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  change(doc);
  return updates;
}

/** A member that gets updates one after the other, and tells nobody of the redundant formats that it finds. */
function memberOf(state: Uint8Array | null, updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of state === null ? updates : [state, ...updates]) {
    doc.transact((transaction) => {
      Y.applyUpdate(doc, update);
      transaction.local = true;
    });
  }
  return doc;
}

const structsOf = ({ store }: Y.Doc) =>
  [...store.clients].map(([client, structs]) => [
    client,
    structs.map((struct) => [struct.id.clock, struct.length, struct instanceof Y.Item ? struct.content.getRef() : 'collected']),
  ]);

const textOf = (state: Uint8Array): string => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return doc.getText('text').toString();
};

const detailOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof AshlarError && error.code === 'document-damaged') return error.detail ?? '';
    throw error;
  }
  throw new Error('did not throw');
};

describe('merging as a tree', () => {
  test('merges thousands of updates into the state that a member has', () => {
    const updates = updatesOf((doc) => {
      for (let index = 0; index < 5_000; index += 1) doc.getText('text').insert(index % 7, String(index % 10));
    });
    const doc = new Y.Doc();
    for (const update of updates) Y.applyUpdate(doc, update);
    expect(textOf(mergeTree(updates))).toBe(doc.getText('text').toString());
    expect(Y.encodeStateVectorFromUpdate(mergeTree(updates))).toEqual(Y.encodeStateVector(doc));
  });

  test('an empty list is the empty document, a list of one its update', () => {
    const [update] = updatesOf((doc) => doc.getText('text').insert(0, 'a'));
    expect(mergeTree([])).toEqual(Y.encodeStateAsUpdate(new Y.Doc()));
    expect(mergeTree([update!])).toBe(update);
    expect(mergeState(update!, [])).toBe(update);
  });
});

describe('compaction', () => {
  test('of random sessions, whole or in two goes, gives what the members have, with the same deletions', () => {
    fc.assert(
      fc.property(sessionSteps(), fc.nat(100), (steps, percent) => {
        const { log, member } = playSession(steps);
        const cut = Math.floor((log.length * percent) / 100);
        const first = compact({ state: null, updates: log.slice(0, cut) });
        for (const compacted of [
          compact({ state: null, updates: log }),
          compact({ state: first.state, updates: log.slice(cut) }),
        ]) {
          const joiner = loadDoc(compacted.state, []);
          expect(contentOf(joiner)).toEqual(contentOf(member));
          expect(differenceOf(describeDoc(joiner), describeDoc(loadDoc(Y.encodeStateAsUpdate(member), [])))).toBeNull();
          expect(compacted.stateVector).toEqual(Y.encodeStateVector(member));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('of a real session of two writers, in several goes, ends where they ended', () => {
    const trace = loadConcurrentTrace();
    const log: Uint8Array[] = [];
    replayConcurrent(trace, (update) => log.push(update), 6_000);
    const members = loadDoc(null, log);
    let state: Uint8Array | null = null;
    for (let start = 0; start < log.length; start += 2_000)
      state = compact({ state, updates: log.slice(start, start + 2_000) }).state;
    expect(textOf(state!)).toBe(members.getText('text').toString());
    expect(state).toEqual(compact({ state: null, updates: log }).state);
    expect(state!.length).toBeLessThan(mergeTree(log).length);
  });

  test('lets go of the content of what was deleted', () => {
    const updates = updatesOf((doc) => {
      doc.getText('text').insert(0, 'x'.repeat(100_000));
      doc.getText('text').delete(0, 100_000);
    });
    expect(mergeTree(updates).length).toBeGreaterThan(100_000);
    expect(compact({ state: null, updates }).state.length).toBeLessThan(40);
  });

  test('deletes nothing by itself: redundant formats stay, as members keep them', () => {
    // A member that receives both formats deletes one, and tells the others; a snapshot must not do so alone.
    const [setup] = updatesOf((doc) => doc.getMap('map').set('text', new Y.Text('bold')));
    const bolden = (doc: Y.Doc) => (doc.getMap('map').get('text') as Y.Text).format(0, 4, { bold: true });
    const log = [setup!, ...updatesOf(bolden, 2, setup!), ...updatesOf(bolden, 3, setup!)];
    let cleaned = 0;
    const member = new Y.Doc();
    member.on('update', (_update, _origin, _doc, transaction) => {
      if (transaction.local) cleaned += 1;
    });
    for (const update of log) Y.applyUpdate(member, update);
    expect(cleaned).toBe(1);
    for (const snapshots of [0, 1, 2]) {
      const state = snapshots === 0 ? null : mergeTree(log.slice(0, snapshots));
      expect(Y.decodeUpdate(compact({ state, updates: log.slice(snapshots) }).state).ds.clients.size).toBe(0);
    }
  });

  test('holds behind each update what a member holds that gets one after the other, struct by struct', () => {
    fc.assert(
      fc.property(sessionSteps(), fc.nat(100), (steps, percent) => {
        const { log } = playSession(steps);
        const cut = Math.floor((log.length * percent) / 100);
        const state = cut === 0 ? null : compact({ state: null, updates: log.slice(0, cut) }).state;
        expect(structsOf(loadDoc(state, log.slice(cut)))).toEqual(structsOf(memberOf(state, log.slice(cut))));
      }),
      { numRuns: 60 },
    );
  });

  test('[r10] tells how deep types are nested, deleted ones too, and takes nothing that nobody could delete', () => {
    for (const deleted of [true, false]) {
      expect(compact({ state: null, updates: [chained(400, { deleted })] }).nesting).toBe(400);
      expect(detailOf(() => compact({ state: null, updates: [chained(2_049, { deleted })] }))).toBe('types nested 2049 deep');
    }
    const drawn = updatesOf((doc) => {
      const root = doc.getXmlFragment('root');
      root.insert(0, [new Y.XmlElement('p'), new Y.XmlElement('p')]);
      (root.get(0) as Y.XmlElement).insert(0, [new Y.XmlText('text')]);
      root.delete(0, 1);
    });
    expect(compact({ state: null, updates: drawn }).nesting).toBe(2);
    expect(compact({ state: compact({ state: null, updates: drawn }).state, updates: [] }).nesting, 'collected by now').toBe(1);
  });

  test('an empty log is the empty document', () => {
    expect(compact({ state: null, updates: [] })).toEqual({
      nesting: 0,
      state: Uint8Array.of(0, 0),
      stateVector: Uint8Array.of(0),
    });
  });

  test('refuses an update that merges but does not apply, and names its place', () => {
    const updates = updatesOf((doc) => doc.getText('text').insert(0, 'stone'));
    expect(detailOf(() => compact({ state: null, updates: [...updates, BRICK] }))).toMatch(/^update 1 of 2 does not apply/);
    expect(detailOf(() => compact({ state: BRICK, updates }))).toMatch(/^the snapshot does not apply/);
    expect(detailOf(() => compact({ state: null, updates: [Uint8Array.of(1, 2)] }))).toMatch(/^update 0 of 1 does not apply/);
  });

  test('refuses a log with a gap', () => {
    const [first, second] = updatesOf((doc) => {
      doc.getText('text').insert(0, 'a');
      doc.getText('text').insert(1, 'b');
    });
    expect(detailOf(() => compact({ state: null, updates: [second!] }))).toMatch(/^pending structs/);
    expect(compact({ state: null, updates: [second!, first!] }).stateVector).toEqual(Uint8Array.of(1, 1, 2));
  });

  test('refuses deletes of what is not there', () => {
    const [insert, remove] = updatesOf((doc) => {
      doc.getText('text').insert(0, 'a');
      doc.getText('text').delete(0, 1);
    });
    expect(detailOf(() => compact({ state: null, updates: [remove!] }))).toMatch(/^pending deletes/);
    expect(textOf(compact({ state: null, updates: [insert!, remove!] }).state)).toBe('');
  });

  test('refuses a log whose merge says something else: other text at known clocks', () => {
    const members = updatesOf((doc) => {
      for (const letter of 'abc') doc.getText('text').insert(doc.getText('text').length, letter);
    });
    const forged = updatesOf((doc) => doc.getText('text').insert(0, 'aVL!'), 1);
    const log = [...members, ...forged];
    expect(loadDoc(null, log).getText('text').toString()).toBe('abc!');
    expect(textOf(mergeTree(log))).toBe('aVL!');
    expect(detailOf(() => compact({ state: null, updates: log }))).toBe('the merge differs in its content');
  });

  test('refuses such a log however large it is, as long as it is of few structs or of few bytes', () => {
    const members = updatesOf((doc) => {
      for (const letter of 'abc') doc.getText('text').insert(doc.getText('text').length, letter);
    });
    const forged = updatesOf((doc) => doc.getText('text').insert(0, 'aVL!'), 1);
    const pasted = updatesOf((doc) => doc.getText('pasted').insert(0, 'x'.repeat(4_100_000)), 2);
    const log = { state: null, updates: [...members, ...pasted, ...forged] };
    expect(detailOf(() => compact(log))).toBe('the merge differs in its content');
    expect(detailOf(() => compact(log, { bytes: 5_000_000, structs: 1 }))).toBe('the merge differs in its content');
  });
});

/** An exclamation mark of client 2 that names its neighbours, both of client 9. */
function between(left: number, right: number): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  for (const number of [1, 1, 2, 0]) encoding.writeVarUint(encoder.restEncoder, number);
  encoder.writeInfo(0b1100_0100);
  encoder.writeLeftID(Y.createID(9, left));
  encoder.writeRightID(Y.createID(9, right));
  encoder.writeString('!');
  encoding.writeVarUint(encoder.restEncoder, 0);
  return encoder.toUint8Array();
}

describe('compaction of what only a hostile client sends', () => {
  const honest = updatesOf((doc) => {
    doc.getText('text').insert(0, 'ab');
    doc.getMap('map').set('inner', new Y.Text('nested'));
    doc.getMap('map').delete('inner');
  });

  test('refuses an item between parents, which members see and joiners do not', () => {
    // Left of it lies the text, right of it (1, 3) in the type that is deleted, and collected in the snapshot.
    const encoder = new Y.UpdateEncoderV1();
    for (const number of [1, 1, 2, 0]) encoding.writeVarUint(encoder.restEncoder, number);
    encoder.writeInfo(0b1100_0100);
    encoder.writeLeftID(Y.createID(1, 1));
    encoder.writeRightID(Y.createID(1, 3));
    encoder.writeString('!');
    encoding.writeVarUint(encoder.restEncoder, 0);
    const log = [honest[0]!, honest[1]!, encoder.toUint8Array(), honest[2]!];
    expect(loadDoc(null, log).getText('text').toString()).toBe('ab!');
    expect(detailOf(() => compact({ state: null, updates: log }))).toMatch(/^the compacted state differs/);
  });

  test('refuses an update whose clients ascend, of which the merge drops a part, also where the merge is too large to be loaded', () => {
    const [a, b] = [
      updatesOf((doc) => doc.getText('a').insert(0, 'a'), 5),
      updatesOf((doc) => doc.getText('b').insert(0, 'b'), 6),
    ];
    const block = (update: Uint8Array) => update.subarray(1, -1);
    const ascending = Buffer.concat([Uint8Array.of(2), block(a[0]!), block(b[0]!), Uint8Array.of(0)]);
    expect(loadDoc(null, [ascending]).getText('b').toString()).toBe('b');
    const log = {
      state: null,
      updates: [...honest, ascending, ...updatesOf((doc) => doc.getText('c').insert(0, 'c'), 5, a[0]!)],
    };
    expect(detailOf(() => compact(log, { bytes: 0, structs: 0 }))).toBe('the merge differs in its state vector');
  });

  test('refuses an update that applies and does not merge', () => {
    const skip = Uint8Array.of(1, 1, 9, 0, 0b0010_1010, 1, 0); // one parser masks the flags of a Skip, the other does not
    expect(loadDoc(null, [skip]).store.clients.size).toBe(0);
    expect(detailOf(() => compact({ state: null, updates: [...honest, skip] }))).toMatch(/^the log applies but does not merge/);
  });
});

describe('[r10] compaction of what members place by the runs that they hold, and joiners by the pieces that they get', () => {
  const typed = updatesOf((doc) => {
    for (const [index, letter] of [...'abcd'].entries()) doc.getText('text').insert(index, letter);
  }, 9);
  // In all that is written at once b stands alone by then, and the snapshot agrees with the merge.
  const aside = updatesOf((doc) => doc.getText('text').insert(1, '-'), 30, mergeTree(typed));

  test.each([
    ['between an item and itself', 1, 1],
    ['whose right neighbour lies before its left one', 2, 1],
  ])('refuses an item %s, within a run', (_, left, right) => {
    const log = [...typed, between(left, right), ...aside];
    const member = memberOf(null, log).getText('text').toString();
    expect([member, textOf(mergeTree(log))]).toEqual(['a-!bcd', left === 1 ? 'a-b!cd' : 'a-bc!d']);
    expect(detailOf(() => compact({ state: null, updates: log }))).toBe('the compacted state differs in its content');
    const behind = { state: compact({ state: null, updates: typed }).state, updates: log.slice(typed.length) };
    expect(
      detailOf(() => compact(behind)),
      'behind a snapshot',
    ).toBe('the compacted state differs in its content');
  });

  test('takes it where nobody holds a run there', () => {
    const log = [...typed, ...aside, between(1, 1)];
    expect(memberOf(null, log).getText('text').toString()).toBe(textOf(mergeTree(log)));
    expect(textOf(compact({ state: null, updates: log }).state)).toBe(textOf(mergeTree(log)));
  });
});

describe('how deep types are nested, from the bytes', () => {
  test('is what Yjs nests, of random sessions and of chains', () => {
    const nestingIn = (update: Uint8Array) => {
      const doc = new Y.Doc();
      return doc.transact(() => {
        Y.applyUpdate(doc, update);
        return nestingInDoc(doc);
      });
    };
    const nesting = (update: Uint8Array) => nestingOf(Y.decodeUpdate(update).structs);
    fc.assert(
      fc.property(sessionSteps(), fc.nat(100), (steps, percent) => {
        const { log } = playSession(steps);
        const cut = Math.floor((log.length * percent) / 100);
        const merged = mergeState(compact({ state: null, updates: log.slice(0, cut) }).state, log.slice(cut));
        expect(nesting(merged)).toBe(nestingIn(merged));
      }),
      { numRuns: 60 },
    );
    for (const by of ['by parent', 'by origin', 'by right origin'] as const) {
      for (const deleted of [true, false]) expect(nesting(chained(300, { nesting: by, deleted })), by).toBe(300);
    }
  });

  test('is none in circles, which no document takes', () => {
    expect(nestingOf(Y.decodeUpdate(encodeUpdate([{ client: 1, clock: 0, structs: [[7, 0, 1, 0, 0]] }])).structs)).toBe(0);
  });
});

describe('diff', () => {
  const updates = updatesOf((doc) => {
    doc.getText('text').insert(0, 'abc');
    doc.getText('text').insert(3, 'def');
    doc.getText('text').delete(0, 1);
  });
  const state = mergeTree(updates.slice(0, 2));
  const log = { state, updates: updates.slice(2) };

  test('for an empty vector is everything', () => {
    expect(textOf(diff(log, Uint8Array.of(0)))).toBe('bcdef');
  });

  test('for a part of the way is the rest, with all deletions', () => {
    const client = loadDoc(null, updates.slice(0, 1));
    const update = diff(log, Y.encodeStateVector(client));
    expect(Y.decodeUpdate(update).structs.map(({ id, length }) => [id.clock, length])).toEqual([[3, 3]]);
    Y.applyUpdate(client, update);
    expect(client.getText('text').toString()).toBe('bcdef');
  });

  test('for everything, or more than there is, has deletions only', () => {
    for (const clock of [6, 7, 2 ** 31]) {
      const update = diff(
        log,
        Y.encodeStateVector(
          new Map([
            [1, clock],
            [99, 5],
          ]),
        ),
      );
      expect(Y.decodeUpdate(update).structs).toEqual([]);
      expect([...Y.decodeUpdate(update).ds.clients.keys()]).toEqual([1]);
    }
  });

  test.each([
    ['none at all', []],
    ['more clients than bytes', [0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['cut off', [2, 1, 5, 3]],
    ['trailing bytes', [1, 1, 5, 0]],
    ['numbers beyond 2^53', [1, ...Array(12).fill(0xff), 1]],
    ['too long', new Uint8Array(2_000_000)],
  ])('refuses a vector that is none: %s', (_, bytes) => {
    expect(() => diff(log, Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'malformed-frame' }));
  });

  test('of random sessions completes a client that stopped anywhere', () => {
    fc.assert(
      fc.property(sessionSteps(), fc.nat(100), (steps, percent) => {
        const { log: all, member } = playSession(steps);
        const client = loadDoc(null, all.slice(0, Math.floor((all.length * percent) / 100)));
        Y.applyUpdate(client, diff({ state: null, updates: all }, Y.encodeStateVector(client)));
        expect(contentOf(client)).toEqual(contentOf(member));
      }),
      { numRuns: 60 },
    );
  });
});

describe('new deletions of a full step', () => {
  const updates = updatesOf((doc) => {
    doc.getText('text').insert(0, 'abcdefgh');
    doc.getText('text').delete(1, 2);
  });
  const client = () => {
    const doc = loadDoc(null, updates);
    doc.clientID = 2;
    return doc;
  };
  /** The full step of a client against the server's state vector. */
  const stepOf = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc, Y.encodeStateVector(loadDoc(null, updates)));
  const rangesOf = (update: Uint8Array) =>
    [...Y.decodeUpdate(update).ds.clients].map(([id, ranges]) => [id, ranges.map(({ clock, len }) => [clock, len])]);

  test('are none where the log has them, as updates or compacted', () => {
    const compacted = compact({ state: null, updates }).state;
    expect(novelDeletes({ state: null, updates }, stepOf(client()))).toBeNull();
    expect(novelDeletes({ state: compacted, updates: [] }, stepOf(client()))).toBeNull();
    expect(novelDeletes({ state: compacted, updates: [] }, Uint8Array.of(0, 0))).toBeNull();
  });

  test('are none where structs without content are the only trace of a deletion', () => {
    const collected = { state: null, updates: [memoryBomb(3)] };
    const step = Y.encodeStateAsUpdate(loadDoc(null, collected.updates), Y.encodeStateVectorFromUpdate(memoryBomb(3)));
    expect(rangesOf(step)).toEqual([[3, [[0, 3]]]]);
    expect(novelDeletes(collected, step)).toBeNull();
  });

  test('are what is left of ranges that the log has in part', () => {
    const doc = client();
    doc.getText('text').delete(0, 2); // a and d, around the b and c that are gone
    expect(rangesOf(stepOf(doc))).toEqual([[1, [[0, 4]]]]);
    const novel = novelDeletes({ state: null, updates }, stepOf(doc));
    expect(rangesOf(novel!)).toEqual([
      [
        1,
        [
          [0, 1],
          [3, 1],
        ],
      ],
    ]);
    expect(Y.decodeUpdate(novel!).structs).toEqual([]);
    expect(textOf(mergeTree([...updates, novel!]))).toBe('efgh');
  });

  test('keep new structs, whether or not anything new is deleted', () => {
    const doc = client();
    doc.getText('text').insert(0, 'new');
    doc.getMap('map').set('key', new Y.Text('nested'));
    const novel = novelDeletes({ state: null, updates }, stepOf(doc));
    expect(rangesOf(novel!)).toEqual([]);
    expect(describeDoc(loadDoc(null, [...updates, novel!]))).toEqual(describeDoc(doc));
  });

  test('[2] garbage-collected structs count as deleted, so that a client in sync adds no record', () => {
    fc.assert(
      fc.property(sessionSteps(), (steps) => {
        const { log, member } = playSession(steps);
        const { state, stateVector } = compact({ state: null, updates: log });
        expect(novelDeletes({ state, updates: [] }, Y.encodeStateAsUpdate(member, stateVector))).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
