import { expect, test } from 'vitest';
import { type Writable, writable } from '../../client/readable.ts';
import { KeptDocuments } from '../../demo/web/offline/kept-documents.ts';

/** A client whose documents note whether they are in their rooms. */
function fakeClient() {
  const opened = new Map<string, { unsavedChanges: Writable<number>; unsaved: Uint8Array | null; inRoom: boolean }>();
  const document = (name: string) => {
    const handle = {
      unsavedChanges: writable(0, () => {}),
      unsaved: null as Uint8Array | null,
      inRoom: true,
      on: () => () => {},
      connect: () => {
        handle.inRoom = true;
      },
      disconnect: () => {
        handle.inRoom = false;
      },
      destroy: () => void opened.delete(name),
    };
    opened.set(name, handle);
    return handle;
  };
  return { client: { document } as never, opened };
}

test('documents are held out of their rooms, but for what they have to send; what the server refused counts as not saved', () => {
  const { client, opened } = fakeClient();
  const kept = new KeptDocuments(client);
  kept.hold(['board', 'page-a', 'page-b']);
  kept.hold(['board']);
  const [board, page] = [opened.get('board'), opened.get('page-a')];
  const inRooms = () => [...opened].flatMap(([name, { inRoom }]) => (inRoom ? [name] : []));
  expect([opened.size, inRooms(), kept.unsaved()]).toEqual([3, [], []]);
  board?.unsavedChanges.set(2);
  expect([inRooms(), kept.unsaved()]).toEqual([['board'], ['board']]);
  if (page !== undefined) page.unsaved = new Uint8Array([1]);
  board?.unsavedChanges.set(0);
  expect([inRooms(), kept.unsaved()]).toEqual([[], ['page-a']]);
  kept.release();
  expect(opened.size).toBe(0);
});
