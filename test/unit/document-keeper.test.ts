import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { FormerIds } from '../../client/documents/former-ids.ts';
import { mergeInTree } from '../../client/documents/merge-updates.ts';
import { Outbox } from '../../client/documents/outbox.ts';
import { DocumentKeeper } from '../../client/offline/document-keeper.ts';
import type { StoredEdit, TabMessage } from '../../client/offline/offline-storage.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

function typed(clientId: number, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

test('[1] edits that another page left stay stored until they are on the server’s disk, not as soon as some are', async () => {
  const time = new SimulatedTime();
  const doc = new Y.Doc();
  const outbox = new Outbox();
  const session = {
    outbox,
    formerIds: new FormerIds(),
    place: null,
    resume: () => {},
    localUpdate: (update: Uint8Array) => outbox.add(update),
  };
  const removed: [clientId: number, through: number][] = [];
  const stored = {
    origin: {},
    generation: 1,
    load: async () => ({ place: null, edits: [{ clientId: 8, ordinal: 3, update: typed(8, 'left behind') }], refused: null }),
    addEdit: () => {},
    removeEdits: (clientId: number, through: number) => removed.push([clientId, through]),
    close: () => {},
  };
  const document = { room: 'doc:x', doc, session, merge: mergeInTree, keptOrigins: new Set(), unsaved: null };
  const keeper = new DocumentKeeper('ada', document as never, stored as never, { after: time.after.bind(time) } as never);
  outbox.add(typed(7, 'mine'));
  await keeper.load({ tabs: () => null } as never);
  outbox.number(0);
  outbox.number(0);
  outbox.acknowledge(1);
  keeper.changed();
  expect(removed).toEqual([[doc.clientID, 1]]);
  outbox.acknowledge(2);
  keeper.changed();
  expect(removed.slice(1)).toEqual([
    [doc.clientID, 2],
    [8, 3],
  ]);
  keeper.close();
  doc.destroy();
});

/** A keeper whose storage and other tabs are the test. @param early what is written before it loads */
async function keep({ early = '', edits = [] as StoredEdit[], lag = null as (() => void)[] | null } = {}) {
  const time = new SimulatedTime();
  const doc = new Y.Doc();
  const outbox = new Outbox();
  const told: string[] = [];
  const session = {
    outbox,
    formerIds: new FormerIds(),
    place: null as object | null,
    resume: () => {},
    localUpdate: (update: Uint8Array) => outbox.add(update),
  };
  let hear: (message: TabMessage) => void = () => {};
  const stored = {
    origin: {},
    generation: 1,
    load: async () => ({ place: null, edits: [], refused: null }),
    readEdits: async () => edits,
    addEdit: ({ ordinal, update }: StoredEdit, stored: () => void) => {
      told.push(`edit ${ordinal} ${textOf(update)}`);
      if (lag === null) stored();
      else lag.push(stored);
    },
    removeEdits: () => {},
    setPlace: () => told.push('place'),
    close: () => told.push('closed'),
  };
  const document: { merge: (updates: readonly Uint8Array[]) => Uint8Array } & Record<string, unknown> & {
      keptOrigins: Set<unknown>;
    } = {
    room: 'doc:x',
    doc,
    session,
    origin: {},
    merge: mergeInTree,
    keptOrigins: new Set(),
    unsaved: null,
    keepingFailed: () => told.push('failed'),
  };
  const onUpdate = (update: Uint8Array, origin: unknown) => {
    if (!document.keptOrigins.has(origin)) outbox.add(update);
  };
  doc.on('update', onUpdate);
  if (early !== '') doc.getText('text').insert(0, early);
  const keeper = new DocumentKeeper('ada', document as never, stored as never, { after: time.after.bind(time) } as never);
  const tabs = (_user: string, _room: string, _generation: number, listener: typeof hear) => {
    hear = listener;
    return {
      postMessage: ({ clientId, update }: TabMessage) => told.push(`to tabs ${clientId === doc.clientID} ${textOf(update)}`),
      close: () => {},
    };
  };
  await keeper.load({ tabs } as never);
  return { time, doc, outbox, session, stored, document, told, keeper, hear: (message: TabMessage) => hear(message) };
}

function textOf(update: Uint8Array): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText('text').toString();
}

test('what is written before anything could be stored is stored first, and told to the other tabs', async () => {
  const { doc, told, keeper } = await keep({ early: 'early' });
  expect(told).toEqual(['edit 1 early', 'to tabs true early']);
  doc.getText('text').insert(0, 'x');
  expect(told.slice(2)).toEqual(['edit 2 ', 'to tabs true ']);
  keeper.close();
});

test('[2] other tabs are told of an edit once it is stored, not before, and not by a tab that has ended meanwhile', async () => {
  const lag: (() => void)[] = [];
  const { doc, told, keeper } = await keep({ lag });
  doc.getText('text').insert(0, 'x');
  doc.getText('text').insert(1, 'y');
  expect(told).toEqual(['edit 1 x', 'edit 2 ']);
  lag.shift()?.();
  expect(told.slice(2)).toEqual(['to tabs true x']);
  keeper.close();
  lag.shift()?.();
  expect(told.slice(3)).toEqual(['closed']);
});

test('what another tab tells is there at once, and its session’s id is known for this user’s', async () => {
  const { doc, session, outbox, hear, keeper } = await keep();
  hear({ clientId: 8, update: typed(8, 'of another tab') });
  expect([doc.getText('text').toString(), outbox.isEmpty]).toEqual(['of another tab', true]);
  expect(session.formerIds.tell()).toEqual({ formerIds: [8] });
  keeper.close();
  hear({ clientId: 9, update: typed(9, 'too late') });
  expect(doc.getText('text').toString()).toBe('of another tab');
});

test('edits that are stored are taken over once, however often the room is joined', async () => {
  const edits = [{ clientId: 8, ordinal: 1, update: typed(8, 'left behind') }];
  const { outbox, keeper } = await keep({ edits });
  for (let join = 0; join < 3; join++) await keeper.beforeJoin();
  expect(outbox.unsaved).toBe(1);
  edits.push({ clientId: 8, ordinal: 2, update: typed(8, 'left behind, and more') });
  await keeper.beforeJoin();
  expect(outbox.unsaved).toBe(2);
  keeper.close();
});

test('what a page left of hours of typing is taken over in a moment', async () => {
  const update = typed(8, 'left behind');
  const edits = (count: number) => Array.from({ length: count }, (_, index) => ({ clientId: 8, ordinal: index + 1, update }));
  const cpuMs = async (count: number) => {
    const { keeper, outbox, document } = await keep({ edits: edits(count) });
    document.merge = ([first]) => first!;
    const before = process.cpuUsage();
    await keeper.beforeJoin();
    const { user, system } = process.cpuUsage(before);
    expect(outbox.added).toBe(1);
    return (user + system) / 1_000;
  };
  // With a list made anew for each edit 4.8 s, and 20,000 took more than a minute.
  expect(await cpuMs(15_000)).toBeLessThan(1_000);
});

test('a storage that does not answer any more keeps a document from its room for 10 s, once, and says so', async () => {
  const { keeper, time, stored, told } = await keep();
  stored.readEdits = () => new Promise(() => {});
  const joins = keeper.beforeJoin();
  time.advance(9_999);
  expect(told).toEqual([]);
  time.advance(1);
  await joins;
  expect(told).toEqual(['closed', 'failed']);
});

test('the first place is stored at once, later ones now and then, and the last one before the page goes', async () => {
  const { session, told, time, keeper } = await keep();
  keeper.changed();
  expect(told).toEqual([]);
  session.place = { epoch: 'e', seq: 1, incarnation: null };
  keeper.changed();
  expect(told).toEqual(['place']);
  for (let change = 0; change < 5; change++) keeper.changed();
  expect(told).toEqual(['place']);
  time.advance(200);
  expect(told).toEqual(['place', 'place']);
  keeper.close();
  expect(told).toEqual(['place', 'place', 'place', 'closed']);
});
