import { expect, test } from 'vitest';
import { platformEnvironment } from '../../client/environment.ts';
import { createChatSession } from '../../client/features/chat-session.ts';
import { AshlarError } from '../../shared/errors.ts';
import { SimulatedTime } from '../support/document-simulation.ts';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

const ROOM = 'chat:s1';

const message = (seq: number, content = `m${seq}`, userId = 'bob') => ({
  data: { id: `id${seq}`, sessionId: 's1', content, sender: 'user' as const, timestamp: '2026-01-01T00:00:00Z', userId },
  meta: { room: ROOM, seq, epoch: 'e', at: seq },
});

/** A session on a client that a test moves by hand; its room is joined already. */
function openChat({ isJoined = true } = {}) {
  const fake = fakeFeatureClient();
  const time = new SimulatedTime();
  const environment = { ...platformEnvironment(), now: () => time.now, after: time.after.bind(time) };
  const join = (recovered: boolean) =>
    fake.room(ROOM).set({ state: 'joined', access: 'write', recovered, reason: recovered ? undefined : 'epoch' });
  if (isJoined) join(true);
  const chat = createChatSession(fake.client, 's1', { environment, pageSize: 2 });
  const stop = chat.subscribe(() => {});
  return {
    ...fake,
    chat,
    stop,
    time,
    join,
    cut: () => fake.room(ROOM).set({ state: 'joining' }),
    refuse: () => fake.room(ROOM).set({ state: 'refused', error: new AshlarError('access-denied') }),
    said: () => chat.get().messages.map(({ content, status }) => (status === 'sent' ? content : `${content} (${status})`)),
    say: (...told: Parameters<typeof message>) => {
      const { data, meta } = message(...told);
      fake.tell('chat:message', data, meta);
    },
    /** Answers the newest question for messages. */
    async answer(seqs: readonly number[], hasMore: boolean) {
      fake.histories.at(-1)?.resolve({ messages: seqs.map((seq) => message(seq)), hasMore });
      await settle();
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a message that is sent while the newest page is on its way stands behind it, and is not lost by it', async () => {
  const { chat, said, answer, stop } = openChat();
  chat.send('mine');
  expect(said()).toEqual(['mine (sending)']);
  await answer([1, 2], false);
  expect(said()).toEqual(['m1', 'm2', 'mine (sending)']);
  stop();
});

test('whether there are older messages is known of the oldest that is shown, not of the newest page', async () => {
  const { chat, said, answer, cut, join, stop } = openChat();
  await answer([4, 5], true);
  void chat.loadOlder();
  await answer([1, 2, 3], false);
  expect([said(), chat.get().hasOlder]).toEqual([['m1', 'm2', 'm3', 'm4', 'm5'], false]);
  // Left and opened again: the newest page joins on to what is there.
  stop();
  await settle();
  cut();
  join(true);
  const again = chat.subscribe(() => {});
  await answer([5, 6], true);
  expect([said(), chat.get().hasOlder]).toEqual([['m1', 'm2', 'm3', 'm4', 'm5', 'm6'], false]);
  again();
});

test('where the newest page cannot be read, what the room tells stands, with a way to what is before it', async () => {
  const { chat, said, say, histories, stop } = openChat();
  say(7);
  histories.at(-1)?.reject(new AshlarError('storage-unavailable'));
  await settle();
  expect(chat.get()).toMatchObject({ state: 'ready', error: { code: 'storage-unavailable' }, hasOlder: true });
  expect(said()).toEqual(['m7']);
  stop();
});

test('that one types is said once in three seconds, whatever the clock does, and its end once', () => {
  const { chat, emitted, time, stop } = openChat();
  const said = () => emitted.splice(0).map(({ args }) => (args[1] as { isTyping: boolean }).isTyping);
  chat.setTyping(false);
  for (let key = 0; key < 30; key++) {
    chat.setTyping();
    time.advance(100);
  }
  expect(said()).toEqual([true]);
  chat.setTyping();
  time.now -= 3_600_000;
  chat.setTyping();
  chat.setTyping();
  expect(said()).toEqual([true, true]);
  chat.setTyping(false);
  chat.setTyping(false);
  expect(said()).toEqual([false]);
  stop();
});

test('an older page that does not come may be asked for again', async () => {
  const { chat, said, answer, histories, stop } = openChat();
  await answer([4, 5], true);
  const asked = chat.loadOlder();
  expect(chat.get().loadingOlder).toBe(true);
  histories.at(-1)?.reject(new AshlarError('timeout'));
  await expect(asked).rejects.toMatchObject({ code: 'timeout' });
  expect(chat.get()).toMatchObject({ state: 'ready', loadingOlder: false, hasOlder: true });
  void chat.loadOlder();
  await answer([2, 3], false);
  expect([said(), chat.get().hasOlder]).toEqual([['m2', 'm3', 'm4', 'm5'], false]);
  stop();
});

test('an older page of a log that may be another one by now is left out', async () => {
  const { chat, said, answer, histories, cut, join, stop } = openChat();
  await answer([4, 5], true);
  void chat.loadOlder();
  const older = histories.at(-1);
  cut();
  join(false);
  await answer([1], false);
  older?.resolve({ messages: [message(2, 'of before'), message(3, 'of before')], hasMore: true });
  await settle();
  expect([said(), chat.get().hasOlder, chat.get().loadingOlder]).toEqual([['m1'], false, false]);
  stop();
});

test('who is put out while the messages are on their way stays out, whatever comes of the question', async () => {
  const { chat, answer, refuse, stop } = openChat();
  refuse();
  await answer([1, 2], false);
  expect(chat.get()).toMatchObject({ state: 'refused', messages: [] });
  stop();
});

test('who is put out while the messages are on their way, and let in again where the room goes on, gets them', async () => {
  const { chat, said, answer, refuse, join, histories, stop } = openChat();
  refuse();
  join(true);
  expect(histories).toHaveLength(2);
  await answer([1, 2], false);
  expect([chat.get().state, said()]).toEqual(['ready', ['m1', 'm2']]);
  refuse();
  join(true);
  expect([histories.length, chat.get().state]).toEqual([2, 'ready']);
  stop();
});

test('the newest page that could not be read is asked for again, and until it is here what was known stands', async () => {
  const { chat, said, answer, histories, time, join, refuse, stop } = openChat();
  await answer([1, 2], false);
  const comeBack = async (leave: () => void) => {
    leave();
    await settle();
    join(true);
    return chat.subscribe(() => {});
  };
  const again = await comeBack(stop);
  histories.at(-1)?.reject(new AshlarError('rate-limited', { retryAfterMs: 5_000 }));
  await settle();
  expect([said(), chat.get().state, chat.get().error?.code]).toEqual([['m1', 'm2'], 'ready', 'rate-limited']);
  time.advance(4_999);
  expect(histories).toHaveLength(2);
  time.advance(1);
  expect(histories).toHaveLength(3);
  await answer([2, 3], true);
  expect([said(), chat.get().state, chat.get().error]).toEqual([['m1', 'm2', 'm3'], 'ready', null]);
  // For one who was put out nobody asks.
  const once = await comeBack(again);
  histories.at(-1)?.reject(new AshlarError('storage-unavailable'));
  await settle();
  refuse();
  time.advance(60_000);
  expect(histories).toHaveLength(4);
  once();
});

test('who types is seen until they said it, by others only, and as long as the room tells', async () => {
  const { chat, tell, say, answer, cut, time, stop } = openChat();
  await answer([1], false);
  const type = (userId: string, isTyping = true) =>
    tell('chat:typing', { sessionId: 's1', isTyping, userId, name: userId }, { room: ROOM });
  const typing = () => chat.get().typing.map(({ name }) => name);
  type('ada');
  type('bob');
  type('eve');
  expect(typing()).toEqual(['bob', 'eve']);
  say(2, 'said', 'bob');
  expect(typing()).toEqual(['eve']);
  time.advance(7_000);
  type('eve');
  // Counted from when it was said last.
  time.advance(7_000);
  expect(typing()).toEqual(['eve']);
  time.advance(1_000);
  expect(typing()).toEqual([]);
  type('bob');
  cut();
  expect(typing()).toEqual([]);
  stop();
});

test('a message whose client was closed may have arrived: when the room tells it, it stands once', async () => {
  const { chat, said, say, answer, emitted, stop } = openChat();
  await answer([1], false);
  chat.send('mine');
  emitted[0]?.reject(new AshlarError('client-closed'));
  await settle();
  expect(said()).toEqual(['m1', 'mine (failed)']);
  say(2, 'mine', 'ada');
  expect(said()).toEqual(['m1', 'mine']);
  stop();
});

test('[4] another user finds nothing of what the one before was told or was about to say, whether the chat was open meanwhile or not', async () => {
  const { chat, said, answer, stop, user, cut, join, emitted, histories, room } = openChat();
  await answer([1, 2], false);
  chat.send('never sent');
  emitted[0]!.reject(new AshlarError('client-closed'));
  await settle();
  expect(said()).toEqual(['m1', 'm2', 'never sent (failed)']);
  cut();
  user.set({ id: 'ben', name: 'Ben' });
  join(false);
  expect(said()).toEqual([]);
  await answer([1, 2, 3], false);
  expect(said()).toEqual(['m1', 'm2', 'm3']);
  stop();
  await settle();
  user.set({ id: 'cem', name: 'Cem' });
  room(ROOM).set({ state: 'joined', access: 'read', recovered: false, reason: 'new' });
  const asked = histories.length;
  const stopAgain = chat.subscribe(() => {});
  expect(said()).toEqual([]);
  expect(histories).toHaveLength(asked + 1);
  stopAgain();
});
