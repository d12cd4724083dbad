import { afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { createClient, platformEnvironment } from '../../client/index.ts';

afterEach(() => vi.unstubAllGlobals());

/** A window that knows who listens. */
function stubWindow() {
  const target = new EventTarget();
  const listening = new Set<string>();
  vi.stubGlobal('window', {
    navigator: { onLine: true },
    addEventListener(type: string, listener: () => void) {
      listening.add(type);
      target.addEventListener(type, listener);
    },
    removeEventListener(type: string, listener: () => void) {
      listening.delete(type);
      target.removeEventListener(type, listener);
    },
  });
  /** Whether the browser would ask before it leaves the page. */
  const asks = () => {
    const event = new Event('beforeunload', { cancelable: true });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  return { asks, listening };
}

const offlineClient = (options = {}) => createClient({ url: 'http://127.0.0.1:1', token: 'none', onError: () => {}, ...options });

test('a page asks before it is left while edits are unsaved, and only then', () => {
  const { asks, listening } = stubWindow();
  const client = offlineClient();
  const [one, two] = [client.document('one'), client.document('two')];
  expect(listening.has('beforeunload')).toBe(false);
  expect(asks()).toBe(false);
  one.doc.getText('text').insert(0, 'x');
  two.doc.getText('text').insert(0, 'x');
  expect(asks()).toBe(true);
});

test('the listener goes with the last unsaved edit', () => {
  const { asks } = stubWindow();
  const stop = platformEnvironment().confirmUnload!();
  expect(asks()).toBe(true);
  stop();
  expect(asks()).toBe(false);
});

test('a client that is destroyed asks nothing any more, and has nothing unsaved', async () => {
  const { asks } = stubWindow();
  const client = offlineClient();
  const told: unknown[] = [];
  client.unsavedDocuments.subscribe((documents) => told.push(documents));
  const [one, two] = [client.document('one'), client.document('two')];
  expect(client.unsavedDocuments.get()).toEqual([]);
  one.doc.getText('text').insert(0, 'x');
  one.doc.getText('text').insert(0, 'y');
  two.doc.getText('text').insert(0, 'x');
  // Given up, and still to be saved.
  two.destroy();
  expect(client.unsavedDocuments.get()).toEqual([
    { name: 'one', unsavedChanges: 2 },
    { name: 'two', unsavedChanges: 1 },
  ]);
  expect(asks()).toBe(true);
  const saved = one.whenSaved();
  client.destroy();
  client.destroy();
  expect(asks()).toBe(false);
  expect(client.unsavedDocuments.get()).toEqual([]);
  expect(told.at(-1)).toEqual([]);
  await expect(saved).rejects.toMatchObject({ code: 'client-closed' });
  await expect(one.whenSynced).rejects.toMatchObject({ code: 'client-closed' });
  expect(() => client.document('one')).toThrow(expect.objectContaining({ code: 'client-closed' }));
  await expect(client.connect()).rejects.toMatchObject({ code: 'client-closed' });
});

test('a Y.Doc of the caller’s own is left alone by a client that is destroyed', () => {
  const client = offlineClient();
  const doc = new Y.Doc();
  const handle = client.document('one', { doc });
  client.destroy();
  doc.getText('text').insert(0, 'mine');
  expect([doc.getText('text').toString(), handle.unsavedChanges.get(), doc.isDestroyed]).toEqual(['mine', 0, false]);
});

test('who listens to the network no more leaves nothing behind at the window', () => {
  const { listening } = stubWindow();
  const stop = platformEnvironment().network.onChange(() => {});
  expect([...listening]).toEqual(['online', 'offline']);
  stop();
  expect([...listening]).toEqual([]);
});

test('that can be switched off, and costs nothing where there is no window', () => {
  const { asks } = stubWindow();
  offlineClient({ warnBeforeUnload: false }).document('one').doc.getText('text').insert(0, 'x');
  expect(asks()).toBe(false);
  vi.stubGlobal('window', undefined);
  offlineClient().document('one').doc.getText('text').insert(0, 'x');
});
