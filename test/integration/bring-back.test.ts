import { expect, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { createClient, type DocumentHandle } from '../../client/index.ts';
import { FrameClient } from '../support/frame-client.ts';
import { putBack } from '../support/put-back.ts';
import { when } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const listOf = ({ doc }: DocumentHandle) => doc.getArray<string>('list');

/** What a client id writes behind what it wrote before. */
function written(clientId: number, ...texts: readonly string[]): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const known: Uint8Array[] = [];
  for (const text of texts) {
    known.push(Y.encodeStateVector(doc));
    doc.getText('t').insert(doc.getText('t').length, text);
  }
  return Y.encodeStateAsUpdate(doc, known.at(-1));
}

/** Sends an update, and tells what becomes of it. */
async function tried(client: FrameClient, counter: number, update: Uint8Array, full: boolean): Promise<string> {
  client.update(counter, update, full);
  return Promise.race([
    client.frame('refused', (frame) => frame.counter === counter).then(({ code }) => code),
    client
      .frame('committed', ({ entries }) => entries.some((entry) => 'counter' in entry && entry.counter === counter))
      .then(() => 'taken'),
  ]);
}

test('[4] a position that was never given out opens nothing: neither further on, nor of another epoch, another place or another document', async () => {
  await using server = await startServer();
  const ada = new FrameClient(await server.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  ada.update(1, written(1, 'one'));
  const { epoch } = await ada.frame('committed');
  const elsewhere = new FrameClient(await server.connect(tokenFor('eve')), 'b', 3);
  await elsewhere.join();
  elsewhere.sync();
  for (const counter of [1, 2, 3]) elsewhere.update(counter, written(3, ...'xyz'.slice(0, counter)));
  const { epoch: ofAnother } = await elsewhere.frame('committed', ({ entries }) => entries.at(-1)?.seq === 3);
  const [plain] = epoch.split('.');
  const claims = [
    { epoch, seq: 2 },
    { epoch: plain, seq: 2 },
    { epoch: 'another', seq: 1 },
    { epoch: `another.${epoch.split('.')[1]}`, seq: 1 },
    { epoch: ofAnother, seq: 3 },
    { epoch: `${plain}.`, seq: 2 },
  ];
  for (const [index, claim] of claims.entries()) {
    const eve = new FrameClient(await server.connect(tokenFor('eve')), 'a', 10 + index);
    expect(await eve.join(claim)).toMatchObject({ recovered: false, reason: 'epoch' });
    eve.sync();
    expect([claim, await tried(eve, 1, written(1, 'one', ' more'), true)]).toEqual([claim, 'foreign-client-id']);
  }
});

test('[4] after a log went back others’ content comes in a full step alone, and no more of an id once its own session has brought it', async () => {
  await using first = await startServer();
  const ada = new FrameClient(await first.connect(tokenFor('ada')), 'a', 1);
  await ada.join();
  ada.sync();
  ada.update(1, written(1, 'one'));
  await ada.frame('committed');
  await using copy = await putBack(first);
  await using second = await startServer({ dataDir: copy.dataDir });
  const again = new FrameClient(await second.connect(tokenFor('ada')), 'a', 1);
  await again.join();
  again.sync();
  again.update(2, written(1, 'one', ' two'));
  again.update(3, written(1, 'one', ' two', ' three'));
  const { epoch } = await again.frame('committed', ({ entries }) => entries.at(-1)?.seq === 3);
  await copy.again(second);
  await using third = await startServer({ dataDir: copy.dataDir });

  const eve = new FrameClient(await third.connect(tokenFor('eve')), 'a', 2);
  expect(await eve.join({ epoch, seq: 3 })).toMatchObject({ recovered: false, reason: 'epoch', head: 1 });
  eve.sync();
  expect(await tried(eve, 1, written(1, 'one', ' two'), false)).toBe('foreign-client-id');
  const helper = new FrameClient(await third.connect(tokenFor('eve')), 'a', 4);
  await helper.join({ epoch, seq: 3 });
  helper.sync();
  expect(await tried(helper, 1, written(1, 'one', ' two'), true)).toBe('taken');
  const last = new FrameClient(await third.connect(tokenFor('ada')), 'a', 1);
  await last.join({ epoch, seq: 3 });
  last.sync();
  expect(await tried(last, 2, written(1, 'one', ' two', ' three'), true)).toBe('taken');
  const another = new FrameClient(await third.connect(tokenFor('eve')), 'a', 3);
  await another.join({ epoch, seq: 3 });
  another.sync();
  expect(await tried(another, 1, written(1, 'one', ' two', ' three', ' four'), true)).toBe('foreign-client-id');
});

test('edits that the server does not take back after all are told, counted and kept, and nothing calls them saved', async () => {
  await using first = await startServer();
  await using proxy = await startTcpProxy(first.url);
  await using copy = await putBack(first, { withoutKey: true });
  await using second = await startServer({ dataDir: copy.dataDir });
  proxy.target(second.url);
  const edit = async (user: string) => {
    const client = createClient({ url: proxy.url, token: tokenFor(user, { name: user }), onError: () => {} });
    onTestFinished(() => client.disconnect());
    void client.connect();
    const handle = client.document('plan');
    await handle.whenSynced;
    return { client, handle };
  };
  const [anna, ben] = [await edit('anna'), await edit('ben')];
  listOf(ben.handle).push(['of ben']);
  await ben.handle.whenSaved();
  await when(
    (listener) => {
      anna.handle.doc.on('update', listener);
      return () => anna.handle.doc.off('update', listener);
    },
    () => listOf(anna.handle).length === 1,
  );
  listOf(anna.handle).push(['of anna']);
  await anna.handle.whenSaved();
  const told: string[] = [];
  const resets: (Uint8Array | null)[] = [];
  anna.handle.on('saved', () => told.push('saved'));
  anna.handle.on('reset', ({ reason, unsaved, restoring }) => {
    told.push(`reset ${reason} ${restoring}`);
    if (!restoring) resets.push(unsaved);
  });
  proxy.cut();
  await copy.again(second);
  await using third = await startServer({ dataDir: copy.dataDir });
  proxy.target(third.url);
  ben.client.disconnect();
  const failed = new Promise<void>((resolve) => {
    anna.handle.on('reset', ({ restoring }) => !restoring && resolve());
  });
  proxy.mend();
  await failed;
  expect(told).toEqual(['reset foreign-client-id true', 'reset foreign-client-id false']);
  expect(anna.handle.unsavedChanges.get()).toBeGreaterThan(0);
  await expect(anna.handle.whenSaved()).rejects.toMatchObject({ code: 'invalid-update' });
  const bytes = anna.handle.unsaved;
  expect(resets).toEqual([bytes]);
  const kept = new Y.Doc();
  Y.applyUpdate(kept, bytes ?? new Uint8Array());
  expect(kept.getArray('list').toArray()).toEqual(['of ben', 'of anna']);

  anna.handle.forgetUnsaved();
  expect([anna.handle.unsaved, anna.handle.unsavedChanges.get()]).toEqual([null, 0]);
  listOf(anna.handle).push(['from here on']);
  await anna.handle.whenSaved();
  expect(told.slice(2)).toEqual(['saved']);
});
