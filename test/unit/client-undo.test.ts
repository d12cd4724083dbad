import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { createUndo } from '../../client/features/undo.ts';

test('edits in a row are one step, unless one is said to begin', () => {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  const undo = createUndo(doc);
  const stop = undo.subscribe(() => {});
  const type = (word: string) => text.insert(text.length, word);
  type('one');
  type(' two');
  undo.stopCapturing();
  type(' three');
  undo.undo();
  expect(text.toString()).toBe('one two');
  undo.undo();
  expect([text.toString(), undo.get()]).toEqual(['', { canUndo: false, canRedo: true }]);
  stop();
});

test('when all have gone it holds on to nothing that is deleted from then on', async () => {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  const undo = createUndo(doc);
  const stop = undo.subscribe(() => {});
  text.insert(0, 'one');
  stop();
  // It stops a microtask later.
  await Promise.resolve();
  text.insert(3, ' secret');
  text.delete(3, 7);
  expect(undo.get()).toEqual({ canUndo: false, canRedo: false });
  expect(new TextDecoder().decode(Y.encodeStateAsUpdate(doc))).not.toContain('secret');
});
