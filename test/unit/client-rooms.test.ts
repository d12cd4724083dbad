import { expect, test } from 'vitest';
import type { AnswerListener, ConnectorEvents } from '../../client/connector.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { Rooms } from '../../client/rooms.ts';
import { AshlarError } from '../../shared/errors.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

/** Rooms on a connection that a test moves by hand. */
function createRooms(random = 0.5) {
  const time = new SimulatedTime();
  let part: Partial<ConnectorEvents> = {};
  const joins: { room: unknown; answer: AnswerListener }[] = [];
  const left: unknown[] = [];
  const connector = {
    attach: (attached: Partial<ConnectorEvents>) => {
      part = attached;
    },
    mustLive: () => {},
    missed: () => {},
    send: (_event: string, [room]: readonly unknown[]) => left.push(room),
    request: (_event: string, [room]: readonly unknown[], answer: AnswerListener) => joins.push({ room, answer }),
  };
  const env = { ...platformEnvironment(), now: () => time.now, random: () => random, after: time.after.bind(time) };
  const rooms = new Rooms(connector as never, env, (error) => {
    throw error;
  });
  const joinsOf = (room: string) => joins.filter((join) => join.room === room);
  return {
    time,
    rooms,
    left,
    joinsOf,
    up: (userId = 'ada') => part.up?.({ user: { id: userId } } as never),
    down: () => part.down?.(),
    tellAccess: (room: string, access: string) => part.message?.('room:access', [{ room, access }]),
    /** Answers the newest join of a room. */
    answer(room: string, error: AshlarError | null = null) {
      const answer = { room, access: 'write', recovered: true, epoch: 'e', seq: 1 };
      joinsOf(room)
        .at(-1)
        ?.answer(error, error === null ? answer : undefined);
    },
  };
}

test('a room that is left twice and joined again meanwhile stays joined', () => {
  const { rooms, time, left, joinsOf, up, answer } = createRooms();
  up();
  void rooms.join('plan');
  rooms.leave('plan');
  time.advance(100);
  void rooms.join('plan');
  rooms.leave('plan');
  time.advance(200);
  expect(left).toEqual(['plan']);
  void rooms.join('plan');
  answer('plan');
  // The second leave is due now, and means the room as it was.
  time.advance(1_000);
  expect(rooms.status('plan').get()).toMatchObject({ state: 'joined' });
  expect([left, joinsOf('plan').length]).toEqual([['plan'], 2]);
});

test('a room that is asked for again within the grace is not left, and not joined a second time', () => {
  const { rooms, time, left, joinsOf, up, answer } = createRooms();
  up();
  void rooms.join('plan');
  answer('plan');
  rooms.leave('plan');
  time.advance(249);
  void rooms.join('plan');
  time.advance(1_000);
  expect([left, joinsOf('plan').length, rooms.status('plan').get().state]).toEqual([[], 1, 'joined']);
  rooms.leave('plan');
  time.advance(250);
  expect([left, rooms.status('plan').get().state]).toEqual([['plan'], 'left']);
});

test('a join that is to be tried later is not, once the room is left', () => {
  const { rooms, time, joinsOf, up, answer } = createRooms();
  up();
  void rooms.join('plan');
  answer('plan', new AshlarError('rate-limited', { retryAfterMs: 5_000 }));
  rooms.leave('plan');
  time.advance(60_000);
  expect([joinsOf('plan').length, rooms.status('plan').get()]).toEqual([1, { state: 'left' }]);
});

test('a refused join is tried again after what the server asked for, not before', () => {
  const { rooms, time, joinsOf, up, answer } = createRooms();
  up();
  void rooms.join('plan');
  answer('plan', new AshlarError('rate-limited', { retryAfterMs: 60_000 }));
  time.advance(59_999);
  expect(joinsOf('plan')).toHaveLength(1);
  time.advance(30_001);
  expect(joinsOf('plan')).toHaveLength(2);
});

test('a join that is to be tried later waits for the connection where that is lost meanwhile', () => {
  const { rooms, time, joinsOf, up, down, answer } = createRooms();
  up();
  void rooms.join('plan');
  answer('plan', new AshlarError('rate-limited', { retryAfterMs: 5_000 }));
  down();
  time.advance(60_000);
  expect(joinsOf('plan'), 'none that nobody would answer').toHaveLength(1);
  up();
  expect(joinsOf('plan')).toHaveLength(2);
  answer('plan');
  expect(rooms.status('plan').get()).toMatchObject({ state: 'joined' });
});

test('joins that fail wait longer each time, and one that succeeded forgets that', () => {
  const { rooms, time, joinsOf, up, down, answer } = createRooms(0.999);
  const failOnce = (): number => {
    const from = time.now;
    const sent = joinsOf('plan').length;
    answer('plan', new AshlarError('storage-unavailable'));
    while (joinsOf('plan').length === sent && time.now - from < 60_000) time.advance(100);
    return time.now - from;
  };
  up();
  void rooms.join('plan');
  expect([failOnce(), failOnce(), failOnce()]).toEqual([1_000, 2_000, 4_000]);
  answer('plan');
  down();
  up();
  expect(failOnce()).toBe(1_000);
});

test('with another user the client is in that user’s own room, and in the former one’s no longer', () => {
  const { rooms, joinsOf, up, down, answer } = createRooms();
  up('ada');
  answer('user:ada');
  down();
  up('bob');
  answer('user:bob');
  expect([joinsOf('user:ada').length, joinsOf('user:bob').length]).toEqual([1, 1]);
  expect([rooms.status('user:ada').get().state, rooms.status('user:bob').get().state]).toEqual(['left', 'joined']);
});

test('whoever asks for a room that is joined already is told the access of now', async () => {
  const { rooms, up, answer, tellAccess } = createRooms();
  up();
  const first = rooms.join('plan');
  answer('plan');
  await expect(first).resolves.toMatchObject({ access: 'write' });
  tellAccess('plan', 'read');
  await expect(rooms.join('plan')).resolves.toMatchObject({ access: 'read' });
});
