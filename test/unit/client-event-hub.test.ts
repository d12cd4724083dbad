import { expect, test } from 'vitest';
import type { ClientEvent } from '../../client/check-input.ts';
import type { ConnectorEvents } from '../../client/connector.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { EventHub } from '../../client/event-hub.ts';
import { latestValue } from '../../client/latest-value.ts';
import { writable } from '../../client/readable.ts';
import { newCursor, type RoomCursor, startFrom } from '../../client/room-cursor.ts';
import { CATALOG_FACTS, MAX_DEPTH, MAX_ID, MAX_TEXT } from '../../shared/catalog-facts.ts';
import { collectByName } from '../../shared/define-event.ts';

const GAUGE: ClientEvent = {
  name: 'gauge:set',
  room: ['hall', 'cellar'],
  sentBy: ['backend', 'client'],
  delivery: { class: 'state', key: ({ id }) => id },
};
const LAMP: ClientEvent = { ...GAUGE, name: 'lamp:set' };
const ASK: ClientEvent = { name: 'gauge:ask', room: ['hall', 'cellar'], sentBy: ['client'], delivery: { class: 'request' } };
const WAVE: ClientEvent = { name: 'wave', room: ['hall', 'cellar'], sentBy: ['client'], delivery: { class: 'ephemeral' } };

/** A hub on a connection that a test moves by hand, in rooms that are joined. */
function createHub(names: readonly string[] = ['hall', 'cellar']) {
  const catalog = collectByName<ClientEvent>(CATALOG_FACTS, [GAUGE, LAMP, ASK, WAVE]);
  const cursors = new Map<string, RoomCursor>(names.map((name) => [name, newCursor()]));
  const reported: unknown[] = [];
  const sent: unknown[][] = [];
  const answers: (() => void)[] = [];
  let part: Partial<ConnectorEvents> = {};
  let joined = true;
  const connector = {
    attach: (attached: Partial<ConnectorEvents>) => {
      part = attached;
    },
    send: (event: string, args: readonly unknown[]) => sent.push([event, ...args]),
  };
  const rooms = {
    cursor: (room: string) => {
      const cursor = cursors.get(room);
      return cursor === undefined ? undefined : { cursor, joined };
    },
    cursors: () => cursors.values(),
    join: () => new Promise(() => {}),
    leave: () => {},
  };
  const requests = { ask: () => new Promise((resolve) => answers.push(() => resolve({}))) };
  const report = (error: unknown) => void reported.push(error);
  const hub = new EventHub(catalog, connector as never, rooms as never, requests as never, platformEnvironment(), report);
  const tell = (event: string, payload: unknown, meta: object) => part.message?.(event, [payload, meta]);
  return {
    hub,
    reported,
    sent,
    answers,
    tell,
    setGauge: (room: string, id: string, value: number, rev: number, event = 'gauge:set') =>
      tell(event, { id, value }, { room, epoch: 'e', rev, at: 0 }),
    latest: (key: string, room: string) =>
      latestValue({ catalog, rooms: rooms as never, hub, user: writable(null, report), report }, 'gauge:set', key, room),
    /** The join of all rooms is under way, or was answered. */
    join(answered: boolean) {
      joined = answered;
      if (answered) for (const cursor of cursors.values()) startFrom(cursor, { epoch: 'e', seq: 0 });
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a listener of a state event can be removed by itself, also before the present values came', async () => {
  const { hub, setGauge } = createHub();
  setGauge('hall', 'a', 1, 1);
  const heard: unknown[] = [];
  const listener = (payload: unknown) => heard.push(payload);
  hub.on('gauge:set', listener);
  hub.off('gauge:set', listener);
  await settle();
  setGauge('hall', 'a', 2, 2);
  expect(heard).toEqual([]);
  hub.on('gauge:set', listener);
  await settle();
  expect(heard).toEqual([{ id: 'a', value: 2 }]);
  hub.off('gauge:set', listener);
  setGauge('hall', 'a', 3, 3);
  expect(heard).toEqual([{ id: 'a', value: 2 }]);
});

test('two state events of one room with the same key stand beside each other', async () => {
  const { hub, setGauge } = createHub();
  const heard: string[] = [];
  setGauge('hall', 'a', 1, 5, 'gauge:set');
  setGauge('hall', 'a', 2, 4, 'lamp:set');
  hub.on('gauge:set', () => heard.push('gauge'));
  hub.on('lamp:set', () => heard.push('lamp'));
  await settle();
  expect(heard).toEqual(['gauge', 'lamp']);
});

test('what answers a request is heard once more for each value, not each time it comes', async () => {
  const { hub, setGauge, answers } = createHub();
  let heard = 0;
  hub.on('gauge:set', () => heard++);
  await settle();
  setGauge('cellar', 'a', 1, 1);
  expect(heard).toBe(1);
  // The room does not follow from the payload: it is the one that was given.
  void hub.emit('gauge:ask', {}, { room: 'cellar' });
  setGauge('cellar', 'a', 1, 1);
  setGauge('cellar', 'a', 1, 1);
  expect(heard).toBe(2);
  answers[0]?.();
});

test('an answer that comes after a reconnect is heard all the same', async () => {
  const { hub, setGauge, join } = createHub();
  let heard = 0;
  hub.on('gauge:set', () => heard++);
  await settle();
  setGauge('hall', 'a', 1, 1);
  void hub.emit('gauge:ask', {}, { room: 'hall' });
  join(false);
  join(true);
  setGauge('hall', 'a', 1, 1);
  expect(heard).toBe(2);
});

test('ids, texts and trees as large as the server takes are sent, and refused one step beyond', async () => {
  const { hub } = createHub();
  const nested = (levels: number): unknown => (levels === 0 ? 'leaf' : [nested(levels - 1)]);
  const fits = async (name: string, data: unknown): Promise<boolean> => {
    const refused = hub.emit(name, data).then(
      () => false,
      ({ code }) => code === 'invalid-payload',
    );
    return !(await Promise.race([refused, settle().then(() => false)]));
  };
  const message = (id: number, text: number) => ({ sessionId: 's'.repeat(id), content: 'x'.repeat(text) });
  expect(await fits('chat:message', message(MAX_ID, MAX_TEXT))).toBe(true);
  expect(await fits('chat:message', message(MAX_ID + 1, 1))).toBe(false);
  expect(await fits('chat:message', message(1, MAX_TEXT + 1))).toBe(false);
  expect(await fits('wave', nested(MAX_DEPTH))).toBe(true);
  expect(await fits('wave', nested(MAX_DEPTH + 1))).toBe(false);
});

test('[2] what a room tells while it is joined is left to the join, which brings it in its place', () => {
  const { hub, tell, join } = createHub(['catalog']);
  const heard: unknown[] = [];
  hub.on('catalog:updated', (_payload, meta) => heard.push((meta as { seq: number }).seq));
  const change = (seq: number) => tell('catalog:updated', {}, { room: 'catalog', epoch: 'e', seq, at: 0 });
  join(false);
  change(3);
  join(true);
  for (const seq of [1, 2, 3]) change(seq);
  expect(heard).toEqual([1, 2, 3]);
});

test('an ephemeral event goes to the room that was given', async () => {
  const { hub, sent } = createHub();
  await hub.emit('wave', {}, { room: 'cellar' });
  expect(sent).toEqual([['wave', {}, { room: 'cellar' }]]);
});

test('what came too often and asked for no answer is nobody’s error unless somebody listens for those', () => {
  const { hub, reported, tell } = createHub();
  tell('error', { code: 'rate-limited', message: 'Rate limit exceeded' }, {});
  expect(reported).toEqual([]);
  tell('error', { code: 'access-denied', message: 'Access denied' }, {});
  expect(reported).toMatchObject([{ code: 'access-denied' }]);
  const heard: unknown[] = [];
  hub.on('error', (error) => heard.push(error));
  tell('error', { code: 'rate-limited', message: 'Rate limit exceeded' }, {});
  expect(heard).toMatchObject([{ code: 'rate-limited' }]);
  expect(reported).toHaveLength(1);
});

test('the latest value is that of its room and key, from the first on', async () => {
  const { setGauge, latest } = createHub();
  setGauge('hall', 'b', 9, 1);
  setGauge('cellar', 'a', 8, 1);
  const value = latest('a', 'hall');
  expect(value.get()).toBeUndefined();
  const stop = value.subscribe(() => {});
  await settle();
  expect(value.get()).toBeUndefined();
  setGauge('hall', 'a', 1, 2);
  setGauge('cellar', 'a', 2, 2);
  setGauge('hall', 'b', 3, 3);
  expect(value.get()).toEqual({ id: 'a', value: 1 });
  expect(latest('a', 'hall').get()).toEqual({ id: 'a', value: 1 });
  stop();
});
