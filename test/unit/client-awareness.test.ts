import { expect, test, vi } from 'vitest';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { AwarenessSync, withoutClient } from '../../client/documents/awareness-sync.ts';
import { framesOf, Upload } from '../../client/documents/upload.ts';
import { watchedPeople } from '../../client/features/people.ts';
import { decodeClientFrame } from '../../shared/document-frame.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const ADA = { id: 'ada', name: 'Ada', color: '#112233' };

function presence() {
  const time = new SimulatedTime();
  const sent: Uint8Array[] = [];
  const awareness = new Awareness(new Y.Doc());
  const reported: unknown[] = [];
  const sync = new AwarenessSync(awareness, {
    send: (update) => sent.push(update),
    env: { after: (ms, task) => time.after(ms, task) },
    report: (error, context) => reported.push([error, context]),
  });
  return { time, sent, reported, awareness, sync };
}

function stateOf(id: number, clock: number, state: object | null): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = id;
  const awareness = new Awareness(doc);
  awareness.setLocalState(state as Record<string, unknown> | null);
  awareness.meta.set(id, { clock, lastUpdated: 0 });
  const update = encodeAwarenessUpdate(awareness, [id]);
  awareness.destroy();
  return update;
}

test('a moving cursor is one message per 50 ms, with its latest place', () => {
  const { time, sent, awareness, sync } = presence();
  awareness.setLocalStateField('cursor', 0);
  expect(sent).toEqual([]);
  sync.joined(ADA);
  time.advance(50);
  expect(sent).toHaveLength(1);
  for (let at = 1; at <= 20; at++) {
    awareness.setLocalStateField('cursor', at);
    time.advance(2);
  }
  time.advance(50);
  expect(sent).toHaveLength(2);
  expect(new TextDecoder().decode(sent[1])).toContain('"cursor":20');
  expect(new TextDecoder().decode(sent[1])).toContain('"name":"Ada"');
  // The same state again, as a renewal sets it, is no news.
  awareness.setLocalState(awareness.getLocalState());
  time.advance(50);
  expect(sent).toHaveLength(2);
});

test.each([
  ['a cycle', { cursor: cyclic() }],
  ['a BigInt', { cursor: 1n }],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error('no');
      },
    },
  ],
])('a state that JSON cannot hold is reported and not sent, the last good one stays: %s', (_what, state) => {
  const { time, sent, reported, awareness, sync } = presence();
  sync.joined(ADA);
  awareness.setLocalStateField('cursor', 1);
  time.advance(50);
  const good = sent.at(-1);
  awareness.setLocalState(state);
  time.advance(50);
  expect(reported).toEqual([[expect.any(Error), 'awareness state, not sent']]);
  expect(sent.at(-1)).toEqual(good);
  // After a reconnect the server knows nothing of it.
  sync.left();
  sync.joined(ADA);
  time.advance(50);
  expect(sent.at(-1)).toEqual(good);
  // Under another client id it would be another's.
  const before = sent.length;
  sync.rename(42);
  time.advance(50);
  expect(sent).toHaveLength(before);
  awareness.setLocalState({ cursor: 2 });
  time.advance(50);
  expect(new TextDecoder().decode(sent.at(-1))).toContain('"cursor":2');
});

function cyclic(): object {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  return cycle;
}

test('nobody tells us our own state, and everyone else vanishes with the connection', () => {
  const { awareness, sync } = presence();
  sync.joined(ADA);
  sync.receive(stateOf(7, 5, { cursor: 1 }));
  sync.receive(stateOf(awareness.clientID, 99, { cursor: 'forged' }));
  expect(awareness.getStates().get(7)).toEqual({ cursor: 1 });
  expect(awareness.getLocalState()).not.toHaveProperty('cursor');
  sync.left();
  expect([...awareness.getStates().keys()]).toEqual([awareness.clientID]);
  // A clock below the one seen before counts again.
  sync.joined(ADA);
  sync.receive(stateOf(7, 1, { cursor: 2 }));
  expect(awareness.getStates().get(7)).toEqual({ cursor: 2 });
  expect(withoutClient(stateOf(7, 1, {}), 7)).toEqual(new Uint8Array([0]));
});

test('what others show after we have left their room is not taken: it would stay as a ghost', () => {
  const { awareness, sync } = presence();
  sync.receive(stateOf(7, 1, { cursor: 1 }));
  sync.joined(ADA);
  sync.left();
  sync.receive(stateOf(7, 5, { cursor: 1 }));
  expect([...awareness.getStates().keys()]).toEqual([awareness.clientID]);
});

test('after a reconnect our state is said again, though it is the same', () => {
  const { time, sent, awareness, sync } = presence();
  sync.joined(ADA);
  awareness.setLocalStateField('cursor', 1);
  time.advance(50);
  sync.left();
  sync.joined(ADA);
  time.advance(50);
  expect(sent).toHaveLength(2);
  expect(new TextDecoder().decode(sent[1])).toContain('"cursor":1');
});

test('the people of a document stand in the order of their client ids, whoever came first', () => {
  const { awareness, sync } = presence();
  sync.joined(ADA);
  for (const id of [9, 3, 2 ** 32, 5]) sync.receive(stateOf(id, 1, { cursor: 1 }));
  const others = watchedPeople(awareness)
    .get()
    .flatMap(({ clientId, isSelf }) => (isSelf ? [] : [clientId]));
  expect(others).toEqual([3, 5, 9, 2 ** 32]);
});

test('whoever sits still stays: there is no timeout on this side', () => {
  vi.useFakeTimers();
  try {
    const { awareness, sync, sent } = presence();
    sync.joined(ADA);
    sync.receive(stateOf(7, 5, { cursor: 1 }));
    awareness.meta.set(7, { clock: 5, lastUpdated: 0 });
    vi.advanceTimersByTime(120_000);
    expect(awareness.getStates().has(7)).toBe(true);
    expect(sent).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test('a changed client id takes the state along', () => {
  const { awareness, sync } = presence();
  awareness.setLocalStateField('cursor', 3);
  const before = awareness.clientID;
  sync.rename(42);
  expect(awareness.clientID).toBe(42);
  expect(awareness.getLocalState()).toMatchObject({ cursor: 3 });
  expect(awareness.getStates().has(before)).toBe(false);
});

test('a large update goes in parts that make it up again, as the line takes them', () => {
  const update = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256);
  const parts = framesOf({ type: 'update', counter: 3, full: true, update }, 164);
  expect(parts).toHaveLength(10);
  const time = new SimulatedTime();
  const sent: Uint8Array[] = [];
  let backlog = 0;
  const upload = new Upload({
    send(frame) {
      sent.push(frame);
      backlog += 100_000;
    },
    backlogBytes: () => backlog,
    frameBytes: () => 164,
    env: { after: (ms, task) => time.after(ms, task) },
  });
  upload.push({ type: 'update', counter: 3, full: true, update });
  expect(sent).toHaveLength(3);
  time.advance(1_000);
  expect(sent).toHaveLength(3);
  while (sent.length < 10) {
    backlog = 0;
    time.advance(25);
  }
  const frames = sent.map((frame) => decodeClientFrame(frame));
  expect(frames.map((frame) => frame.type === 'part' && [frame.counter, frame.full, frame.index, frame.count])).toEqual(
    Array.from({ length: 10 }, (_, index) => [3, true, index, 10]),
  );
  expect(Buffer.concat(frames.map((frame) => (frame.type === 'part' ? frame.bytes : new Uint8Array())))).toEqual(
    Buffer.from(update),
  );
});

test('what waited for the line is forgotten with the connection, and does not go with the next one', () => {
  const time = new SimulatedTime();
  const sent: number[] = [];
  let backlog = Number.POSITIVE_INFINITY;
  const upload = new Upload({
    send(bytes) {
      const frame = decodeClientFrame(bytes);
      if (frame.type === 'update') sent.push(frame.counter);
    },
    backlogBytes: () => backlog,
    frameBytes: () => 1_000,
    env: { after: (ms, task) => time.after(ms, task) },
  });
  const push = (counter: number) => upload.push({ type: 'update', counter, full: false, update: new Uint8Array(2) });
  push(1);
  upload.clear();
  backlog = 0;
  time.advance(1_000);
  push(2);
  expect(sent).toEqual([2]);
});

test('who watches the people of a document and goes leaves no listener behind', async () => {
  const { awareness } = presence();
  const listeners = () => [...awareness._observers.values()].reduce((sum, { size }) => sum + size, 0);
  const before = listeners();
  const people = watchedPeople(awareness);
  const stops = [people.subscribe(() => {}), people.subscribe(() => {})];
  expect(listeners()).toBe(before + 1);
  for (const stop of stops) stop();
  await vi.waitFor(() => expect(listeners()).toBe(before));
});

test('[4] one’s own user is the token’s in the own page as well, also where a caret extension mounts after the join and writes what it was given', () => {
  const { time, sent, awareness, sync } = presence();
  sync.joined(ADA);
  time.advance(50);
  awareness.setLocalStateField('user', { name: '', color: '#888888' });
  expect(watchedPeople(awareness).get()).toMatchObject([{ user: ADA, isSelf: true }]);
  time.advance(50);
  expect(new TextDecoder().decode(sent[1])).toContain('"name":"Ada"');
  // Who hides stays hidden.
  awareness.setLocalState(null);
  expect(awareness.getLocalState()).toBeNull();
  sync.left();
  awareness.setLocalState({ user: { name: 'nobody' } });
  expect(awareness.getLocalState()).toEqual({ user: { name: 'nobody' } });
});
