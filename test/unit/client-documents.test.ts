import { beforeAll, expect, test } from 'vitest';
import { loadLiveDocument } from '../../client/documents/document-code.ts';
import { Documents } from '../../client/documents/documents.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { decodeClientFrame, encodeFrame } from '../../shared/document-frame.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const ROOM = 'doc:x';
const SESSION = { user: { id: 'ada', name: 'Ada', color: '#336699' }, limits: { frameBytes: 100_000 } };

// So that a document is live as soon as it is opened.
beforeAll(async () => {
  await loadLiveDocument();
});

/** A client's documents on a connection that a test moves by hand. */
function openDocuments() {
  const time = new SimulatedTime();
  const joins: ((error: null, answer: object) => void)[] = [];
  const sent: string[] = [];
  let part: { up?(session: unknown): void; message?(event: string, args: readonly unknown[]): void } = {};
  let session: typeof SESSION | null = null;
  const env = { ...platformEnvironment(), now: () => time.now, random: () => 0.5, after: time.after.bind(time) };
  const core = {
    connector: {
      attach: (attached: typeof part) => {
        part = attached;
      },
      mustLive: () => {},
      session: { get: () => session },
      request: (_event: string, _args: readonly unknown[], answer: never) => joins.push(answer),
      send(event: string, [, frame]: readonly unknown[]) {
        sent.push(event === 'document' ? decodeClientFrame(frame as Uint8Array).type : event);
      },
      backlogBytes: () => 0,
    },
    members: { joined: () => {} },
    env,
    report: (error: unknown) => {
      throw error;
    },
  };
  const documents = new Documents(core as never, {});
  return {
    documents,
    time,
    sent,
    joins,
    connect() {
      session = SESSION;
      part.up?.(SESSION);
    },
    /** Lets the document in as somebody who has all that the server has. */
    join() {
      const position = { epoch: 'e', seq: 0, head: 0, saved: 0, incarnation: null };
      joins.at(-1)?.(null, { room: ROOM, access: 'write', recovered: false, reason: 'new', ...position });
      const empty = new Uint8Array([0]);
      const state = { transfer: 1, index: 0, count: 1, epoch: 'e', seq: 0, stateVector: empty, bytes: new Uint8Array(0) };
      part.message?.('document', [ROOM, encodeFrame({ type: 'state', ...state })]);
    },
    save: (counter: number) =>
      part.message?.('document', [ROOM, encodeFrame({ type: 'committed', epoch: 'e', entries: [{ seq: counter, counter }] })]),
  };
}

test('what a page that moved on has not saved is sent without its presence, and shown again to whoever opens it meanwhile', () => {
  const { documents, time, sent, connect, join, save } = openDocuments();
  connect();
  const first = documents.open('x', {});
  join();
  const { awareness, doc } = first;
  doc.getText('text').insert(0, 'mine');
  first.destroy();
  expect(awareness.getLocalState()).not.toBeNull();
  time.advance(250);
  expect(awareness.getLocalState()).toBeNull();
  expect(sent.filter((type) => type === 'update')).toHaveLength(1);
  const second = documents.open('x', {});
  expect([second.doc, second.awareness.getLocalState()]).toEqual([doc, { user: SESSION.user }]);
  save(1);
  time.advance(1_000);
  expect(sent).not.toContain('leave-room');
  second.destroy();
  time.advance(250);
  expect(sent.at(-1)).toBe('leave-room');
});

test('edits of a handle that was told to disconnect are sent once it is given up, and the room is left after that', () => {
  const { documents, time, sent, joins, connect, join, save } = openDocuments();
  connect();
  const handle = documents.open('x', {});
  join();
  handle.disconnect();
  time.advance(1_000);
  handle.doc.getText('text').insert(0, 'mine');
  time.advance(1_000);
  expect([joins.length, sent.filter((type) => type === 'update').length]).toEqual([1, 0]);
  handle.destroy();
  time.advance(250);
  expect(joins).toHaveLength(2);
  join();
  time.advance(0);
  expect(sent.filter((type) => type === 'update')).toHaveLength(1);
  expect(documents.unsaved.get()).toEqual([{ name: 'x', unsavedChanges: 1 }]);
  save(1);
  expect([documents.unsaved.get(), sent.at(-1)]).toEqual([[], 'leave-room']);
});

test('a document that is not saved is not thrown away for one that is opened with other options', () => {
  const { documents, time } = openDocuments();
  const first = documents.open('x', {});
  first.doc.getText('text').insert(0, 'mine');
  first.destroy();
  time.advance(250);
  expect(() => documents.open('x', { offline: true })).toThrow(expect.objectContaining({ code: 'invalid-options' }));
  const second = documents.open('x', {});
  expect([second.doc.getText('text').toString(), second.unsavedChanges.get()]).toEqual(['mine', 1]);
});

test('whoever waits for a document learns that its handle is destroyed, before and after', async () => {
  const { documents } = openDocuments();
  const handle = documents.open('x', {});
  const before = handle.whenSynced;
  handle.destroy();
  await expect(before).rejects.toMatchObject({ code: 'client-closed' });
  await expect(handle.whenSynced).rejects.toMatchObject({ code: 'client-closed' });
});
