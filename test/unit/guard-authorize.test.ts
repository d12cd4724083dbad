import { describe, expect, test, vi } from 'vitest';
import { type AuthorizerOptions, createAccessCache, createAuthorizer } from '../../server/guard/authorize.ts';
import type { Authorize } from '../../server/options.ts';
import type { Access, AccessClaim } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import { createManualClock } from '../support/manual-clock.ts';

const DASHBOARD = parseRoomName('dashboard');
const HANDBOOK = parseRoomName('doc:handbook');

function userWith(access?: AccessClaim, id = 'anna'): User {
  return { id, name: id, color: '#123456', roles: [], permissions: [], ...(access === undefined ? {} : { access }) };
}

/** Grants in memory, whose reads and writes the test may hold back or break. */
function createGrantStore() {
  const rows = new Map<string, Access>();
  const held: (() => void)[] = [];
  const store = {
    rows,
    hold: false,
    broken: undefined as AshlarError | undefined,
    reads: 0,
    writes: 0,
    /** Lets everything that waits go on. */
    release(): void {
      store.hold = false;
      for (const go of held.splice(0)) go();
    },
    async readGrant(room: RoomName, userId: string): Promise<Access | null> {
      store.reads++;
      const access = rows.get(`${room} ${userId}`) ?? null;
      await turn();
      return access;
    },
    async writeGrant(room: RoomName, userId: string, access: Access | null): Promise<void> {
      store.writes++;
      await turn();
      if (store.broken !== undefined) throw store.broken;
      if (access === null) rows.delete(`${room} ${userId}`);
      else rows.set(`${room} ${userId}`, access);
    },
  };
  const turn = (): Promise<void> => (store.hold ? new Promise((resolve) => held.push(resolve)) : Promise.resolve());
  return store;
}

function setup(options: Partial<AuthorizerOptions> = {}) {
  const clock = createManualClock();
  const store = createGrantStore();
  const log = { warn: vi.fn() };
  const authorizer = createAuthorizer({ store, defaultAccess: {}, timeoutMs: 5_000, clock, log, ...options });
  return { clock, store, log, authorizer };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    (value) => `no error: ${String(value)}`,
    (error: unknown) => (error instanceof AshlarError ? error.code : `not ours: ${String(error)}`),
  );
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the decision', () => {
  test('asks grant, callback, claim and default in this order, then denies', async () => {
    let answer: Access | undefined = 'admin';
    const { authorizer, store } = setup({ authorize: () => answer, defaultAccess: { dashboard: 'read' } });
    store.rows.set('dashboard anna', 'read');
    const claimed = userWith({ '*': 'write' });
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('read');
    await authorizer.setGrant(DASHBOARD, 'anna', null);
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('admin');
    answer = 'none';
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('none');
    answer = undefined;
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('write');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('read');
    expect(await authorizer.decide(userWith(), HANDBOOK)).toBe('none');
  });

  test('never falls back on the default where the token has a claim', async () => {
    const { authorizer } = setup({ defaultAccess: { '*': 'read' } });
    expect(await authorizer.decide(userWith({}), DASHBOARD)).toBe('none');
    expect(await authorizer.decide(userWith({ 'doc:*': 'write' }), DASHBOARD)).toBe('none');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('read');
  });

  test('takes the pattern with the longest literal prefix', async () => {
    const { authorizer } = setup();
    const user = userWith({ '*': 'admin', 'doc:*': 'read', 'doc:hand*': 'write', 'doc:handbook': 'none' });
    expect(await authorizer.decide(user, HANDBOOK)).toBe('none');
    expect(await authorizer.decide(user, parseRoomName('doc:handy'))).toBe('write');
    expect(await authorizer.decide(user, parseRoomName('doc:other'))).toBe('read');
    expect(await authorizer.decide(user, DASHBOARD)).toBe('admin');
  });

  test('holds for exactly one room and one user, however their names are put together', async () => {
    const { authorizer } = setup();
    await authorizer.setGrant(parseRoomName('a'), 'b:c', 'write');
    expect(await authorizer.decide(userWith(undefined, 'b:c'), parseRoomName('a'))).toBe('write');
    expect(await authorizer.decide(userWith(undefined, 'c'), parseRoomName('a:b'))).toBe('none');
    expect(await authorizer.decide(userWith(undefined, 'b'), parseRoomName('a'))).toBe('none');
  });
});

describe('the room of one user', () => {
  test('is read by its owner and by nobody else, whatever claim, callback, default or grant say', async () => {
    const { authorizer, store } = setup({ authorize: () => 'admin', defaultAccess: { '*': 'admin' } });
    store.rows.set('user:anna bob', 'admin');
    store.rows.set('user:anna anna', 'none');
    const room = parseRoomName('user:anna');
    expect(await authorizer.decide(userWith({ 'user:anna': 'none' }), room)).toBe('read');
    expect(await authorizer.decide(userWith({ '*': 'admin', 'user:*': 'admin', 'user:anna': 'admin' }, 'bob'), room)).toBe(
      'none',
    );
    expect(await authorizer.decide(userWith(undefined, 'ann'), room)).toBe('none');
    expect(await authorizer.decide(userWith(undefined, 'anna2'), room)).toBe('none');
  });

  test('is not given away', async () => {
    const { authorizer, store } = setup();
    expect(await codeOf(authorizer.setGrant(parseRoomName('user:anna'), 'bob', 'read'))).toBe('invalid-room');
    expect(store.rows.size).toBe(0);
  });
});

describe('a callback that', () => {
  const claimed = userWith({ '*': 'admin' });
  const nonsense = (answer: unknown) => (() => answer) as Authorize;

  test.each<[string, Authorize, boolean]>([
    ['throws', nonsense(undefined), true],
    ['rejects', (): Promise<Access> => Promise.reject(new Error('database down')), false],
    ['answers true', nonsense(true), false],
    ['answers null', nonsense(null), false],
    ['answers a level that is none', nonsense('owner'), false],
    ['answers what objects inherit', nonsense('constructor'), false],
  ])('%s means no, with a code of its own', async (_, authorize, throws) => {
    const thrower: Authorize = () => {
      throw new Error('bug');
    };
    const { authorizer, log, clock } = setup({ authorize: throws ? thrower : authorize });
    expect(await codeOf(authorizer.decide(claimed, DASHBOARD))).toBe('access-check-failed');
    expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ userId: 'anna', room: 'dashboard' }), 'authorize:failed');
    expect(clock.armed).toBe(0);
  });

  test('hangs means no after the timeout, and its late answer is ignored', async () => {
    let answer: (access: Access) => void = () => {};
    const { authorizer, clock, log } = setup({ authorize: () => new Promise((resolve) => (answer = resolve)) });
    const code = codeOf(authorizer.decide(claimed, DASHBOARD));
    await clock.advanceAsync(4_999);
    expect(log.warn).not.toHaveBeenCalled();
    await clock.advanceAsync(1);
    expect(await code).toBe('access-check-failed');
    answer('admin');
    await settle();
    expect(clock.armed).toBe(0);
  });

  test('answers in time leaves no timer behind', async () => {
    const { authorizer, clock } = setup({ authorize: async (): Promise<Access> => 'write' });
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('write');
    expect(clock.armed).toBe(0);
  });

  test('is not asked where a grant decides', async () => {
    const authorize = vi.fn(() => 'admin' as const);
    const { authorizer } = setup({ authorize });
    await authorizer.setGrant(DASHBOARD, 'anna', 'read');
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('read');
    expect(authorize).not.toHaveBeenCalled();
  });
});

describe('a stored grant', () => {
  test('that cannot be read is no decision', async () => {
    const { store } = setup();
    const authorizer = createAuthorizer({
      store: { ...store, readGrant: () => Promise.reject(new AshlarError('storage-unavailable')) },
      defaultAccess: { '*': 'admin' },
      timeoutMs: 5_000,
      clock: createManualClock(),
      log: { warn: vi.fn() },
    });
    expect(await codeOf(authorizer.decide(userWith(), DASHBOARD))).toBe('storage-unavailable');
  });

  test('is read once, also where there is none', async () => {
    const { authorizer, store } = setup();
    await Promise.all([authorizer.decide(userWith(), DASHBOARD), authorizer.decide(userWith(), DASHBOARD)]);
    await authorizer.decide(userWith(), DASHBOARD);
    expect(store.reads).toBe(1);
  });

  test('holds when its promise resolves, and not before it is on disk', async () => {
    const { authorizer, store } = setup();
    store.hold = true;
    const granted = authorizer.setGrant(DASHBOARD, 'anna', 'write');
    const before = authorizer.decide(userWith(), DASHBOARD);
    store.release();
    await granted;
    expect(store.rows.get('dashboard anna')).toBe('write');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('write');
    expect(await before).toBe('write'); // It was under way when the grant came true: decided again.
  });

  test('that is being stored gives nothing yet', async () => {
    const { authorizer, store } = setup();
    await authorizer.decide(userWith(), DASHBOARD);
    store.hold = true;
    const granted = authorizer.setGrant(DASHBOARD, 'anna', 'write');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('none');
    store.release();
    await granted;
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('write');
  });

  test('that takes away does so at once, before the store has it', async () => {
    const { authorizer, store } = setup();
    const claimed = userWith({ '*': 'write' });
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('write');
    store.hold = true;
    let resolved = false;
    const revoked = authorizer.setGrant(DASHBOARD, 'anna', 'none').then(() => {
      resolved = true;
    });
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('none');
    expect([resolved, store.rows.size]).toEqual([false, 0]);
    store.release();
    await revoked;
    expect(store.rows.get('dashboard anna')).toBe('none');
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('none');
  });

  test('lowered by its removal is gone at once, raised by it only after', async () => {
    const { authorizer, store } = setup();
    await authorizer.setGrant(DASHBOARD, 'anna', 'admin');
    await authorizer.setGrant(DASHBOARD, 'bob', 'none');
    const bob = userWith({ '*': 'write' }, 'bob');
    store.hold = true;
    const removed = [authorizer.setGrant(DASHBOARD, 'anna', null), authorizer.setGrant(DASHBOARD, 'bob', null)];
    expect(await authorizer.decide(userWith({ '*': 'read' }), DASHBOARD)).toBe('read');
    expect(await authorizer.decide(bob, DASHBOARD)).toBe('none');
    store.release();
    await Promise.all(removed);
    expect(await authorizer.decide(bob, DASHBOARD)).toBe('write');
  });

  test('set twice ends as the last call said, in the store too', async () => {
    const { authorizer, store } = setup();
    store.hold = true;
    const both = [authorizer.setGrant(DASHBOARD, 'anna', 'none'), authorizer.setGrant(DASHBOARD, 'anna', 'write')];
    await settle();
    expect(store.writes).toBe(1); // The second begins when the first is done: no store could turn them round.
    store.release();
    await Promise.all(both);
    expect(store.rows.get('dashboard anna')).toBe('write');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('write');
  });

  test('that could not be stored says so; what it would take away stays away, what it would give is not given', async () => {
    const { authorizer, store } = setup();
    const claimed = userWith({ '*': 'write' });
    store.broken = new AshlarError('storage-full');
    expect(await codeOf(authorizer.setGrant(DASHBOARD, 'anna', 'none'))).toBe('storage-full');
    expect(await codeOf(authorizer.setGrant(HANDBOOK, 'anna', 'admin'))).toBe('storage-full');
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('none');
    expect(await authorizer.decide(claimed, HANDBOOK)).toBe('write');
    store.broken = undefined;
    await authorizer.setGrant(DASHBOARD, 'anna', null);
    expect(await authorizer.decide(claimed, DASHBOARD)).toBe('write');
  });

  test('of a user who was erased is forgotten, a revocation that could not be written too', async () => {
    const { authorizer, store } = setup();
    const anna = userWith({ '*': 'write' });
    store.broken = new AshlarError('storage-unavailable');
    expect(await codeOf(authorizer.setGrant(DASHBOARD, 'anna', 'none'))).toBe('storage-unavailable');
    expect(await codeOf(authorizer.setGrant(HANDBOOK, 'annanna', 'none'))).toBe('storage-unavailable');
    expect(await authorizer.decide(anna, DASHBOARD)).toBe('none');
    authorizer.forgetUser('anna');
    expect(await authorizer.decide(anna, DASHBOARD)).toBe('write');
    expect(await authorizer.decide(userWith({ '*': 'write' }, 'annanna'), HANDBOOK), 'another user').toBe('none');
  });

  test('found by a read that began before a change is not believed', async () => {
    const { authorizer, store } = setup();
    store.rows.set('dashboard anna', 'write');
    store.hold = true;
    const decision = authorizer.decide(userWith(), DASHBOARD);
    const revoked = authorizer.setGrant(DASHBOARD, 'anna', 'none');
    await settle();
    store.release();
    await revoked;
    expect(await decision).toBe('none');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('none');
  });

  test('read by a store that answers after its user was erased is not remembered', async () => {
    const { store, clock, log } = setup();
    const answers: ((access: Access | null) => void)[] = [];
    const slow = { ...store, readGrant: () => new Promise<Access | null>((resolve) => answers.push(resolve)) };
    const authorizer = createAuthorizer({ store: slow, defaultAccess: {}, timeoutMs: 5_000, clock, log });
    const decision = authorizer.decide(userWith(), DASHBOARD);
    await settle();
    authorizer.forgetUser('anna');
    answers[0]?.('write');
    await settle();
    answers[1]?.(null);
    expect(await decision).toBe('none');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('none');
  });

  test('read by a store that answers after the change was written is not remembered', async () => {
    const { store, clock, log } = setup();
    let answer: (access: Access | null) => void = () => {};
    const slow = { ...store, readGrant: () => new Promise<Access | null>((resolve) => (answer = resolve)) };
    const authorizer = createAuthorizer({ store: slow, defaultAccess: {}, timeoutMs: 5_000, clock, log });
    const decision = authorizer.decide(userWith(), DASHBOARD);
    await settle();
    await authorizer.setGrant(DASHBOARD, 'anna', 'none');
    answer('write');
    expect(await decision).toBe('none');
    expect(await authorizer.decide(userWith(), DASHBOARD)).toBe('none');
  });

  test('changed while the callback is asked overtakes its answer', async () => {
    let answer: (access: Access) => void = () => {};
    const { authorizer } = setup({ authorize: () => new Promise((resolve) => (answer = resolve)) });
    const decision = authorizer.decide(userWith(), DASHBOARD);
    await settle();
    await authorizer.setGrant(DASHBOARD, 'anna', 'none');
    answer('admin');
    expect(await decision).toBe('none');
  });
});

describe('the cache of a socket', () => {
  function cacheSetup(options: Partial<AuthorizerOptions> = {}, maxRooms?: number) {
    const authorize = vi.fn(() => 'write' as Access | Promise<Access>);
    const parts = setup({ authorize, ...options });
    const cache = createAccessCache(parts.authorizer, userWith(), maxRooms);
    return { ...parts, authorize, cache };
  }

  test('knows nothing until it has asked, and then does not ask again', async () => {
    const { cache, authorize } = cacheSetup();
    expect(cache.cached(DASHBOARD)).toBeUndefined();
    expect(await cache.decide(DASHBOARD)).toBe('write');
    expect(cache.cached(DASHBOARD)).toBe('write');
    expect(cache.cached(HANDBOOK)).toBeUndefined();
    expect(authorize).toHaveBeenCalledTimes(1);
  });

  test('asks anew at each join, once for those that come together', async () => {
    const { cache, authorize } = cacheSetup();
    expect(await Promise.all([cache.decide(DASHBOARD), cache.decide(DASHBOARD)])).toEqual(['write', 'write']);
    expect(authorize).toHaveBeenCalledTimes(1);
    authorize.mockReturnValue('read');
    expect(await cache.decide(DASHBOARD)).toBe('read');
    expect(cache.cached(DASHBOARD)).toBe('read');
  });

  test('remembers a plain no, and never a failed check', async () => {
    const { cache, authorize } = cacheSetup();
    authorize.mockReturnValue('none');
    await cache.decide(DASHBOARD);
    expect(cache.cached(DASHBOARD)).toBe('none');
    authorize.mockReturnValue('write');
    await cache.decide(DASHBOARD);
    authorize.mockReturnValue(Promise.reject(new Error('down')));
    expect(await codeOf(cache.decide(DASHBOARD))).toBe('access-check-failed');
    expect(cache.cached(DASHBOARD)).toBeUndefined();
    authorize.mockReturnValue('read');
    expect(await cache.decide(DASHBOARD)).toBe('read');
  });

  test('loses a decision the moment a grant of its user changes, unasked', async () => {
    const { cache, authorizer, store } = cacheSetup();
    await cache.decide(DASHBOARD);
    await cache.decide(HANDBOOK);
    await authorizer.setGrant(DASHBOARD, 'bob', 'none');
    expect(cache.cached(DASHBOARD)).toBe('write');
    store.hold = true;
    const revoked = authorizer.setGrant(DASHBOARD, 'anna', 'none');
    expect(cache.cached(DASHBOARD)).toBeUndefined();
    expect(cache.cached(HANDBOOK)).toBe('write');
    expect(await cache.decide(DASHBOARD)).toBe('none');
    expect(cache.cached(DASHBOARD)).toBe('none');
    store.release();
    await revoked;
    expect(await cache.decide(DASHBOARD)).toBe('none');
  });

  test('never keeps a decision that was begun before a revocation', async () => {
    let answer: (access: Access) => void = () => {};
    const { cache, authorizer } = cacheSetup({ authorize: () => new Promise((resolve) => (answer = resolve)) });
    const decision = cache.decide(DASHBOARD);
    await settle();
    await authorizer.setGrant(DASHBOARD, 'anna', 'none');
    answer('admin');
    expect(await decision).toBe('none');
    expect([undefined, 'none']).toContain(cache.cached(DASHBOARD));
  });

  test('does not keep a decision whose grant changed in the very moment it was made', async () => {
    let stamp = 0;
    const cache = createAccessCache(
      {
        slot: () => 0,
        stamp: () => stamp,
        setGrant: () => Promise.resolve(),
        forgetUser: () => {},
        async decide() {
          stamp++;
          return 'write';
        },
      },
      userWith(),
    );
    expect(await cache.decide(DASHBOARD)).toBe('write');
    expect(cache.cached(DASHBOARD)).toBeUndefined();
  });

  test('makes a decision again that is dropped while under way, answered or failed', async () => {
    const answers: { resolve(access: Access): void; reject(error: Error): void }[] = [];
    const { cache } = cacheSetup({ authorize: () => new Promise((resolve, reject) => answers.push({ resolve, reject })) });
    const decision = cache.decide(DASHBOARD);
    await settle();
    cache.drop(DASHBOARD);
    answers[0]?.resolve('admin');
    await settle();
    expect(cache.cached(DASHBOARD)).toBeUndefined();
    cache.drop(DASHBOARD);
    answers[1]?.reject(new Error('down'));
    await settle();
    answers[2]?.resolve('read');
    expect(await decision).toBe('read');
    expect(cache.cached(DASHBOARD)).toBe('read');
  });

  test('forgets everything when cleared, and decides for the user of a new token', async () => {
    const { cache, authorizer } = cacheSetup({ authorize: undefined });
    await authorizer.setGrant(DASHBOARD, 'bob', 'admin');
    expect(await cache.decide(DASHBOARD)).toBe('none');
    const underWay = cache.decide(HANDBOOK);
    cache.setUser(userWith({ 'doc:*': 'write' }, 'bob'));
    expect(cache.cached(DASHBOARD)).toBeUndefined();
    expect(await cache.decide(DASHBOARD)).toBe('admin');
    expect(await underWay).toBe('write');
    cache.clear();
    expect(cache.cached(DASHBOARD)).toBeUndefined();
  });

  test('keeps the rooms used last, and no more than its bound', async () => {
    const { cache } = cacheSetup({}, 3);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(parseRoomName) as [RoomName, RoomName, RoomName, RoomName];
    for (const room of [a, b, c]) await cache.decide(room);
    cache.cached(a);
    await cache.decide(d);
    expect([a, b, c, d].map((room) => cache.cached(room))).toEqual(['write', undefined, 'write', 'write']);
  });
});
