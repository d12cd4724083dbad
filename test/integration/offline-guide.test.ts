import 'fake-indexeddb/auto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { type Client, createClient, type DocumentHandle } from '../../client/index.ts';
import { putBack } from '../support/put-back.ts';
import { until, when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Guide {
  openNotes(page: object): Promise<{ client: Client; notes: DocumentHandle; signOut(): Promise<void> }>;
}

/** The guide's code, as it stands. */
async function loadGuide(): Promise<Guide> {
  const page = await readFile(join(root, 'docs/guides/offline.md'), 'utf8');
  const contents = /<!-- snippet: offline -->\n```ts\n([\s\S]*?)```/.exec(page)?.[1];
  if (contents === undefined) throw new Error('docs/guides/offline.md has no snippet');
  const dir = await mkdtemp(join(tmpdir(), 'ashlar-guide-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const outfile = join(dir, 'guide.cjs');
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    alias: { 'ashlar/client': join(root, 'client/index.ts') },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
  });
  return createRequire(import.meta.url)(outfile) as Guide;
}

test('the guide’s code opens a document without a network, brings it to the server, and signs out without a trace', async () => {
  const { openNotes } = await loadGuide();
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  let network = true;
  const open = async () => {
    const mounted: DocumentHandle[] = [];
    const page = await openNotes({
      url: proxy.url,
      fetchToken: () => (network ? Promise.resolve(tokenFor('ada')) : Promise.reject(new Error('no network'))),
      mountEditor: (handle: DocumentHandle) => mounted.push(handle),
      offerDownload: () => {
        throw new Error('nothing is unsaved here');
      },
    });
    onTestFinished(() => page.client.disconnect());
    expect(mounted).toEqual([page.notes]);
    return { ...page, text: page.notes.doc.getText('text') };
  };
  const first = await open();
  await first.notes.whenSynced;
  first.text.insert(0, 'online');
  await first.notes.whenSaved();
  first.client.disconnect();

  network = false;
  proxy.cut();
  const second = await open();
  expect(second.text.toString()).toBe('online');
  second.text.insert(6, ', offline');
  expect(second.notes.unsavedChanges.get()).toBe(1);
  network = true;
  proxy.mend();
  await second.notes.whenSaved();
  const saved = await server.realtime.documents.read('notes');
  expect(saved.getText('text').toString()).toBe('online, offline');
  saved.destroy();

  await second.signOut();
  await until(second.client.status, ({ state }) => state === 'closed');
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(['ashlar']);
});

test('the guide’s code offers the edits for download where the server lost them and does not take them back', async () => {
  const { openNotes } = await loadGuide();
  await using first = await startServer();
  await using proxy = await startTcpProxy(first.url);
  await using copy = await putBack(first, { withoutKey: true });
  await using second = await startServer({ dataDir: copy.dataDir });
  proxy.target(second.url);
  let offer: (offered: { update: Uint8Array; why: string }) => void = () => {};
  const offered = new Promise<{ update: Uint8Array; why: string }>((resolve) => {
    offer = resolve;
  });
  const { client, notes } = await openNotes({
    url: proxy.url,
    fetchToken: () => Promise.resolve(tokenFor('ada')),
    mountEditor: () => {},
    offerDownload: (update: Uint8Array, why: string) => offer({ update, why }),
  });
  onTestFinished(() => client.disconnect());
  await notes.whenSynced;
  const other = createClient({ url: proxy.url, token: tokenFor('ben') });
  void other.connect();
  const theirs = other.document('notes');
  await theirs.whenSynced;
  theirs.doc.getText('text').insert(0, 'of ben');
  await theirs.whenSaved();
  await when(
    (listener) => {
      notes.doc.on('update', listener);
      return () => notes.doc.off('update', listener);
    },
    () => notes.doc.getText('text').toString() === 'of ben',
  );
  notes.doc.getText('text').insert(6, ', of ada');
  await notes.whenSaved();
  other.disconnect();

  proxy.cut();
  await copy.again(second);
  await using third = await startServer({ dataDir: copy.dataDir });
  proxy.target(third.url);
  proxy.mend();
  const { update, why } = await offered;
  expect(why).toBe('foreign-client-id');
  expect(notes.unsavedChanges.get()).toBeGreaterThan(0);
  expect(notes.unsaved).toEqual(update);
  const kept = new Y.Doc();
  Y.applyUpdate(kept, update);
  expect(kept.getText('text').toString()).toBe('of ben, of ada');
});
