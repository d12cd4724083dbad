import { expect, test } from 'vitest';
import * as Y from 'yjs';
import type { DocumentHandle } from '../../client/documents/document-handle.ts';
import type { DocumentEvents } from '../../client/documents/document-listener.ts';
import { type DocumentStatus, SYNCED } from '../../client/documents/document-status.ts';
import { createSaveStatus } from '../../client/features/save-status.ts';
import { Listeners } from '../../client/listeners.ts';
import { writable } from '../../client/readable.ts';
import { AshlarError } from '../../shared/errors.ts';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

const fail = (error: unknown): never => {
  throw error;
};

/** The save status of a handle that a test moves by hand. */
function watchStatus() {
  const { client, status: connection } = fakeFeatureClient();
  const listeners = new Listeners<DocumentEvents>(fail);
  const status = writable<DocumentStatus>(SYNCED, fail);
  const unsavedChanges = writable(0, fail);
  const doc = new Y.Doc();
  const handle = { status, unsavedChanges, unsaved: null, on: listeners.on.bind(listeners) } as unknown as DocumentHandle;
  const saved = createSaveStatus(client, handle);
  const stop = saved.subscribe(() => {});
  const reset = (restoring: boolean) =>
    listeners.emit('reset', { reason: 'id-in-use', unsaved: new Uint8Array([1]), restoring, previous: doc, doc });
  return { saved, stop, status, connection, unsavedChanges, reset };
}

test('a refusal that the user was told of is over, until there is another one', () => {
  const { saved, stop, status, unsavedChanges } = watchStatus();
  const refuse = () => status.set({ state: 'refused', error: new AshlarError('access-denied') });
  unsavedChanges.set(2);
  refuse();
  const told = saved.get();
  expect(told).toMatchObject({ state: 'refused', reason: 'access-denied' });
  if (told.state === 'refused') told.dismiss();
  expect(saved.get()).toEqual({ state: 'offline', changes: 2 });
  unsavedChanges.set(3);
  expect(saved.get()).toEqual({ state: 'offline', changes: 3 });
  refuse();
  expect(saved.get()).toMatchObject({ state: 'refused', reason: 'access-denied' });
  stop();
});

test('edits that come back by themselves are not said to be refused, those that do not are', () => {
  const { saved, stop, unsavedChanges, reset } = watchStatus();
  unsavedChanges.set(1);
  reset(true);
  expect(saved.get()).toEqual({ state: 'saving', changes: 1 });
  reset(false);
  expect(saved.get()).toMatchObject({ state: 'refused', reason: 'id-in-use', unsaved: new Uint8Array([1]) });
  stop();
});
