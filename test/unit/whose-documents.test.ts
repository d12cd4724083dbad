import { expect, test } from 'vitest';
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

/** A connection that the test moves, and who was found. */
async function ask({ last, token = null }: { last: string | null; token?: string | null }) {
  const time = new SimulatedTime();
  const status = writable<ConnectionStatus>({ state: 'connecting', attempt: 1 }, () => {});
  const announced = writable<SessionAnnouncement | null>(null, () => {});
  const found: string[] = [];
  const connector = { status, session: announced, token };
  const asked = whoseDocuments(connector, { lastUser: async () => last }, { after: (ms, task) => time.after(ms, task) });
  void asked.then((user) => found.push(user));
  const now = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return found[0] ?? null;
  };
  await now();
  return { time, status, announced, now };
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

test('a token names its user by id or sub; what is no such token names nobody', () => {
  const unsigned = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(userOfToken(tokenFor('ada'))).toBe('ada');
  expect(userOfToken(unsigned({ sub: 'ÿ?>bøb' }))).toBe('ÿ?>bøb');
  expect(userOfToken(unsigned({ id: 'ada', sub: 'bob' }))).toBe('ada');
  for (const token of ['', 'opaque', 'a.b.c', unsigned({}), unsigned({ id: 7 })]) expect(userOfToken(token)).toBeNull();
});
