import { expect, test } from 'vitest';
import type { AnswerListener, Connector, ConnectorEvents } from '../../client/connector.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { Requests } from '../../client/requests.ts';
import { admitEvent, newCursor, startFrom } from '../../client/room-cursor.ts';
import { createCatalog } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

function connection() {
  const time = new SimulatedTime();
  const parts: ConnectorEvents[] = [];
  const sent: { event: string; args: readonly unknown[]; answer: AnswerListener }[] = [];
  const connector = {
    attach: (part: ConnectorEvents) => parts.push(part),
    mustLive: () => {},
    request: (event: string, args: readonly unknown[], answer: AnswerListener) => sent.push({ event, args, answer }),
  } as unknown as Connector;
  const env = { ...platformEnvironment(), now: () => time.now, after: (ms: number, task: () => void) => time.after(ms, task) };
  const requests = new Requests(connector, env, { maxPending: 3, maxAgeMs: 60_000 });
  const session = { user: { id: 'ada', name: 'ada', color: '#000000', roles: [], permissions: [] }, protocol: 1, expiresAt: 0 };
  const limits = { frameBytes: 1_000, updateBytes: 1_000, rooms: 10 };
  return {
    time,
    sent,
    requests,
    up() {
      for (const part of parts) part.up({ ...session, limits });
    },
    down() {
      for (const part of parts) part.down();
    },
  };
}

test('what has no answer is sent again with the next connection, unchanged and in order', async () => {
  const { requests, sent, up, down } = connection();
  const first = requests.ask('chat:message', [{ content: 'a' }, { id: '1' }]);
  expect(sent).toEqual([]);
  up();
  const second = requests.ask('chat:message', [{ content: 'b' }, { id: '2' }]);
  expect(sent).toHaveLength(2);
  down();
  for (const { answer } of sent) answer(new AshlarError('not-connected'), undefined);
  up();
  expect(sent.slice(2).map(({ args }) => args)).toEqual(sent.slice(0, 2).map(({ args }) => args));
  sent[2]!.answer(null, { success: true });
  sent[3]!.answer(new AshlarError('rate-limited'), undefined);
  await first;
  await expect(second).rejects.toMatchObject({ code: 'rate-limited' });
  expect(requests.pending.get()).toBe(0);
});

test('what a server that restarts does not take any more goes to the next one', async () => {
  const { requests, sent, up, down } = connection();
  up();
  const asked = requests.ask('chat:message', [{ content: 'a' }, { id: '1' }]);
  sent[0]!.answer(new AshlarError('server-closing'), undefined);
  expect([sent.length, requests.pending.get()]).toEqual([1, 1]);
  down();
  up();
  expect(sent[1]?.args).toEqual(sent[0]?.args);
  sent[1]!.answer(null, { success: true });
  await expect(asked).resolves.toEqual({ success: true });
});

test('the wait is bounded by count and by age, and says so', async () => {
  const { requests, time } = connection();
  const waiting = [1, 2, 3].map((index) => requests.ask('x', [index]));
  await expect(requests.ask('x', [4])).rejects.toMatchObject({ code: 'queue-full' });
  time.advance(60_000);
  for (const promise of waiting) await expect(promise).rejects.toMatchObject({ code: 'timeout' });
  const late = requests.ask('x', [5]);
  requests.close();
  await expect(late).rejects.toMatchObject({ code: 'client-closed' });
});

test('what was answered, or refused, holds no timer any more', async () => {
  const { requests, sent, time, up } = connection();
  up();
  const asked = [1, 2].map((index) => requests.ask('x', [index]));
  expect(time.armed).toBe(2);
  sent[0]!.answer(null, { success: true });
  sent[1]!.answer(new AshlarError('access-denied'), undefined);
  await Promise.allSettled(asked);
  expect(time.armed).toBe(0);
});

const catalog = createCatalog();
const chat = catalog.get('chat:message')!;
const dashboard = catalog.get('dashboard:update')!;

test('[2] a log event is news once, counted by its own seq, and the position follows what the server says', () => {
  const cursor = newCursor();
  startFrom(cursor, { epoch: 'a', seq: 4 });
  const at = (seq: number, epoch = 'a', position?: { epoch: string; seq: number }) =>
    admitEvent(cursor, chat, {}, { room: 'chat:1', at: 0, seq, epoch, ...(position === undefined ? {} : { position }) });
  expect([at(5), at(5), at(4), at(6)]).toEqual([true, false, false, true]);
  // Records that are not sent lie in between: the position is ahead of the event, and later events are news all the same.
  expect(at(7, 'a', { epoch: 'a', seq: 20 })).toBe(true);
  expect(cursor.position).toEqual({ epoch: 'a', seq: 20 });
  expect(at(9)).toBe(true);
  expect(cursor.position).toEqual({ epoch: 'a', seq: 20 });
  // The log goes on under the next process's epoch.
  expect(at(21, 'b')).toBe(true);
  expect(cursor.position).toEqual({ epoch: 'b', seq: 21 });
  // It went back: the join says where to start, and the same numbers are news again.
  startFrom(cursor, { epoch: 'c', seq: 2 });
  expect(at(3, 'c')).toBe(true);
});

test('of a state value only what is newer within its epoch is news, key by key', () => {
  const cursor = newCursor();
  const at = (widgetId: string, rev: number, epoch = 'a') =>
    admitEvent(cursor, dashboard, { widgetId, value: rev }, { room: 'dashboard', at: 0, rev, epoch });
  expect([at('x', 2), at('x', 1), at('x', 2), at('y', 1), at('x', 3)]).toEqual([true, false, false, true, true]);
  expect(at('x', 1, 'b')).toBe(true);
  expect([...cursor.values.values()].map(({ payload }) => payload)).toEqual([
    { widgetId: 'x', value: 1 },
    { widgetId: 'y', value: 1 },
  ]);
});
