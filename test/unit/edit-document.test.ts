import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { editDocument, readDocument } from '../../server/documents/edit-document.ts';
import { BRICK } from '../support/hostile-updates.ts';

const EMPTY = { state: null, updates: [] };

describe('a server-side edit', () => {
  test('gives its update and its result, and a second one builds on the first', () => {
    const first = editDocument({ ...EMPTY, clientId: 7, change: (doc) => doc.getText('text').insert(0, 'Ashlar') });
    const log = { state: null, updates: [first.update!] };
    const second = editDocument({
      ...log,
      clientId: 7,
      change(doc) {
        doc.getText('text').insert(6, '!');
        doc.getText('text').delete(0, 1);
        return doc.getText('text').toString();
      },
    });
    expect(second.result).toBe('shlar!');
    const { structs, ds } = Y.decodeUpdate(second.update!);
    expect(structs.map(({ id }) => [id.client, id.clock])).toEqual([[7, 6]]);
    expect([...ds.clients.values()]).toEqual([[{ clock: 0, len: 1 }]]);
    const doc = readDocument({ state: first.update, updates: [second.update!] });
    expect(doc.getText('text').toString()).toBe('shlar!');
  });

  test('that changes nothing has no update', () => {
    const { update } = editDocument({ ...EMPTY, clientId: 7, change: (doc) => doc.getText('text').insert(0, 'ab') });
    const read = editDocument({ state: update, updates: [], clientId: 7, change: (doc) => doc.getText('text').length });
    expect(read).toEqual({ update: null, result: 2 });
  });

  test('holds nothing that loading did: redundant formats stay for the members to clean up', () => {
    const edit = (clientId: number, updates: readonly Uint8Array[], change: (doc: Y.Doc) => void) =>
      editDocument({ state: null, updates, clientId, change }).update!;
    const bolden = (doc: Y.Doc) => (doc.getMap('map').get('text') as Y.Text).format(0, 4, { bold: true });
    const setup = edit(1, [], (doc) => doc.getMap('map').set('text', new Y.Text('bold')));
    const updates = [setup, edit(2, [setup], bolden), edit(3, [setup], bolden)];
    const insert = edit(4, updates, (doc) => doc.getText('text').insert(0, 'a'));
    expect(Y.decodeUpdate(insert).ds.clients.size).toBe(0);
    expect(Y.decodeUpdate(Y.encodeStateAsUpdate(readDocument({ state: null, updates }))).ds.clients.size).toBe(0);
  });

  test('is one update, also where an observer of its own changes more', () => {
    const { update } = editDocument({
      ...EMPTY,
      clientId: 7,
      change(doc) {
        doc.getText('text').observe(() => doc.getMap('map').set('changed', true));
        doc.getText('text').insert(0, 'a');
      },
    });
    const doc = readDocument({ state: update, updates: [] });
    expect([doc.getText('text').toString(), doc.getMap('map').toJSON()]).toEqual(['a', { changed: true }]);
  });

  test('that throws gives the error of the caller; one that is asynchronous is refused', () => {
    const failure = new Error('not today');
    const fail = () => {
      throw failure;
    };
    expect(() => editDocument({ ...EMPTY, clientId: 7, change: fail })).toThrow(failure);
    const later = async () => {
      throw failure;
    };
    expect(() => editDocument({ ...EMPTY, clientId: 7, change: later })).toThrow(
      expect.objectContaining({ code: 'invalid-options' }),
    );
  });

  test('of a damaged log is refused', () => {
    const damaged = expect.objectContaining({ code: 'document-damaged' });
    expect(() => readDocument({ state: null, updates: [BRICK] })).toThrow(damaged);
    expect(() => editDocument({ state: BRICK, updates: [], clientId: 7, change: () => null })).toThrow(damaged);
  });
});

test('an edit that destroys the document, or answers like a promise, is refused: nobody would know what of it is stored', () => {
  const edit = (change: (doc: Y.Doc) => unknown) => () => editDocument({ state: null, updates: [], clientId: 1, change });
  expect(
    edit((doc) => {
      doc.getText('body').insert(0, 'lost');
      doc.destroy();
    }),
  ).toThrow(/destroy/);
  expect(edit(() => Object.fromEntries([['then', () => {}]]))).toThrow(/synchronous/);
});
