import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../client/backoff.ts';
import {
  type Connection,
  type ConnectionEvent,
  type ConnectionRules,
  type ConnectionStatus,
  NOT_CONNECTED,
  reduceConnection,
} from '../../client/connection.ts';
import { platformEnvironment } from '../../client/environment.ts';
import { createLostConnection } from '../../client/features/lost-connection.ts';
import { connectionNotices } from '../../client/lost-connection.ts';
import { writable } from '../../client/readable.ts';
import { renewAfterMs, TokenRenewal } from '../../client/token.ts';
import { AshlarError } from '../../shared/errors.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

const rules: ConnectionRules = {
  now: 1_000,
  random: 0.5,
  online: true,
  canRenewToken: true,
  maxAttempts: Number.POSITIVE_INFINITY,
};

/** Runs events through the reducer. */
function play(events: readonly (ConnectionEvent | Partial<ConnectionRules>)[], start: Connection = NOT_CONNECTED): Connection {
  let current = rules;
  let connection = start;
  for (const event of events) {
    if ('type' in event) connection = reduceConnection(connection, event, current);
    else current = { ...current, ...event };
  }
  return connection;
}

describe('the connection', () => {
  test('starts idle, connects, and says since when', () => {
    expect(NOT_CONNECTED.status).toEqual({ state: 'idle' });
    expect(play([{ type: 'connect' }]).status).toEqual({ state: 'connecting', attempt: 1 });
    expect(play([{ type: 'connect' }, { type: 'accepted', id: 'x' }]).status).toEqual({
      state: 'connected',
      id: 'x',
      recovered: false,
      since: 1_000,
    });
  });

  test('waits with full jitter that grows with each failure, and forgets failures after a lasting connection', () => {
    const lost: ConnectionEvent = { type: 'lost', cause: 'transport' };
    const once = play([{ type: 'connect' }, lost]);
    expect(once.status).toEqual({ state: 'reconnecting', attempt: 1, retryAt: 1_250, cause: 'transport' });
    const thrice = play([{ type: 'retry' }, lost, { type: 'retry' }, lost], once);
    expect(thrice.status).toEqual({ state: 'reconnecting', attempt: 3, retryAt: 2_000, cause: 'transport' });
    const short = play([{ type: 'retry' }, { type: 'accepted', id: 'x' }, { now: 2_000 }, lost], thrice);
    expect(short.status).toMatchObject({ attempt: 4 });
    const long = play([{ type: 'retry' }, { type: 'accepted', id: 'x' }, { now: 60_000 }, lost], thrice);
    expect(long.status).toMatchObject({ attempt: 1 });
  });

  test('asks for another token where it can, and is refused where the token is fixed or nothing would help', () => {
    const expired: ConnectionEvent = { type: 'rejected', code: 'token-expired' };
    expect(play([{ type: 'connect' }, expired]).status).toMatchObject({ state: 'reconnecting', cause: 'refused' });
    const refused = play([{ canRenewToken: false }, { type: 'connect' }, expired]);
    expect(refused.status).toEqual({ state: 'refused', code: 'token-expired', message: 'Invalid token' });
    expect(play([{ type: 'retry' }, { type: 'online' }, { type: 'offline' }], refused)).toBe(refused);
    expect(play([{ type: 'connect' }], refused).status.state).toBe('connecting');
    expect(play([{ type: 'connect' }, { type: 'rejected', code: 'origin-refused' }]).status.state).toBe('refused');
    expect(play([{ type: 'connect' }, { type: 'rejected', code: 'rate-limited', retryAfterMs: 4_000 }]).status).toMatchObject({
      state: 'reconnecting',
      retryAt: 6_000,
    });
  });

  test('comes back after a restart when it was told to, not before', () => {
    const closing = play([
      { type: 'connect' },
      { type: 'accepted', id: 'x' },
      { type: 'closing', reconnectAfterMs: 2_000 },
      { type: 'lost', cause: 'server' },
    ]);
    expect(closing.status).toMatchObject({ state: 'reconnecting', retryAt: 3_500, cause: 'closing' });
    expect(closing.closingAfterMs).toBeNull();
  });

  test('forgets an announced restart once it is connected again, whatever came between', () => {
    const back = play([
      { type: 'connect' },
      { type: 'accepted', id: 'x' },
      { type: 'closing', reconnectAfterMs: 60_000 },
      { type: 'offline' },
      { type: 'online' },
      { type: 'accepted', id: 'y' },
    ]);
    const lost = play([{ type: 'lost', cause: 'transport' }], back).status;
    expect(lost).toMatchObject({ state: 'reconnecting', cause: 'transport' });
    expect(lost.state === 'reconnecting' && lost.retryAt).toBeLessThan(rules.now + 60_000);
  });

  test('sleeps while the device is offline, and wakes at once', () => {
    const offline = play([{ type: 'connect' }, { type: 'accepted', id: 'x' }, { type: 'offline' }]);
    expect(offline.status).toEqual({ state: 'offline', cause: 'browser' });
    expect(play([{ type: 'retry' }, { type: 'lost', cause: 'transport' }], offline)).toBe(offline);
    expect(play([{ type: 'online' }], offline).status).toEqual({ state: 'connecting', attempt: 1 });
    expect(play([{ online: false }, { type: 'connect' }]).status.state).toBe('offline');
    const waiting = play([{ type: 'connect' }, { type: 'lost', cause: 'transport' }]);
    expect(play([{ type: 'online' }], waiting).status.state).toBe('connecting');
  });

  test('a reconnect counts as recovered until a room says otherwise, and the first connection does not', () => {
    const lost: ConnectionEvent = { type: 'lost', cause: 'transport' };
    const once = play([{ type: 'connect' }, { type: 'accepted', id: 'x' }]);
    expect(once.status).toMatchObject({ state: 'connected', recovered: false });
    const again: Parameters<typeof play>[0] = [{ type: 'connect' }, { type: 'accepted', id: 'x' }, lost, { type: 'retry' }];
    expect(play([...again, { type: 'accepted', id: 'y' }]).status).toMatchObject({ id: 'y', recovered: true });
    expect(play([...again, { type: 'accepted', id: 'y' }, { type: 'missed' }]).status).toMatchObject({
      id: 'y',
      recovered: false,
    });
    const anew = play([...again, { type: 'disconnect' }, { type: 'connect' }, { type: 'accepted', id: 'z' }]);
    expect(anew.status).toMatchObject({ id: 'z', recovered: false });
  });

  test('gives up only where asked to', () => {
    const lost: ConnectionEvent = { type: 'lost', cause: 'transport' };
    const limited = play([{ maxAttempts: 2 }, { type: 'connect' }, lost, { type: 'retry' }, lost, { type: 'retry' }, lost]);
    expect(limited.status).toMatchObject({ state: 'refused', code: 'not-connected' });
  });

  test('closed by the caller, nothing but connect starts it again', () => {
    const events = fc.constantFrom<ConnectionEvent>(
      { type: 'accepted', id: 'x' },
      { type: 'missed' },
      { type: 'lost', cause: 'server' },
      { type: 'rejected', code: 'internal' },
      { type: 'retry' },
      { type: 'online' },
      { type: 'offline' },
      { type: 'closing', reconnectAfterMs: 5 },
      { type: 'disconnect' },
    );
    fc.assert(
      fc.property(fc.array(events), (list) => {
        const closed = play([{ type: 'connect' }, { type: 'disconnect' }, ...list]);
        expect(closed.status).toEqual({ state: 'closed' });
      }),
    );
  });
});

test('backoff stays within its bound, however many attempts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const ms = backoffMs(attempt, random);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(20_000);
    }),
  );
  expect(backoffMs(1, 0.999)).toBeLessThanOrEqual(500);
});

test('a token is renewed before its end, and a wrong clock does not make it a loop', () => {
  for (const random of [0, 0.5, 0.999]) {
    for (const left of [2_000, 60_000, 3_600_000]) {
      expect(renewAfterMs(left, random)).toBeGreaterThanOrEqual(left * 0.8);
      expect(renewAfterMs(left, random)).toBeLessThan(left * 0.96);
    }
    expect(renewAfterMs(-5_000, random)).toBe(10_000);
  }
});

test('a renewal that fails is told and tried again until it succeeds, whatever failed: the token function or the server', async () => {
  const time = new SimulatedTime();
  const env = { ...platformEnvironment(), now: () => time.now, random: () => 0.5, after: time.after.bind(time) };
  const reported: unknown[] = [];
  const sent: string[] = [];
  const tokens: (string | Error)[] = [new Error('offline'), 'refused', 'good', 'later'];
  const renewal = new TokenRenewal(
    env,
    (error) => reported.push(error),
    (token, done) => {
      sent.push(token);
      if (token === 'refused') done(new AshlarError('invalid-token'), undefined);
      else done(null, { expiresAt: time.now + 3_600_000 });
    },
  );
  const fetchToken = () => {
    const token = tokens.shift();
    if (typeof token === 'string') return token;
    throw token;
  };
  const minutes = async (count: number) => {
    for (let second = 0; second < count * 60; second++) {
      time.advance(1_000);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  renewal.start(fetchToken, time.now + 60_000);
  await minutes(2);
  expect(sent).toEqual(['refused', 'good']);
  expect(reported).toEqual([expect.objectContaining({ message: 'offline' }), expect.objectContaining({ code: 'invalid-token' })]);
  await minutes(60);
  expect(sent.at(-1)).toBe('later');
  renewal.stop();
});

test('a token that comes when its renewal has ended is not sent: the connection may be another user’s by then', async () => {
  const time = new SimulatedTime();
  const env = { ...platformEnvironment(), now: () => time.now, random: () => 0.5, after: time.after.bind(time) };
  const sent: string[] = [];
  const renewal = new TokenRenewal(
    env,
    () => {},
    (token) => sent.push(token),
  );
  let bring: (token: string) => void = () => {};
  const fetchToken = () =>
    new Promise<string>((resolve) => {
      bring = resolve;
    });
  renewal.start(fetchToken, time.now + 60_000);
  time.advance(60_000);
  await Promise.resolve();
  renewal.stop();
  bring('of before');
  await new Promise((settled) => setImmediate(settled));
  expect(sent).toEqual([]);
});

test('renewals that fail come ever more slowly, and a token without an end is never renewed', async () => {
  const time = new SimulatedTime();
  const waits: number[] = [];
  const after = (ms: number, task: () => void) => {
    waits.push(ms);
    return time.after(ms, task);
  };
  const env = { ...platformEnvironment(), now: () => time.now, random: () => 0.999, after };
  const renewal = new TokenRenewal(
    env,
    () => {},
    () => {},
  );
  const fetchToken = () => Promise.reject(new Error('nobody answers'));
  renewal.start(fetchToken, Number.POSITIVE_INFINITY);
  expect(waits).toEqual([]);
  renewal.start(fetchToken, time.now + 60_000);
  for (let failure = 0; failure < 6; failure++) {
    time.advance(waits.at(-1)!);
    await new Promise((resolve) => setImmediate(resolve));
  }
  renewal.stop();
  const between = waits.slice(1).map((ms) => Math.round(ms / 1_000));
  expect(between).toEqual([5, 10, 20, 40, 60, 60]);
});

test('a lost connection is announced after 5 s, its return only then, and a refusal at once', () => {
  const time = new SimulatedTime();
  const status = writable<ConnectionStatus>({ state: 'connecting', attempt: 1 }, () => {});
  const env = { ...platformEnvironment(), after: (ms: number, task: () => void) => time.after(ms, task) };
  const notices: string[] = [];
  const tell = connectionNotices(status, env, () => {});
  tell((notice) => notices.push(notice));
  const up = { state: 'connected', id: 'x', recovered: false, since: 0 } as const;
  const down = { state: 'reconnecting', attempt: 1, retryAt: 0, cause: 'transport' } as const;
  time.advance(10_000);
  status.set(up);
  status.set(down);
  time.advance(4_999);
  status.set({ ...up, id: 'y' });
  time.advance(10_000);
  expect(notices).toEqual([]);
  status.set(down);
  time.advance(3_000);
  status.set({ state: 'connecting', attempt: 2 });
  time.advance(2_000);
  expect(notices).toEqual(['lost']);
  status.set(up);
  status.set({ state: 'refused', code: 'access-denied', message: '' });
  expect(notices).toEqual(['lost', 'restored', 'failed']);
});

test('a loss is announced once however many attempts follow, and what the caller closed is not told to be back', () => {
  const time = new SimulatedTime();
  const up = { state: 'connected', id: 'x', recovered: false, since: 0 } as const;
  const status = writable<ConnectionStatus>({ state: 'idle' }, () => {});
  const env = { ...platformEnvironment(), after: (ms: number, task: () => void) => time.after(ms, task) };
  const notices: string[] = [];
  const tell = connectionNotices(status, env, () => {});
  status.set(up);
  tell((notice) => notices.push(notice));
  for (let attempt = 1; attempt <= 4; attempt++) {
    status.set({ state: 'reconnecting', attempt, retryAt: 0, cause: 'transport' });
    time.advance(2_000);
    status.set({ state: 'connecting', attempt });
  }
  time.advance(60_000);
  expect(notices).toEqual(['lost']);
  status.set({ state: 'closed' });
  status.set({ state: 'connecting', attempt: 1 });
  status.set(up);
  expect(notices).toEqual(['lost']);
});

test('what is shown of a loss goes with it: back, closed by the caller, or on its way again after a refusal', () => {
  const time = new SimulatedTime();
  const up = { state: 'connected', id: 'x', recovered: false, since: 0 } as const;
  const status = writable<ConnectionStatus>({ state: 'idle' }, () => {});
  const env = { ...platformEnvironment(), after: (ms: number, task: () => void) => time.after(ms, task) };
  const client = { status, onConnectionNotice: connectionNotices(status, env, () => {}) } as never;
  status.set(up);
  const shown = createLostConnection(client);
  const stop = shown.subscribe(() => {});
  const lose = (): void => {
    status.set({ state: 'reconnecting', attempt: 1, retryAt: 0, cause: 'transport' });
    time.advance(5_000);
  };
  lose();
  expect(shown.get()).toBe('lost');
  status.set(up);
  expect(shown.get()).toBeNull();
  lose();
  status.set({ state: 'closed' });
  expect(shown.get()).toBeNull();
  status.set({ state: 'refused', code: 'access-denied', message: '' });
  expect(shown.get()).toBe('failed');
  status.set({ state: 'connecting', attempt: 1 });
  expect(shown.get()).toBeNull();
  stop();
});

test('who begins to look while the connection is lost, or refused, sees it at once, and not what is over', async () => {
  const time = new SimulatedTime();
  const up = { state: 'connected', id: 'x', recovered: false, since: 0 } as const;
  const status = writable<ConnectionStatus>({ state: 'idle' }, () => {});
  const env = { ...platformEnvironment(), after: (ms: number, task: () => void) => time.after(ms, task) };
  const notices = connectionNotices(status, env, () => {});
  const client = { status, onConnectionNotice: notices } as never;
  const page = createLostConnection(client);
  const seen = async () => {
    const shown = createLostConnection(client);
    const told: string[] = [];
    const stops = [shown.subscribe(() => {}), page.subscribe(() => {}), notices((notice) => told.push(notice))];
    const now = [shown.get(), page.get(), told];
    for (const stop of stops) stop();
    await Promise.resolve();
    return now;
  };
  status.set(up);
  status.set({ state: 'reconnecting', attempt: 1, retryAt: 0, cause: 'transport' });
  expect(await seen()).toEqual([null, null, []]);
  time.advance(5_000);
  expect(await seen()).toEqual(['lost', 'lost', ['lost']]);
  status.set({ state: 'connecting', attempt: 1 });
  expect(await seen()).toEqual(['lost', 'lost', ['lost']]);
  status.set(up);
  expect(await seen()).toEqual([null, null, []]);
  status.set({ state: 'refused', code: 'access-denied', message: '' });
  expect(await seen()).toEqual(['failed', 'failed', ['failed']]);
});
