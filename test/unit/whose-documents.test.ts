import { expect, test, vi } from 'vitest';
import type { ConnectionStatus } from '../../client/connection.ts';
import { userOfToken, whoseDocuments } from '../../client/offline/whose-documents.ts';
import { writable } from '../../client/readable.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import { SimulatedTime } from '../support/document-simulation.ts';
import { tokenFor } from '../support/start-server.ts';

const session = (id: string) => ({ user: { id } }) as SessionAnnouncement;
const reconnecting = (cause: 'transport' | 'refused' | 'token'): ConnectionStatus => ({
  state: 'reconnecting',
  attempt: 1,
  retryAt: 0,
  cause,
});

interface Known {
  last: string | null;
  userId?: string | null;
  token?: string | null;
}

/** A connection that the test moves, and who was found. */
async function ask({ last, userId = null, token = null }: Known) {
  const time = new SimulatedTime();
  const status = writable<ConnectionStatus>({ state: 'connecting', attempt: 1 }, () => {});
  const announced = writable<SessionAnnouncement | null>(null, () => {});
  const found: string[] = [];
  const undecided = vi.fn();
  const connector = { status, session: announced, token };
  const env = { after: (ms: number, task: () => void) => time.after(ms, task) };
  const asked = whoseDocuments(connector, { lastUser: async () => last }, env, { userId, onUndecided: undecided });
  void asked.then((user) => found.push(user));
  const now = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return found[0] ?? null;
  };
  await now();
  return { time, status, announced, now, undecided };
}

test('whom the server names, whoever was last', async () => {
  const { announced, now } = await ask({ last: 'ada' });
  expect(await now()).toBeNull();
  announced.set(session('bob'));
  expect(await now()).toBe('bob');
});

test.each<ConnectionStatus>([reconnecting('transport'), reconnecting('token'), { state: 'offline', cause: 'browser' }])(
  'the last one, once there is no network to ask: %j',
  async (cut) => {
    const { status, now } = await ask({ last: 'ada' });
    expect(await now()).toBeNull();
    status.set(cut);
    expect(await now()).toBe('ada');
  },
);

test('the last one, where nothing answers for two seconds', async () => {
  const { time, now } = await ask({ last: 'ada' });
  time.advance(1_999);
  expect(await now()).toBeNull();
  time.advance(1);
  expect(await now()).toBe('ada');
});

test('the last one at once, where the token at hand names the same; never, where it names another', async () => {
  expect(await (await ask({ last: 'ada', token: tokenFor('ada') })).now()).toBe('ada');
  const { time, status, announced, now } = await ask({ last: 'ada', token: tokenFor('bob') });
  status.set(reconnecting('transport'));
  time.advance(60_000);
  expect(await now()).toBeNull();
  announced.set(session('bob'));
  expect(await now()).toBe('bob');
});

test.each<ConnectionStatus>([{ state: 'refused', code: 'invalid-token', message: '' }, reconnecting('refused')])(
  'nobody, while the server refuses: %j',
  async (refused) => {
    const { time, status, now } = await ask({ last: 'ada' });
    status.set(refused);
    time.advance(60_000);
    expect(await now()).toBeNull();
  },
);

test('nobody, where nobody was verified here yet', async () => {
  const { status, time, now } = await ask({ last: null });
  status.set({ state: 'offline', cause: 'browser' });
  time.advance(60_000);
  expect(await now()).toBeNull();
});

test('the page’s own user at once, whoever was last, and nobody else while nothing answers', async () => {
  expect(await (await ask({ last: 'ada', userId: 'ben' })).now()).toBe('ben');
  expect(await (await ask({ last: null, userId: 'ben' })).now()).toBe('ben');
});

test('nobody, where the page’s own user is not the one whom the token at hand names, until the server says', async () => {
  const { time, status, announced, now } = await ask({ last: 'ada', userId: 'ben', token: tokenFor('ada') });
  status.set(reconnecting('transport'));
  time.advance(60_000);
  expect(await now()).toBeNull();
  announced.set(session('ada'));
  expect(await now()).toBe('ada');
});

test('that nobody can be found for now is told once there is nobody to ask, and no sooner', async () => {
  const cut = await ask({ last: null });
  expect(cut.undecided).not.toHaveBeenCalled();
  cut.status.set(reconnecting('transport'));
  expect(cut.undecided).toHaveBeenCalled();
  const silent = await ask({ last: null });
  silent.time.advance(2_000);
  expect(silent.undecided).toHaveBeenCalled();
  const refused = await ask({ last: 'ada' });
  refused.status.set({ state: 'refused', code: 'invalid-token', message: '' });
  expect(refused.undecided).toHaveBeenCalled();
  const found = await ask({ last: 'ada' });
  found.status.set(reconnecting('transport'));
  expect(await found.now()).toBe('ada');
  expect(found.undecided).not.toHaveBeenCalled();
});

test('a token names its user by id or sub; what is no such token names nobody', () => {
  const unsigned = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(userOfToken(tokenFor('ada'))).toBe('ada');
  const ids = ['ÿ?>bøb', 'a?>b?c>', '艾达', '🧱', '???', '>>>'];
  const tokens = ids.map((sub) => unsigned({ sub }));
  expect(tokens.map(userOfToken)).toEqual(ids);
  // Both letters in which it differs from other Base64.
  for (const letter of ['-', '_']) expect(tokens.some((token) => token.includes(letter))).toBe(true);
  expect(userOfToken(unsigned({ id: 'ada', sub: 'bob' }))).toBe('ada');
  for (const token of ['', 'opaque', 'a.b.c', unsigned({}), unsigned({ id: 7 })]) expect(userOfToken(token)).toBeNull();
});
