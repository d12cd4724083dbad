import { beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { loadLiveDocument } from '../../client/documents/document-code.ts';
import { DocumentFront, type FrontOptions } from '../../client/documents/document-front.ts';
import type { DocumentEvents, DocumentListener, ResetEvent } from '../../client/documents/document-listener.ts';
import type { Keep, Keeping } from '../../client/documents/keeper.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { Later } from '../../client/later.ts';
import { type ClientFrame, decodeClientFrame, encodeFrame, type ServerFrame } from '../../shared/document-frame.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { JoinAnswer } from '../../shared/messages.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

// So that a document is live as soon as it is made.
beforeAll(async () => {
  await loadLiveDocument();
});

/** A document on a connection that a test moves by hand. */
function openDocument({ keep, ...options }: FrontOptions & { keep?: Keep } = {}) {
  const time = new SimulatedTime();
  const sent: ClientFrame[] = [];
  const left: unknown[] = [];
  const joins: ((error: null, answer: Partial<JoinAnswer>) => void)[] = [];
  const listed: string[] = [];
  const resets: ResetEvent[] = [];
  const core = {
    connector: {
      request: (_event: string, _args: readonly unknown[], answer: never) => joins.push(answer),
      send: (event: string, [room, frame]: readonly unknown[]) => {
        if (event === 'document') sent.push(decodeClientFrame(frame as Uint8Array));
        else left.push(room);
      },
      backlogBytes: () => 0,
    },
    members: { joined: (room: string) => listed.push(room) },
    env: { ...platformEnvironment(), now: () => time.now, random: () => 0.5, after: time.after.bind(time) },
    report: (error: unknown) => {
      throw error;
    },
  };
  const later = <Part>(load: () => Promise<Part>) => new Later(load, core.env, core.report);
  const parts = { live: later(loadLiveDocument), keep: keep && later(async () => keep) };
  const live = new DocumentFront('doc:x', options, parts, core as never);
  const heard = (name: string, event: unknown): void => {
    if (name === 'reset') resets.push(event as DocumentEvents['reset'][0]);
  };
  live.listeners.add(heard as DocumentListener);
  live.want(true);
  const frame = (told: ServerFrame) => live.live?.frame(encodeFrame(told));
  return {
    live,
    time,
    sent,
    left,
    joins,
    listed,
    resets,
    connect: (userId = 'ada') =>
      live.connected({ user: { id: userId, name: userId, color: '#336699' }, limits: { frameBytes: 100_000 } } as never),
    /** The server lets us in, and has nothing. */
    join(access: 'read' | 'write' = 'write') {
      const position = { epoch: 'e', seq: 0, head: 0, saved: 0, incarnation: 'i' };
      joins.at(-1)?.(null, { room: 'doc:x', access, recovered: false, reason: 'new', ...position });
      const empty = new Y.Doc();
      const bytes = Y.encodeStateAsUpdate(empty);
      const stateVector = Y.encodeStateVector(empty);
      frame({ type: 'state', transfer: 1, index: 0, count: 1, epoch: 'e', seq: 0, stateVector, bytes });
    },
    write(text: string) {
      live.doc.getText('text').insert(0, text);
      time.advance(0);
    },
    refuse(code: ErrorCode) {
      const counter = sent.flatMap((told) => (told.type === 'update' ? [told.counter] : [])).at(-1) ?? 1;
      frame({ type: 'refused', counter, code, retryAfterMs: 0, detail: '' });
    },
    end: (reason: string) => frame({ type: 'reset', reason }),
  };
}

const textOf = (update: Uint8Array | null): string => {
  const doc = new Y.Doc();
  if (update !== null) Y.applyUpdate(doc, update);
  return [...doc.getText('text').toString()].sort().join('');
};

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('what several resets could not save is kept together until it is forgotten', () => {
  const { live, time, connect, join, write, refuse, resets } = openDocument();
  connect();
  for (const text of ['a', 'b']) {
    join();
    write(text);
    refuse('invalid-update');
    time.advance(60_000);
  }
  expect(resets.map(({ unsaved }) => textOf(unsaved))).toEqual(['a', 'b']);
  expect(textOf(live.unsaved)).toBe('ab');
  live.live?.forgetUnsaved();
  expect(live.unsaved).toBeNull();
});

test('edits of somebody who may only read are not put back, whatever they were refused for', () => {
  const { connect, join, write, refuse, resets } = openDocument();
  connect();
  join('read');
  write('a');
  refuse('foreign-client-id');
  expect(resets).toMatchObject([{ reason: 'foreign-client-id', restoring: false, unsaved: expect.any(Uint8Array) }]);
});

test('[4] edits that wait to be put back are not put into the document of another user', async () => {
  const calls: string[] = [];
  const keeping: Keeping = {
    whenLoaded: Promise.resolve(),
    isLoading: false,
    get userId() {
      return calls.includes('bob’s') ? 'bob' : 'ada';
    },
    load: () => {},
    beforeJoin: () => null,
    changed: () => {},
    startOver: () => {},
    forgetUnsaved: () => calls.push('forgotten'),
    close: () => {},
  };
  const { live, connect, join, write, refuse, resets } = openDocument({ keep: () => keeping });
  await settle();
  connect('ada');
  join();
  write('ada’s');
  refuse('foreign-client-id');
  expect(resets).toMatchObject([{ restoring: true }]);
  const saved = live.whenSaved();
  saved.catch(() => {});
  live.disconnected();
  connect('bob');
  calls.push('bob’s');
  expect(resets.at(-1)).toMatchObject({ reason: 'other-user', unsaved: null });
  await expect(saved).rejects.toThrow();
  expect([live.unsavedChanges.get(), live.unsaved]).toEqual([0, null]);
  join();
  await settle();
  await settle();
  expect([live.doc.getText('text').toString(), live.unsavedChanges.get()]).toEqual(['', 0]);
});

test('a document that is not wanted any more leaves its room also where the join is still on its way', () => {
  const { live, left, connect, joins } = openDocument();
  connect();
  expect([joins.length, live.status.get().state]).toEqual([1, 'joining']);
  live.want(false);
  expect(left).toEqual(['doc:x']);
});

test('whoever waits for edits to be saved is told where the document has stopped', async () => {
  const { live, connect, join, write, end } = openDocument();
  connect();
  join();
  write('a');
  const before = live.whenSaved();
  before.catch(() => {});
  end('gone');
  expect(live.status.get()).toEqual({ state: 'stopped', reason: 'gone' });
  await expect(before).rejects.toMatchObject({ code: 'gone' });
  await expect(live.whenSaved()).rejects.toMatchObject({ code: 'gone' });
});

test('what is forgotten is forgotten where it is kept, too', async () => {
  let forgotten = 0;
  const keeping: Keeping = {
    whenLoaded: Promise.resolve(),
    isLoading: false,
    userId: undefined,
    load: () => {},
    beforeJoin: () => null,
    changed: () => {},
    startOver: () => {},
    forgetUnsaved: () => forgotten++,
    close: () => {},
  };
  const { live, connect, join, write, refuse } = openDocument({ keep: () => keeping });
  await settle();
  connect();
  join();
  live.live?.forgetUnsaved();
  expect(forgotten).toBe(0);
  write('a');
  refuse('too-large');
  live.live?.forgetUnsaved();
  expect(forgotten).toBe(1);
});

test('who is in the document’s room is asked for with each join', () => {
  const { live, listed, connect, join } = openDocument();
  connect();
  expect(listed).toEqual([]);
  join();
  expect(listed).toEqual(['doc:x']);
  live.disconnected();
  connect();
  join();
  expect(listed).toEqual(['doc:x', 'doc:x']);
});
