import { beforeEach, expect, test, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { DocumentMember } from '../../server/documents/document-member.ts';
import type { DocumentRoom } from '../../server/documents/document-room.ts';
import { receiveFrame } from '../../server/documents/receive-frame.ts';
import { createCatchUp } from '../../server/rooms/catch-up.ts';
import type { Room } from '../../server/rooms/room.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { decodeServerFrame, type ServerFrame } from '../../shared/document-frame.ts';
import { type FakeOutbox, fakeConnection } from '../support/fake-connection.ts';
import { type GatedStore, gateStore } from '../support/gated-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openDocument } from '../support/open-document.ts';

let store: GatedStore;
let room: Room;
let document: DocumentRoom;
const clock = createManualClock();

beforeEach(async () => {
  const catchUp = createCatchUp((_member, error) => {
    throw error;
  });
  store = gateStore(openMemoryStore());
  ({ room, document } = await openDocument('doc:minutes', { clock, catchUp }, store));
});

/** A member that has all there is, and has its queue in the test's hands. */
async function join(userId: string, clientId: number): Promise<{ member: DocumentMember; outbox: FakeOutbox }> {
  const connection = fakeConnection({ clock, userId });
  const position = { epoch: room.head.epoch, seq: room.head.seq };
  const joined = await room.content.join(connection, 'write', { ...position, clientId, session: `session of ${userId}` });
  if (!(joined.member instanceof DocumentMember)) throw new Error('no member of a document');
  room.members.set(connection, joined.member);
  joined.start();
  await vi.waitFor(() => expect(joined.member.delivery).toBe('live'));
  return { member: joined.member, outbox: connection.outbox };
}

const framesIn = ({ taken }: FakeOutbox): ServerFrame[] => taken.map(([, , bytes]) => decodeServerFrame(bytes as Uint8Array));
const seqsIn = (outbox: FakeOutbox) =>
  framesIn(outbox).flatMap((frame) => (frame.type === 'committed' ? frame.entries.map(({ seq }) => seq) : []));
const awarenessIn = (outbox: FakeOutbox) =>
  framesIn(outbox).flatMap((frame) =>
    frame.type === 'awareness' ? [new TextDecoder().decode(frame.update).match(/"cursor":\d+/g)] : [],
  );

async function type(writer: DocumentMember, count: number): Promise<void> {
  const doc = new Y.Doc();
  doc.clientID = writer.session?.clientId as number;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let index = 0; index < count; index++) doc.getText('text').insert(index, 'x');
  for (const [index, update] of updates.entries()) {
    receiveFrame(document, writer, { type: 'update', counter: index + 1, full: false, update });
    await room.settled();
  }
}

test('[7] updates for which there was no room come from the log once it drains, in order, and others do not wait', async () => {
  const [ada, slow, fast] = [await join('ada', 1), await join('slow', 2), await join('fast', 3)];
  slow.outbox.room = 2;
  await type(ada.member, 10);
  expect(seqsIn(fast.outbox)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(seqsIn(slow.outbox)).toEqual([1, 2]);
  slow.outbox.drain();
  await vi.waitFor(() => expect(slow.member.delivery).toBe('live'));
  expect(seqsIn(slow.outbox)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('[2] who asks for the state while records behind its position are read goes on from the state, and nothing is left out', async () => {
  const ada = await join('ada', 1);
  await type(ada.member, 3);
  room.recent.clear();
  const release = store.hold('read');
  const connection = fakeConnection({ clock, userId: 'late' });
  const joined = await room.content.join(connection, 'write', { epoch: room.head.epoch, seq: 1, clientId: 2, session: 'late' });
  const member = joined.member as DocumentMember;
  room.members.set(connection, member);
  joined.start();
  await vi.waitFor(() => expect(store.held('read')).toBe(1));
  receiveFrame(document, member, { type: 'sync', stateVector: Uint8Array.of(0) });
  await vi.waitFor(() => expect(member.sent.seq).toBe(0));
  release();
  await vi.waitFor(() => expect(member.delivery).toBe('live'));
  expect(seqsIn(connection.outbox)).toEqual([1, 2, 3]);
});

test('[7] awareness for which there was no room is made up for by everyone’s latest, once', async () => {
  const [ada, bob, slow] = [await join('ada', 1), await join('bob', 2), await join('slow', 3)];
  slow.outbox.room = 1;
  for (let cursor = 1; cursor <= 20; cursor++) {
    document.showAwareness(ada.member, 1, { cursor });
    document.showAwareness(bob.member, 2, { cursor: 100 + cursor });
  }
  expect(awarenessIn(slow.outbox)).toEqual([['"cursor":1']]);
  slow.outbox.drain();
  expect(awarenessIn(slow.outbox)).toEqual([['"cursor":1'], ['"cursor":120', '"cursor":20']]);
  document.showAwareness(ada.member, 1, { cursor: 21 });
  expect(awarenessIn(slow.outbox).at(-1)).toEqual(['"cursor":21']);
});

test('[7] a crowd that comes in, shows something and goes costs each member of a large document a packet, not one for each of the others', async () => {
  const crowd: Awaited<ReturnType<typeof join>>[] = [];
  for (let id = 1; id <= 60; id++) crowd.push(await join(`user ${id}`, id));
  const reader = await join('reader', 100);
  for (const [index, { member }] of crowd.entries()) document.showAwareness(member, index + 1, { cursor: 1 });
  document.showAwareness((crowd[0] as (typeof crowd)[0]).member, 1, { cursor: 2 });
  clock.advance(100);
  const shown = crowd.map((_member, index) => `"cursor":${index === 0 ? 2 : 1}`);
  expect(awarenessIn(reader.outbox)).toEqual([shown]);
  for (const [index, { outbox }] of crowd.entries()) expect(awarenessIn(outbox)).toEqual([shown.toSpliced(index, 1)]);

  for (const { member } of crowd) {
    room.members.delete(member.connection);
    document.left(member);
  }
  clock.advance(100);
  expect(framesIn(reader.outbox).filter(({ type }) => type === 'awareness')).toHaveLength(2);
  const seen = new Awareness(new Y.Doc());
  for (const frame of framesIn(reader.outbox)) if (frame.type === 'awareness') applyAwarenessUpdate(seen, frame.update, null);
  expect([...seen.getStates().keys()]).toEqual([seen.clientID]);
  seen.destroy();
});

test('[4] who left while there was no room for it is no ghost afterwards', async () => {
  const [ada, bob, slow] = [await join('ada', 1), await join('bob', 2), await join('slow', 3)];
  for (const { member } of [ada, bob]) document.showAwareness(member, member.session?.clientId as number, { cursor: 1 });
  slow.outbox.room = 0;
  document.showAwareness(bob.member, 2, { cursor: 2 });
  document.left(ada.member);
  slow.outbox.drain();
  const seen = new Awareness(new Y.Doc());
  for (const frame of framesIn(slow.outbox)) if (frame.type === 'awareness') applyAwarenessUpdate(seen, frame.update, null);
  expect([...seen.getStates()].filter(([id]) => id !== seen.clientID)).toEqual([[2, expect.objectContaining({ cursor: 2 })]]);
  seen.destroy();
});

test('a session of which everything is on disk is forgotten with its member', async () => {
  const ada = await join('ada', 1);
  await type(ada.member, 3);
  document.left(ada.member);
  expect([...document.writers.values()]).toEqual([]);
});
