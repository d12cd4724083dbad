import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { receiveFrame } from '../../server/documents/receive-frame.ts';
import { createCatchUp } from '../../server/rooms/catch-up.ts';
import { decodeServerFrame } from '../../shared/document-frame.ts';
import { fakeConnection } from '../support/fake-connection.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { joinAsWriter, openDocument } from '../support/open-document.ts';

/** A writer whose full step, with a deletion in it, is being looked at off the event loop until `answer` is called. */
async function fullStepUnderWay() {
  const clock = createManualClock();
  const catchUp = createCatchUp(() => {});
  let answer = () => {};
  let asked = false;
  const novelDeletes = ({ update }: { update: Uint8Array }) =>
    new Promise<Uint8Array>((resolve) => {
      asked = true;
      answer = () => resolve(update);
    });
  const { room, document } = await openDocument('doc:minutes', { clock, catchUp, workers: { novelDeletes } as never });
  const connection = fakeConnection({ clock, userId: 'ada' });
  const member = await joinAsWriter(room, connection);
  const doc = new Y.Doc();
  doc.clientID = 7;
  doc.getText('text').insert(0, 'ab');
  doc.getText('text').delete(0, 1);
  const send = () =>
    receiveFrame(document, member, { type: 'update', counter: 1, full: true, update: Y.encodeStateAsUpdate(doc) });
  send();
  await vi.waitFor(() => expect(asked).toBe(true));
  return {
    room,
    document,
    member,
    send,
    /** The worker answers; resolves when the update is taken, or not. */
    async answer() {
      answer();
      await vi.waitFor(() => expect(document.busy).toBe(false));
      await room.settled();
    },
    refusals: () =>
      connection.outbox.taken
        .map(([, , bytes]) => decodeServerFrame(bytes as Uint8Array))
        .flatMap((frame) => (frame.type === 'refused' ? [[frame.counter, frame.code]] : [])),
  };
}

test('a full step that was looked at off the event loop is taken', async () => {
  const { room, answer, refusals } = await fullStepUnderWay();
  await answer();
  expect([room.head.seq, refusals()]).toEqual([1, []]);
});

test.each<[string, (of: Awaited<ReturnType<typeof fullStepUnderWay>>) => void, string]>([
  ['its sender may only read any more', ({ member }) => Object.assign(member, { access: 'read' }), 'read-only'],
  ['the document was deleted', ({ room }) => Object.assign(room, { deleted: true }), 'gone'],
  ['the document is being looked into', ({ document }) => Object.assign(document, { blocked: true }), 'document-damaged'],
  ['its lease was lost', ({ room }) => Object.assign(room, { fenced: true }), 'storage-unavailable'],
])('[3] it is refused where meanwhile %s, and may come again', async (_, happens, code) => {
  const stage = await fullStepUnderWay();
  happens(stage);
  await stage.answer();
  expect([stage.room.head.seq, stage.refusals()]).toEqual([0, [[1, code]]]);
});

test('[3] of a sender that has left meanwhile it is neither taken nor answered', async () => {
  const { room, member, answer, refusals } = await fullStepUnderWay();
  member.left = true;
  await answer();
  expect([room.head.seq, refusals()]).toEqual([0, []]);
});

test('[2] what comes behind it waits for it: the same counter again is not taken twice', async () => {
  const { room, send, answer, refusals } = await fullStepUnderWay();
  send();
  expect(refusals()).toEqual([[1, 'counter-gap']]);
  await answer();
  expect(room.head.seq).toBe(1);
});
