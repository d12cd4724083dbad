import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { DocumentSession } from '../../client/documents/document-session.ts';
import { hasContent } from '../../client/documents/has-content.ts';
import { createReplica } from '../../client/documents/replica.ts';
import type { SessionPorts } from '../../client/documents/session-ports.ts';
import type { ClientFrame } from '../../shared/document-frame.ts';
import { AshlarError, type ErrorCode } from '../../shared/errors.ts';
import type { JoinAnswer, JoinOptions } from '../../shared/messages.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

/** A session whose server is the test: every frame by hand. */
function byHand(doc = new Y.Doc()) {
  const time = new SimulatedTime();
  const sent: ClientFrame[] = [];
  const joins: JoinOptions[] = [];
  const errors: AshlarError[] = [];
  const reported: unknown[] = [];
  const failed: string[] = [];
  let answer: (error: AshlarError | null, answer: unknown) => void = () => {};
  const origin = {};
  let secrets = 0;
  const ports: SessionPorts = {
    replica: createReplica(
      doc,
      origin,
      () => {},
      (error) => reported.push(error),
    ),
    join(options, onAnswer) {
      joins.push(options);
      answer = onAnswer;
    },
    send: (frame) => sent.push(frame),
    env: { now: () => time.now, random: () => 0.5, after: (ms, task) => time.after(ms, task) },
    drawSecret: () => `secret-${++secrets}`,
    drawClientId: () => 1_234,
    changed: () => {},
    edited: () => {},
    error: (error) => errors.push(error),
    failed: (reason) => failed.push(reason),
  };
  const session = new DocumentSession(ports, hasContent(doc));
  doc.on('update', (update: Uint8Array, from: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
    if (from !== origin) session.localUpdate(update, transaction.local);
  });
  const joined = (over: Partial<JoinAnswer> = {}) =>
    answer(null, {
      room: 'doc:x',
      access: 'write',
      recovered: false,
      reason: 'new',
      epoch: 'e',
      seq: 0,
      head: 0,
      saved: 0,
      incarnation: 'i',
      ...over,
    });
  const state = (content = new Y.Doc(), seq = 0) =>
    session.frame({
      type: 'state',
      transfer: 1,
      index: 0,
      count: 1,
      epoch: 'e',
      seq,
      stateVector: Y.encodeStateVector(content),
      bytes: Y.encodeStateAsUpdate(content),
    });
  const live = () => {
    session.connected();
    joined();
    state();
    sent.length = 0;
  };
  const updates = () => sent.flatMap((frame) => (frame.type === 'update' ? [frame] : []));
  return {
    doc,
    time,
    sent,
    joins,
    errors,
    reported,
    failed,
    session,
    joined,
    state,
    live,
    updates,
    refuse: (error: AshlarError) => answer(error, undefined),
  };
}

const type = (doc: Y.Doc, text: string) => doc.getText('text').insert(0, text);
const textOf = (...list: readonly Uint8Array[]) => {
  const doc = new Y.Doc();
  for (const update of list) Y.applyUpdate(doc, update);
  return doc.getText('text').toString();
};

test('nothing is sent before the first sync is whole: the state, and the records up to the head', () => {
  const { doc, session, joined, state, updates, time, sent } = byHand();
  type(doc, 'early');
  session.connected();
  joined({ head: 2 });
  expect(sent).toEqual([{ type: 'sync', stateVector: expect.any(Uint8Array) }]);
  state(new Y.Doc(), 1);
  time.advance(100);
  expect(updates()).toEqual([]);
  expect(session.status.state).toBe('syncing');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 2, update: Y.encodeStateAsUpdate(new Y.Doc()) }] });
  expect(session.status).toEqual({ state: 'synced' });
  expect(updates()).toHaveLength(1);
  expect(updates()[0]).toMatchObject({ counter: 1, full: false });
});

test('an observer that throws, as editor bindings do, is reported and damages nothing: the session goes on', () => {
  const { doc, session, live, updates, time, errors, reported } = byHand();
  live();
  const mistake = new Error('the binding stumbles');
  doc.getText('text').observe((event) => {
    if (!event.transaction.local) throw mistake;
  });
  const other = new Y.Doc();
  type(other, 'theirs');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, update: Y.encodeStateAsUpdate(other) }] });
  expect(doc.getText('text').toString()).toBe('theirs');
  expect(reported).toEqual([mistake]);
  expect(errors).toEqual([]);
  expect(session.status).toEqual({ state: 'synced' });
  type(doc, 'mine');
  time.advance(10);
  expect(updates()).toHaveLength(1);
});

test('a burst in one tick is one update; later ones go beside it, each with the next counter', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (let index = 0; index < 10; index++) type(doc, 'x');
  expect(updates()).toEqual([]);
  time.advance(10);
  expect(updates().map(({ counter }) => counter)).toEqual([1]);
  type(doc, 'y');
  time.advance(10);
  expect(updates().map(({ counter }) => counter)).toEqual([1, 2]);
  expect(session.outbox.unsaved).toBe(11);
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, counter: 2 }] });
  expect(session.outbox.unsaved).toBe(0);
  expect(session.place).toMatchObject({ epoch: 'e', seq: 1 });
});

test('what is edited within 10 ms of an update that is under way is a burst, and goes as one update at its end; a lone edit waits for nothing', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  type(doc, 'a');
  time.advance(0);
  expect(updates()).toHaveLength(1);
  for (const text of ['b', 'c', 'd']) {
    type(doc, text);
    time.advance(3);
    expect(updates()).toHaveLength(1);
  }
  time.advance(1);
  expect(updates()).toHaveLength(2);
  // Nobody waits behind what is saved.
  type(doc, 'e');
  time.advance(0);
  session.frame({ type: 'saved', counter: 1, epoch: 'e', seq: 0 });
  expect(updates()).toHaveLength(2);
  session.frame({ type: 'saved', counter: 2, epoch: 'e', seq: 0 });
  expect(updates()).toHaveLength(3);
  session.frame({ type: 'saved', counter: 3, epoch: 'e', seq: 0 });
  type(doc, 'f');
  time.advance(0);
  expect(updates()).toHaveLength(4);
  // The device's clock is put back: no wait that lasts until it has come this far again.
  time.now -= 3_600_000;
  type(doc, 'g');
  time.advance(0);
  expect(updates().map(({ counter }) => counter)).toEqual([1, 2, 3, 4, 5]);
  expect(textOf(...updates().map(({ update }) => update))).toBe('gfedcba');
});

test('at most 32 updates are under way; what waits behind them is merged', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (let index = 0; index < 40; index++) {
    type(doc, 'x');
    time.advance(10);
  }
  expect(updates()).toHaveLength(32);
  session.frame({ type: 'saved', counter: 1, epoch: 'e', seq: 0 });
  expect(updates()).toHaveLength(33);
  expect(textOf(...updates().map(({ update }) => update))).toBe('x'.repeat(40));
});

test('a refusal that may pass is waited for, then the same bytes go again from there', () => {
  const { doc, live, updates, time, session, errors } = byHand();
  live();
  for (const text of ['a', 'b', 'c']) {
    type(doc, text);
    time.advance(10);
  }
  const first = updates();
  session.frame({ type: 'refused', counter: 2, code: 'rate-limited', retryAfterMs: 1_000, detail: '' });
  session.frame({ type: 'refused', counter: 3, code: 'counter-gap', retryAfterMs: 0, detail: '' });
  time.advance(999);
  expect(updates()).toHaveLength(3);
  time.advance(600);
  expect(updates().slice(3)).toEqual(first.slice(1));
  expect(errors).toEqual([]);
});

test('what is refused for an update before it goes again as soon as that is saved; a limit is waited for all the same', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (const text of ['a', 'b', 'c', 'd']) {
    type(doc, text);
    time.advance(10);
  }
  const refuse = (counter: number, code: ErrorCode) =>
    session.frame({ type: 'refused', counter, code, retryAfterMs: 1_000, detail: '' });
  const first = updates();
  for (const counter of [2, 3, 4]) refuse(counter, 'counter-gap');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, counter: 1 }] });
  expect(updates().slice(4)).toEqual(first.slice(1));
  refuse(3, 'rate-limited');
  refuse(4, 'counter-gap');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 2, counter: 2 }] });
  expect(updates()).toHaveLength(7);
  time.advance(1_600);
  expect(updates().slice(7)).toEqual(first.slice(2));
});

test('a gap is answered with one full step under its counter, and a second answer to an older copy changes nothing', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  type(doc, 'a');
  time.advance(10);
  type(doc, 'b');
  time.advance(10);
  session.frame({ type: 'gap', counter: 1, stateVector: Y.encodeStateVector(new Y.Doc()) });
  const full = updates().at(-1);
  expect(full).toMatchObject({ counter: 1, full: true });
  expect(textOf(full?.update ?? new Uint8Array())).toBe('ba');
  // Sent before the gap was known; refused unread.
  session.frame({ type: 'refused', counter: 2, code: 'counter-gap', retryAfterMs: 0, detail: '' });
  type(doc, 'c');
  time.advance(1_000);
  const next = updates().at(-1);
  expect(next).toMatchObject({ counter: 2, full: false });
  expect(updates().filter(({ counter }) => counter === 1)).toHaveLength(2);
});

test('an answer to an update that a full step replaced holds nothing back', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (const text of ['a', 'b']) {
    type(doc, text);
    time.advance(10);
  }
  session.frame({ type: 'gap', counter: 1, stateVector: Y.encodeStateVector(new Y.Doc()) });
  session.frame({ type: 'refused', counter: 2, code: 'counter-gap', retryAfterMs: 1_000, detail: '' });
  type(doc, 'c');
  time.advance(10);
  expect(updates().at(-1)).toMatchObject({ counter: 2, full: false });
});

test('an answer to a copy that has been sent again meanwhile holds nothing back', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (const text of ['a', 'b']) {
    type(doc, text);
    time.advance(10);
  }
  session.frame({ type: 'refused', counter: 1, code: 'rate-limited', retryAfterMs: 100, detail: '' });
  time.advance(150);
  expect(updates().map(({ counter }) => counter)).toEqual([1, 2, 1, 2]);
  // Of the first copy: the second one is on its way.
  session.frame({ type: 'refused', counter: 2, code: 'counter-gap', retryAfterMs: 1_000, detail: '' });
  type(doc, 'c');
  time.advance(10);
  expect(updates().at(-1)).toMatchObject({ counter: 3 });
});

test('after a reconnect it counts as synced once what others saved meanwhile is here, not before', () => {
  const { live, joined, session } = byHand();
  live();
  expect(session.status).toEqual({ state: 'synced' });
  session.disconnected();
  session.connected();
  joined({ recovered: true, seq: 0, head: 1 });
  expect(session.status).toMatchObject({ state: 'syncing' });
  const doc = new Y.Doc();
  type(doc, 'theirs');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, update: Y.encodeStateAsUpdate(doc) }] });
  expect(session.status).toEqual({ state: 'synced' });
});

test('of the ids of other sessions a join tells the newest thousand', () => {
  const { joins, session } = byHand();
  for (let id = 1; id <= 1_001; id++) session.formerIds.add(id);
  session.connected();
  expect(joins[0]?.formerIds).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 2));
});

test('an observer that leaves the room while the first state is put in leaves it, and the next connection joins again', () => {
  const { session, doc, joins, joined, state } = byHand();
  const theirs = new Y.Doc();
  type(theirs, 'theirs');
  session.connected();
  joined({ seq: 1, head: 1 });
  doc.once('update', () => session.disconnected());
  state(theirs, 1);
  expect(session.status).toEqual({ state: 'offline' });
  session.connected();
  expect(joins).toHaveLength(2);
  joined({ seq: 1, head: 1 });
  state(theirs, 1);
  expect(session.status).toEqual({ state: 'synced' });
});

test('a position advances over contiguous records only; otherwise the room is joined again from the last good one', () => {
  const { live, session, joins, time, doc } = byHand();
  live();
  const other = new Y.Doc();
  const list: Uint8Array[] = [];
  other.on('update', (update: Uint8Array) => list.push(update));
  type(other, 'a');
  type(other, 'b');
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, update: list[0]! }] });
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, update: list[0]! }] });
  expect(session.place?.seq).toBe(1);
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 3, update: list[1]! }] });
  expect(doc.getText('text').toString()).toBe('a');
  time.advance(10);
  expect(joins.at(-1)).toMatchObject({ epoch: 'e', seq: 1 });
});

test('what the join says is saved leaves the outbox, the rest goes again unchanged', () => {
  const { doc, live, updates, time, session, joined } = byHand();
  live();
  for (const text of ['a', 'b', 'c']) {
    type(doc, text);
    time.advance(10);
  }
  const first = updates();
  session.disconnected();
  session.connected();
  joined({ recovered: true, saved: 2, seq: 0, head: 0 });
  expect(updates().slice(3)).toEqual(first.slice(2));
  expect(session.outbox.unsaved).toBe(1);
});

test('a log that went back gets a full step, behind what is still under way', () => {
  const { doc, live, updates, time, session, joined, state } = byHand();
  live();
  type(doc, 'a');
  time.advance(10);
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, counter: 1 }] });
  session.disconnected();
  session.connected();
  joined({ reason: 'epoch', saved: 0 });
  state();
  const [step] = updates().slice(1);
  expect(step).toMatchObject({ counter: 1, full: true });
  expect(textOf(step?.update ?? new Uint8Array())).toBe('a');
});

test('a position from before the log’s beginning may be of a log that went back: what the server lacks follows in a full step, and nothing where it lacks nothing', () => {
  for (const [content, steps] of [
    ['of another', 1],
    ['', 0],
  ] as const) {
    const { live, updates, session, joined, state, time } = byHand();
    live();
    const other = new Y.Doc();
    if (content !== '') type(other, content);
    session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, update: Y.encodeStateAsUpdate(other) }] });
    session.disconnected();
    session.connected();
    joined({ reason: 'expired', saved: 0, head: 5 });
    state(new Y.Doc(), 5);
    time.advance(100);
    expect(updates().filter(({ full }) => full)).toHaveLength(steps);
  }
});

test('a position that the server’s log lost is shown again until the full step is saved, and kept for a later page', () => {
  const { doc, live, updates, time, session, joined, state, joins } = byHand();
  live();
  type(doc, 'a');
  time.advance(10);
  session.frame({ type: 'committed', epoch: 'lost', entries: [{ seq: 1, counter: 1 }] });
  session.disconnected();
  session.connected();
  joined({ reason: 'epoch', saved: 0 });
  state();
  expect(updates().at(-1)).toMatchObject({ full: true });
  expect(session.place).toMatchObject({ epoch: 'lost', seq: 1 });
  // The connection goes before the full step is saved; the server may have been started anew, and know nothing of it.
  session.disconnected();
  session.connected();
  expect(joins.at(-1)).toMatchObject({ epoch: 'lost', seq: 1 });
  joined({ reason: 'epoch', saved: 0 });
  state();
  const { counter } = updates().at(-1)!;
  session.frame({ type: 'committed', epoch: 'new', entries: [{ seq: 1, counter }] });
  expect(session.place).toMatchObject({ epoch: 'new', seq: 1 });
  session.disconnected();
  session.connected();
  expect(joins.at(-1)).toMatchObject({ epoch: 'new', seq: 1 });
});

test('a document with content of its own sends what the server lacks, with deletions, and nothing where it lacks nothing', () => {
  const shared = new Y.Doc();
  type(shared, 'shared');
  shared.getText('text').delete(0, 1);
  const same = new Y.Doc();
  Y.applyUpdate(same, Y.encodeStateAsUpdate(shared));
  const quiet = byHand(same);
  quiet.session.connected();
  quiet.joined({ head: 1 });
  quiet.state(shared, 1);
  quiet.time.advance(100);
  expect(quiet.updates()).toEqual([]);
  expect(quiet.session.outbox.isEmpty).toBe(true);
  const more = new Y.Doc();
  Y.applyUpdate(more, Y.encodeStateAsUpdate(shared));
  more.getText('text').delete(0, 1);
  const loud = byHand(more);
  loud.session.connected();
  loud.joined({ head: 1 });
  loud.state(shared, 1);
  expect(loud.updates()).toEqual([expect.objectContaining({ counter: 1, full: true })]);
  expect(textOf(Y.encodeStateAsUpdate(shared), loud.updates()[0]!.update)).toBe('ared');
  expect(loud.session.outbox.unsaved).toBe(1);
});

test('what Yjs keeps pending is never sent', () => {
  const far = new Y.Doc();
  const list: Uint8Array[] = [];
  far.on('update', (update: Uint8Array) => list.push(update));
  type(far, 'a');
  type(far, 'b');
  const doc = new Y.Doc();
  type(doc, 'mine');
  Y.applyUpdate(doc, list[1]!);
  expect(doc.store.pendingStructs).not.toBeNull();
  const { session, joined, state, updates } = byHand(doc);
  session.connected();
  joined();
  state();
  expect([...Y.parseUpdateMeta(updates()[0]!.update).to.keys()]).toEqual([doc.clientID]);
  expect(doc.store.pendingStructs).not.toBeNull();
});

test('another incarnation, a refused kind of update and a deletion end the session', () => {
  const replaced = byHand();
  replaced.live();
  replaced.session.disconnected();
  replaced.session.connected();
  replaced.joined({ incarnation: 'another' });
  expect(replaced.failed).toEqual(['replaced']);
  for (const code of ['read-only', 'invalid-update', 'foreign-client-id', 'too-large'] as const) {
    const { doc, live, time, session, failed, errors } = byHand();
    live();
    type(doc, 'a');
    time.advance(10);
    session.frame({ type: 'refused', counter: 1, code, retryAfterMs: 0, detail: '' });
    expect(failed).toEqual([code]);
    expect(errors.map((error) => error.code)).toEqual([code]);
    expect(session.outbox.merged()).not.toBeNull();
  }
  const gone = byHand();
  gone.live();
  gone.session.frame({ type: 'reset', reason: 'quarantined' });
  expect(gone.failed).toEqual(['quarantined']);
});

test('a join that the server wants later is sent then, not before', () => {
  const { session, joins, refuse, time, errors } = byHand();
  session.connected();
  refuse(new AshlarError('rate-limited', { retryAfterMs: 5_000 }));
  time.advance(4_999);
  expect(joins).toHaveLength(1);
  time.advance(2_501);
  expect(joins).toHaveLength(2);
  expect(errors).toEqual([]);
});

test('a server that lets us in and never goes on is asked ever more rarely; what follows a membership that held is mended at once', () => {
  const { session, joins, joined, live, time } = byHand();
  // A record whose predecessors never come.
  const leaveOut = () => session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 7, update: new Uint8Array([0, 0]) }] });
  const recovered = () => joined({ recovered: true, seq: 0, head: 0 });
  live();
  leaveOut();
  let seen = joins.length;
  for (let ms = 0; ms < 10_000; ms += 10) {
    time.advance(10);
    if (joins.length === seen) continue;
    seen = joins.length;
    recovered();
    leaveOut();
  }
  expect(seen).toBeGreaterThan(3);
  expect(seen).toBeLessThan(8);

  time.advance(60_000);
  recovered();
  time.advance(5_000);
  leaveOut();
  seen = joins.length;
  time.advance(0);
  expect(joins).toHaveLength(seen + 1);
});

test('a question for the state that came too often is asked again later, with a join', () => {
  const { session, joins, joined, state, time, sent } = byHand();
  session.connected();
  joined();
  session.frame({ type: 'refused', counter: 0, code: 'rate-limited', retryAfterMs: 1_000, detail: '' });
  time.advance(2_000);
  expect(joins).toHaveLength(2);
  joined();
  expect(sent.filter(({ type }) => type === 'sync')).toHaveLength(2);
  state();
  expect(session.status).toEqual({ state: 'synced' });
});

test('what another provider brought before the first sync is not sent again where the server has it', () => {
  const { doc, session, joined, state, updates, time } = byHand();
  const kept = new Y.Doc();
  type(kept, 'kept elsewhere');
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(kept), 'another provider');
  session.connected();
  joined();
  state(kept, 1);
  time.advance(10);
  expect([updates(), session.outbox.unsaved]).toEqual([[], 0]);
});

test('under another client id the session has another secret', () => {
  const { doc, session, joins, live, time } = byHand();
  live();
  doc.clientID = 4_321;
  type(doc, 'x');
  time.advance(10_000);
  expect(joins.map(({ clientId }) => clientId)).toEqual([expect.any(Number), 4_321]);
  expect(joins[1]?.session).not.toBe(joins[0]?.session);
  expect(session.clientId).toBe(4_321);
});

test('several waits for several updates: the longest counts, in whatever order they are told', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  for (const text of ['a', 'b']) {
    type(doc, text);
    time.advance(10);
  }
  session.frame({ type: 'refused', counter: 1, code: 'rate-limited', retryAfterMs: 10_000, detail: '' });
  session.frame({ type: 'refused', counter: 2, code: 'rate-limited', retryAfterMs: 1_000, detail: '' });
  time.advance(9_999);
  expect(updates()).toHaveLength(2);
  time.advance(5_001);
  expect(updates()).toHaveLength(4);
});

test('refusals in a row are waited for ever longer, and an update that is saved ends the row', () => {
  const { doc, live, updates, time, session } = byHand();
  live();
  const waitAfterRefusal = (counter: number): number => {
    const [from, before] = [time.now, updates().length];
    session.frame({ type: 'refused', counter, code: 'storage-unavailable', retryAfterMs: 0, detail: '' });
    while (updates().length === before && time.now - from < 60_000) time.advance(10);
    return time.now - from;
  };
  type(doc, 'a');
  time.advance(10);
  expect([1, 1, 1].map(waitAfterRefusal)).toEqual([120, 220, 420]);
  session.frame({ type: 'committed', epoch: 'e', entries: [{ seq: 1, counter: 1 }] });
  type(doc, 'b');
  time.advance(10);
  expect(waitAfterRefusal(2)).toBe(120);
});

test('a chunk of another transfer is none of the state that is on its way', () => {
  const { session, joined, sent } = byHand();
  session.connected();
  joined();
  const chunk = (transfer: number, index: number, bytes: Uint8Array) =>
    session.frame({
      type: 'state',
      transfer,
      index,
      count: 2,
      epoch: 'e',
      seq: 1,
      stateVector: Y.encodeStateVector(new Y.Doc()),
      bytes,
    });
  const content = new Y.Doc();
  type(content, 'whole');
  const update = Y.encodeStateAsUpdate(content);
  chunk(2, 0, update.subarray(0, 5));
  chunk(1, 1, new Uint8Array([1, 2, 3]));
  expect(session.status).toEqual({ state: 'syncing', received: 1, total: 2 });
  chunk(2, 1, update.subarray(5));
  expect(session.status).toEqual({ state: 'synced' });
  expect(sent.filter(({ type }) => type === 'pull')).toEqual([{ type: 'pull', transfer: 2, index: 1 }]);
});

test('ids of other sessions that come after a join are told with another one, before a full step needs them', () => {
  const { doc, session, joins, live, updates, time } = byHand();
  session.formerIds.add(7);
  live();
  expect(joins[0]?.formerIds).toEqual([7]);
  session.formerIds.add(8);
  type(doc, 'x');
  time.advance(10);
  session.frame({ type: 'gap', counter: 1, stateVector: Y.encodeStateVector(new Y.Doc()) });
  expect(updates()).toHaveLength(1);
  time.advance(10_000);
  expect(joins.at(-1)?.formerIds).toEqual([7, 8]);
});

test('nothing is missing on the server where its deletions, range by range, are ours in one', () => {
  const doc = new Y.Doc();
  const deletions: Uint8Array[] = [];
  type(doc, 'abcd');
  doc.on('update', (update: Uint8Array) => deletions.push(update));
  for (let index = 0; index < 4; index++) doc.getText('text').delete(0, 1);
  const replica = createReplica(
    doc,
    {},
    () => {},
    () => {},
  );
  const server = Y.encodeStateVector(doc);
  expect(replica.missing(server, Y.mergeUpdates(deletions))).toBeNull();
  expect(replica.missing(server, Y.mergeUpdates(deletions.slice(0, 3)))).not.toBeNull();
  // As the log has them: one range per record.
  const known = encoding.createEncoder();
  encoding.writeVarUint(known, 0);
  encoding.writeVarUint(known, 1);
  encoding.writeVarUint(known, doc.clientID);
  encoding.writeVarUint(known, 4);
  for (let clock = 0; clock < 4; clock++) {
    encoding.writeVarUint(known, clock);
    encoding.writeVarUint(known, 1);
  }
  expect(replica.missing(server, encoding.toUint8Array(known))).toBeNull();
});
