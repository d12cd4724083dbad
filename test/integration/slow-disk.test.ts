import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import type { ServerFrame } from '../../shared/document-frame.ts';
import { FrameClient } from '../support/frame-client.ts';
import { gateStore } from '../support/gated-store.ts';
import { ask, startServer, tokenFor } from '../support/start-server.ts';

type Committed = Extract<ServerFrame, { type: 'committed' }>;

const savedUpTo =
  (counter: number) =>
  ({ entries }: Committed): boolean =>
    entries.some((entry) => 'counter' in entry && entry.counter >= counter);

/** What a user types, update by update. */
function typist(clientId: number): (text: string) => Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  let last = new Uint8Array();
  doc.on('update', (update: Uint8Array) => {
    last = Uint8Array.from(update);
  });
  return (text) => {
    doc.getText('t').insert(0, text);
    return last;
  };
}

test('[5] what one user sends while the disk hangs fills no memory: beyond a burst it is told to wait, others are not, and all of it is saved in the end', async () => {
  const store = gateStore(openMemoryStore());
  await using ashlar = await startServer({ store, limits: { byteBurst: 1_000_000, bytesPerSecond: 1_000_000_000 } });
  const ada = new FrameClient(await ashlar.connect(tokenFor('ada')), 'plan', 5);
  const bob = new FrameClient(await ashlar.connect(tokenFor('bob')), 'plan', 7);
  for (const client of [ada, bob]) {
    await client.join();
    client.sync();
    await client.frame('state');
  }
  const release = store.hold('append');
  const type = typist(5);
  const updates = Array.from({ length: 20 }, () => type('x'.repeat(124_000)));
  for (const [index, update] of updates.entries()) {
    ada.update(index + 1, update);
    // Taken one by one, so that no burst of the socket's own is met.
    await ask(ada.socket, 'room:members', 'doc:plan');
  }
  const refused = await ada.frame('refused');
  expect(refused).toMatchObject({ code: 'storage-unavailable', retryAfterMs: 1_000 });
  expect(refused.counter).toBe(9);
  expect(await ask(ada.socket, 'chat:message', { sessionId: '1', content: 'y'.repeat(8_000) })).toMatchObject({
    error: { code: 'storage-unavailable' },
  });
  bob.update(1, typist(7)('bob'));
  await ask(bob.socket, 'room:members', 'doc:plan');
  expect(bob.received.map(({ type }) => type)).not.toContain('refused');

  release();
  await bob.frame('committed', savedUpTo(1));
  for (let counter = refused.counter; counter <= 20; counter++) {
    ada.update(counter, updates[counter - 1] as Uint8Array);
    await ada.frame('committed', savedUpTo(counter));
  }
  const copy = await ashlar.realtime.documents.read('plan');
  expect(copy.getText('t').toString()).toHaveLength(20 * 124_000 + 3);
});
