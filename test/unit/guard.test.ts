import { beforeEach, expect, test, vi } from 'vitest';
import { Guard, type Handler, type Rule } from '../../server/guard/guard.ts';
import type { Connection } from '../../server/rooms/connection.ts';
import type { Access } from '../../shared/access.ts';
import { AshlarError, type WireError } from '../../shared/errors.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { type FakeConnectionOptions, fakeConnection } from '../support/fake-connection.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

type Answer = { success: boolean; error?: WireError };

let clock: ManualClock;
let guard: Guard;
/** Messages that reached the handler, by payload. */
let handled: unknown[];

const rule: Rule<string> = {
  name: 'note:add',
  budget: 'events',
  needs: 'write',
  glance: ([room, payload]) => ({ room, payload }),
  parse: (payload) => {
    if (typeof payload !== 'string') throw new AshlarError('invalid-payload');
    return payload.trim();
  },
};

beforeEach(() => {
  clock = createManualClock();
  guard = new Guard({ clock, log: { warn: () => {}, error: () => {} } });
  handled = [];
});

function register(handler: Handler<string> = () => undefined, changes: Partial<Rule<string>> = {}): void {
  guard.handle({ ...rule, ...changes }, (message) => {
    handled.push(message.payload);
    return handler(message);
  });
}

function connect(options: Partial<FakeConnectionOptions> = {}): Connection & { outbox: { taken: unknown[][] } } {
  return fakeConnection({ clock, ...options });
}

function send(connection: Connection, ...packet: unknown[]): Promise<Answer> {
  return new Promise((resolve) => guard.receive(connection, [...packet, resolve]));
}

const add = (connection: Connection, room: string, note: unknown) => send(connection, 'note:add', room, note);

test('a wall clock that jumps by an hour logs nobody out, and lets nobody stay longer', async () => {
  register();
  const connection = connect({ expiresAt: clock.now() + 1_800_000 });
  clock.jump(3_600_000);
  expect((await add(connection, 'a', 'x')).success).toBe(true);
  clock.jump(-7_200_000);
  clock.advance(1_799_999);
  expect((await add(connection, 'a', 'x')).success).toBe(true);
  clock.advance(1);
  expect((await add(connection, 'a', 'x')).error?.code).toBe('token-expired');
});

test('[3] a message that passes every step reaches its handler, checked and parsed', async () => {
  register(({ user, room, access, payload }) => ({ answer: { by: user.id, room, access, payload } }));
  expect(await add(connect(), 'a', ' hello ')).toEqual({
    success: true,
    by: 'ada',
    room: 'a',
    access: 'write',
    payload: 'hello',
  });
});

test('[3] a message that nobody registered is refused, and charged', async () => {
  const connection = connect({ limits: { joinsPerMinute: 2 } });
  expect(await send(connection, 'note:remove', 'a')).toMatchObject({ error: { code: 'unknown-message' } });
  expect(await send(connection, 7, 'a')).toMatchObject({ error: { code: 'unknown-message' } });
  expect(await send(connection, 'note:remove', 'a')).toMatchObject({ error: { code: 'rate-limited' } });
});

test('[3] two handlers of one message are a mistake', () => {
  register();
  expect(() => register()).toThrow(/two handlers/);
});

test('[3] an ended token and a closed connection end at the guard', async () => {
  register();
  const connection = connect({ expiresAt: clock.now() + 1_000 });
  clock.advance(999);
  expect(await add(connection, 'a', 'in time')).toMatchObject({ success: true });
  clock.advance(1);
  expect(await add(connection, 'a', 'too late')).toMatchObject({ error: { code: 'token-expired' } });
  const gone = connect();
  gone.closed = true;
  expect(await add(gone, 'a', 'from nowhere')).toMatchObject({ error: { code: 'not-connected' } });
  expect(handled).toEqual(['in time']);
});

test('[3] a message whose socket goes while its access is decided is not handled', async () => {
  register();
  const connection = connect();
  const answer = add(connection, 'a', 'from nowhere');
  connection.closed = true;
  expect(await answer).toMatchObject({ error: { code: 'not-connected' } });
  expect(handled).toEqual([]);
});

test('[3] a message over its budget is not handled, and says when to come back', async () => {
  register();
  const connection = connect({ limits: { eventsPerMinute: 2 } });
  for (const note of ['one', 'two']) await add(connection, 'a', note);
  expect(await add(connection, 'a', 'three')).toMatchObject({
    error: { code: 'rate-limited', message: 'Rate limit exceeded', retryAfterMs: 30_000, room: 'a' },
  });
  clock.advance(30_000);
  expect(await add(connection, 'a', 'three')).toMatchObject({ success: true });
  expect(handled).toEqual(['one', 'two', 'three']);
});

test('[3] a flood never reaches the product’s callback, nor the schema', async () => {
  const decide = vi.fn((): Access => 'none');
  const parse = vi.fn(rule.parse);
  register(undefined, { parse });
  const connection = connect({ decide, limits: { eventsPerMinute: 3 } });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => add(connection, `room-${index}`, 'flood')));
  expect(decide).toHaveBeenCalledTimes(3);
  expect(answers.map(({ error }) => error?.code)).toEqual([
    ...Array.from({ length: 3 }, () => 'access-denied'),
    ...Array.from({ length: 47 }, () => 'rate-limited'),
  ]);
  expect(parse).not.toHaveBeenCalled();
});

test.each<[Access, boolean]>([
  ['none', false],
  ['read', false],
  ['write', true],
  ['admin', true],
])('[3] a handler that needs write is for write and admin: not asked twice, decided or cached (%s)', async (access, allowed) => {
  register();
  const connection = connect({ decide: () => access });
  for (const note of ['first', 'cached']) {
    const answer = await add(connection, 'a', note);
    expect(answer.error?.code).toBe(allowed ? undefined : 'access-denied');
  }
  expect(handled).toEqual(allowed ? ['first', 'cached'] : []);
});

test('[3] a payload is validated behind authorization, and a wrong one is not handled', async () => {
  register();
  expect(await add(connect({ decide: () => 'read' }), 'a', 7)).toMatchObject({ error: { code: 'access-denied' } });
  expect(await add(connect(), 'a', 7)).toMatchObject({ error: { code: 'invalid-payload' } });
  expect(handled).toEqual([]);
});

test('[3] a room that is no room name ends before anything is charged or asked', async () => {
  const decide = vi.fn((): Access => 'write');
  register();
  const connection = connect({ decide, limits: { eventsPerMinute: 1 } });
  for (const room of ['', 'a..b', '__proto__', 7, undefined]) {
    expect(await add(connection, room as string, 'x')).toMatchObject({ error: { code: 'invalid-room' } });
  }
  expect(decide).not.toHaveBeenCalled();
  expect(await add(connection, 'a', 'x')).toMatchObject({ success: true });
});

test('[3] each join is decided anew, past the cache', async () => {
  let access: Access = 'write';
  register(undefined, { joins: true, needs: 'read' });
  const connection = connect({ decide: () => access });
  expect(await add(connection, 'a', 'first')).toMatchObject({ success: true });
  access = 'none';
  expect(await add(connection, 'a', 'second')).toMatchObject({ error: { code: 'access-denied' } });
  expect(handled).toEqual(['first']);
});

test('[3] what follows a join waits for it, and is handled in its order', async () => {
  let joined = () => {};
  guard.handle({ ...rule, name: 'enter', joins: true }, async () => {
    await new Promise<void>((resolve) => {
      joined = resolve;
    });
    handled.push('entered');
    return {};
  });
  register();
  const connection = connect();
  await connection.access.decide(parseRoomName('a'));
  const answers = [send(connection, 'enter', 'a', ''), add(connection, 'a', 'one'), add(connection, 'a', 'two')];
  expect(await add(connection, 'b', 'elsewhere')).toMatchObject({ success: true });
  await vi.waitFor(() => expect(connection.joining.size).toBe(1));
  expect(handled).toEqual(['elsewhere']);
  await vi.waitFor(() => {
    joined();
    expect(handled).toContain('entered');
  });
  await Promise.all(answers);
  expect(handled).toEqual(['elsewhere', 'entered', 'one', 'two']);
});

test('what follows a join stays before a second join, and before what follows that', async () => {
  guard.handle(
    { ...rule, name: 'join', budget: null, needs: 'read', joins: true, parse: (payload) => payload },
    ({ payload }) => {
      handled.push(payload);
      return undefined;
    },
  );
  register();
  const connection = connect();
  await Promise.all([
    send(connection, 'join', 'a', 'join 1'),
    add(connection, 'a', 'first'),
    send(connection, 'join', 'a', 'join 2'),
    add(connection, 'a', 'second'),
    add(connection, 'a', 'third'),
  ]);
  expect(handled).toEqual(['join 1', 'first', 'join 2', 'second', 'third']);
});

test('a join that is done takes no later one off the line: what was sent behind that waits for it', async () => {
  const joins: (() => void)[] = [];
  guard.handle(
    { ...rule, name: 'join', budget: null, needs: 'read', joins: true, parse: (payload) => payload },
    async ({ payload }) => {
      await new Promise<void>((resolve) => joins.push(resolve));
      handled.push(payload);
      return {};
    },
  );
  register();
  const connection = connect();
  await connection.access.decide(parseRoomName('a'));
  const first = send(connection, 'join', 'a', 'join 1');
  const second = send(connection, 'join', 'a', 'join 2');
  await vi.waitFor(() => expect(joins).toHaveLength(1));
  joins[0]?.();
  await first;
  await vi.waitFor(() => expect(joins).toHaveLength(2));
  const behind = add(connection, 'a', 'behind both');
  joins[1]?.();
  await Promise.all([second, behind]);
  expect(handled).toEqual(['join 1', 'join 2', 'behind both']);
});

test('[5] whatever a handler throws is an answer, tells nothing of the inside, and stops nobody', async () => {
  guard.handle({ ...rule, name: 'throws' }, () => {
    throw new TypeError('a secret of the inside');
  });
  guard.handle({ ...rule, name: 'rejects' }, async () => {
    throw new TypeError('a secret of the inside');
  });
  guard.handle({ ...rule, name: 'breaks' }, () => {
    throw new AshlarError('internal', { detail: 'broken invariant: a secret of the inside' });
  });
  const connection = connect();
  // Decided, so that the handler runs in the very turn of the message.
  await connection.access.decide(parseRoomName('a'));
  const wire = { code: 'internal', message: 'Internal error', room: 'a' };
  for (const name of ['throws', 'rejects', 'breaks']) {
    expect(() => guard.receive(connection, [name, 'a', 'x'])).not.toThrow();
    expect(await send(connection, name, 'a', 'x')).toEqual({ success: false, error: wire });
  }
  expect(connection.outbox.taken).toEqual(Array(3).fill(['error', wire]));
});

test('[5] arguments of any kind are refused by code', async () => {
  register();
  const connection = connect();
  for (const args of [[], [null], [{}], [['a']], [{ toString: 7 }], [Symbol.iterator]]) {
    expect((await send(connection, 'note:add', ...args)).error?.code).toBe('invalid-room');
  }
  expect(() => guard.receive(connection, [])).not.toThrow();
});
