import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

// What makes a chat session, as it comes to a page: when the test says so, or not at all.
const asked: { come(): void; fail(): void }[] = [];
vi.mock('../../client/import-later.ts', () => ({
  importLater: async (load: () => Promise<unknown>) => {
    await new Promise<void>((come, reject) => asked.push({ come, fail: () => reject(new Error('the file is gone')) }));
    return load();
  },
}));

// A page of its own for each test: what one has loaded, the next has not.
let chatSession: typeof import('../../client/features/chat-front.ts')['chatSession'];
beforeEach(async () => {
  asked.length = 0;
  vi.resetModules();
  ({ chatSession } = await import('../../client/features/chat-front.ts'));
});

const ROOM = 'chat:s1';
const joined = { state: 'joined', access: 'write', recovered: false, reason: undefined } as const;

function openPage() {
  const fake = fakeFeatureClient();
  const joins: string[] = [];
  const leaves: string[] = [];
  const client = Object.assign(fake.client, {
    joinRoom: (room: string) => {
      joins.push(room);
      return new Promise<never>(() => {});
    },
    leaveRoom: (room: string) => void leaves.push(room),
  });
  return { ...fake, client, joins, leaves };
}

const here = (joins: readonly string[]) => vi.waitFor(() => expect(joins).toEqual([ROOM]));

test('a chat is there at once, asks for its code when somebody looks at it, and is the session from then on', async () => {
  const { client, joins, room, histories, emitted } = openPage();
  const chat = chatSession(client, 's1');
  expect(chatSession(client, 's1')).toBe(chat);
  expect(asked).toHaveLength(0);
  const seen = vi.fn();
  chat.subscribe(seen);
  chat.subscribe(() => {});
  expect(asked).toHaveLength(1);
  expect(chat.get()).toEqual({ state: 'loading', error: null, messages: [], hasOlder: false, loadingOlder: false, typing: [] });
  await chat.loadOlder();
  chat.setTyping();
  asked[0]!.come();
  await here(joins);
  room(ROOM).set(joined);
  const data = { id: 'm7', sessionId: 's1', content: 'hello', sender: 'user', timestamp: '2026-01-01T00:00:00Z' } as const;
  histories[0]!.resolve({ messages: [{ data, meta: { room: ROOM, seq: 7, epoch: 'e', at: 7 } }], hasMore: true });
  await vi.waitFor(() => expect(chat.get()).toMatchObject({ state: 'ready', hasOlder: true, messages: [{ content: 'hello' }] }));
  void chat.loadOlder();
  expect(histories[1]!.args).toEqual(['s1', { before: 7, limit: 50 }]);
  expect(seen).toHaveBeenLastCalledWith(chat.get());
  expect(emitted).toEqual([]);
  chat.setTyping();
  expect(emitted[0]!.args).toEqual(['chat:typing', { sessionId: 's1', isTyping: true }]);
});

test('what is sent before the code is here stands at once, and goes once it came, in order', async () => {
  const { client, joins, emitted } = openPage();
  const chat = chatSession(client, 's1');
  chat.subscribe(() => {});
  chat.send(' one ');
  chat.send('  ');
  chat.send('two');
  const said = () => chat.get().messages.map(({ content, status, userId, name }) => [content, status, userId, name].join(' '));
  expect(said()).toEqual(['one sending ada Ada', 'two sending ada Ada']);
  expect(emitted).toEqual([]);
  asked[0]!.come();
  await here(joins);
  await vi.waitFor(() => expect(emitted).toHaveLength(2));
  expect(emitted.map(({ args }) => args.slice(0, 2))).toEqual([
    ['chat:message', { sessionId: 's1', content: 'one' }],
    ['chat:message', { sessionId: 's1', content: 'two' }],
  ]);
  expect(said()).toEqual(['one sending ada Ada', 'two sending ada Ada']);
});

test('code that does not come is told as not loaded, and asked for again with the connection, and the chat opens after all', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.99);
  onTestFinished(() => void vi.restoreAllMocks());
  const { client, joins, status } = openPage();
  const chat = chatSession(client, 's1');
  chat.subscribe(() => {});
  asked[0]!.fail();
  await vi.waitFor(() => expect(chat.get()).toMatchObject({ state: 'loading', error: { code: 'not-loaded' } }));
  // One that looks later hears it too.
  const other = chatSession(client, 's2');
  const leaveOther = other.subscribe(() => {});
  expect(other.get().error?.code).toBe('not-loaded');
  leaveOther();
  status.set({ state: 'connecting', attempt: 1 });
  status.set({ state: 'connected', id: 'b', recovered: false, since: 0 });
  // At once, and not when the next attempt would be.
  expect(asked).toHaveLength(2);
  asked[1]!.come();
  await here(joins);
  expect(chat.get()).toMatchObject({ state: 'loading', error: null });
});

test('a chat that nobody looks at any more when its code comes joins nothing; one that is looked at again does', async () => {
  const { client, joins, leaves, emitted } = openPage();
  const chat = chatSession(client, 's1');
  chat.subscribe(() => {})();
  await Promise.resolve();
  asked[0]!.come();
  await vi.waitFor(async () => expect(chatSession(openPage().client, 's9').get().state).toBe('loading'));
  expect(joins).toEqual([]);
  const leave = chat.subscribe(() => {});
  await here(joins);
  chat.send('on its way');
  await vi.waitFor(() => expect(emitted).toHaveLength(1));
  leave();
  await vi.waitFor(() => expect(leaves).toEqual([ROOM]));
  // Once more: what is on its way was never away.
  const counts: number[] = [];
  const leaveAgain = chat.subscribe(({ messages }) => counts.push(messages.length));
  emitted[0]!.reject(new Error('no'));
  await vi.waitFor(() => expect(chat.get().messages).toMatchObject([{ status: 'failed' }]));
  chat.retry(chat.get().messages[0]!.key);
  expect(emitted).toHaveLength(2);
  emitted[1]!.reject(new Error('no'));
  await vi.waitFor(() => expect(chat.get().messages).toMatchObject([{ status: 'failed' }]));
  chat.discard(chat.get().messages[0]!.key);
  expect(chat.get().messages).toEqual([]);
  expect(new Set(counts.slice(0, -1))).toEqual(new Set([1]));
  leaveAgain();
  await vi.waitFor(() => expect(leaves).toEqual([ROOM, ROOM]));
  // It is forgotten: the next is the session itself.
  expect(chatSession(client, 's1')).not.toBe(chat);
});

test('[4] what one user said before the code was here is not sent under another’s name; what nobody was named for yet is', async () => {
  const { client, user, joins, emitted } = openPage();
  const chat = chatSession(client, 's1');
  user.set(null);
  chat.send('offline, at the start');
  user.set({ id: 'ada', name: 'Ada' });
  chat.send('from ada');
  user.set({ id: 'ben', name: 'Ben' });
  chat.send('from ben');
  chat.subscribe(() => {});
  asked[0]!.come();
  await here(joins);
  await vi.waitFor(() => expect(emitted).toHaveLength(2));
  expect(emitted.map(({ args }) => args[1])).toEqual([
    { sessionId: 's1', content: 'offline, at the start' },
    { sessionId: 's1', content: 'from ben' },
  ]);
});
