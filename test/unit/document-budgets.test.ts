import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { receiveFrame } from '../../server/documents/receive-frame.ts';
import type { Limits } from '../../server/options.ts';
import { createCatchUp } from '../../server/rooms/catch-up.ts';
import { type ClientFrame, decodeServerFrame } from '../../shared/document-frame.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { joinAsWriter, openDocument } from '../support/open-document.ts';

/** A writer with these limits, alone in a document whose workers find every deletion new. */
async function writer(limits: Partial<Limits>) {
  const clock = createManualClock();
  const catchUp = createCatchUp(() => {});
  const workers = { novelDeletes: async ({ update }: { update: Uint8Array }) => update };
  const { room, document } = await openDocument('doc:minutes', { clock, catchUp, workers: workers as never });
  const connection = fakeConnection({ clock, userId: 'ada', limits });
  const member = await joinAsWriter(room, connection);
  const doc = new Y.Doc();
  doc.clientID = 7;
  return {
    doc,
    send: (frame: ClientFrame) => receiveFrame(document, member, frame),
    /** The update of a change of `doc`. */
    edit(change: () => void): Uint8Array {
      const before = Y.encodeStateVector(doc);
      change();
      return Y.encodeStateAsUpdate(doc, before);
    },
    connection,
    clock,
    saved: () => room.head.seq,
    refusals: () =>
      connection.outbox.taken
        .map(([, , bytes]) => decodeServerFrame(bytes as Uint8Array))
        .flatMap((frame) => (frame.type === 'refused' ? [[frame.counter, frame.code]] : [])),
  };
}

test('[3] asking for a document’s state costs what a join costs', async () => {
  const { send, refusals } = await writer({ joinsPerMinute: 3 });
  for (let count = 0; count < 5; count++) send({ type: 'sync', stateVector: new Uint8Array([0]) });
  expect(refusals()).toEqual([
    [0, 'rate-limited'],
    [0, 'rate-limited'],
  ]);
});

test('[3] a full step with deletions, for which the whole document is loaded, costs what a join costs', async () => {
  const { doc, edit, send, saved, refusals } = await writer({ joinsPerMinute: 1 });
  const text = doc.getText('text');
  const step = (counter: number) => {
    edit(() => text.insert(0, 'ab'));
    edit(() => text.delete(0, 1));
    send({ type: 'update', counter, full: true, update: Y.encodeStateAsUpdate(doc) });
  };
  step(1);
  await vi.waitFor(() => expect(saved()).toBe(1));
  step(2);
  await vi.waitFor(() => expect(refusals()).toEqual([[2, 'rate-limited']]));
});

test('[3] whoever brought a table in one struct pays for its values before the next update', async () => {
  const { doc, edit, send, saved, refusals } = await writer({ structsPerSecond: 10, structBurst: 100 });
  const type = (counter: number) =>
    send({ type: 'update', counter, full: false, update: edit(() => doc.getText('text').insert(0, 'a')) });
  type(1);
  await vi.waitFor(() => expect(saved()).toBe(1));
  const table = edit(() =>
    doc.getArray('table').insert(
      0,
      Array.from({ length: 500 }, (_, value) => value),
    ),
  );
  send({ type: 'update', counter: 2, full: false, update: table });
  await vi.waitFor(() => expect(saved()).toBe(2));
  type(3);
  expect(refusals()).toEqual([[3, 'rate-limited']]);
});

test('[3] who owes bytes is told to wait, and an update that owes for itself alone passes, however large', async () => {
  const { doc, edit, send, saved, refusals, connection, clock } = await writer({ bytesPerSecond: 1_000, byteBurst: 10_000 });
  const { budgets } = connection;
  const type = (text: string) => edit(() => doc.getText('text').insert(0, text));
  const large = type('x'.repeat(20_000));
  budgets.spend('bytes', large.length + 60);
  send({ type: 'update', counter: 1, full: false, update: large });
  await vi.waitFor(() => expect(saved()).toBe(1));
  const small = type('y');
  budgets.spend('bytes', small.length + 60);
  send({ type: 'update', counter: 2, full: false, update: small });
  expect(refusals()).toEqual([[2, 'rate-limited']]);
  clock.advance(10_000);
  budgets.spend('bytes', small.length + 60);
  send({ type: 'update', counter: 2, full: false, update: small });
  await vi.waitFor(() => expect(saved()).toBe(2));
});
