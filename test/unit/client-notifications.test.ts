import { expect, test } from 'vitest';
import { createNotifications } from '../../client/features/notifications.ts';
import { fakeFeatureClient } from '../support/fake-feature-client.ts';

const notification = (id: string) => ({
  data: { id, level: 'info' as const, title: id, message: id, timestamp: '2026-01-01T00:00:00Z' },
  meta: { room: 'user:ada', at: 1 },
});

function openBell() {
  const fake = fakeFeatureClient();
  const bell = createNotifications(fake.client);
  const stop = bell.subscribe(() => {});
  return {
    ...fake,
    bell,
    stop,
    shown: () => bell.get().notifications.map(({ id, read }) => (read ? `${id} (read)` : id)),
    /** Answers the newest question for the list. */
    async answer(ids: readonly string[], unread = ids.length) {
      fake.lists.at(-1)?.resolve({ notifications: ids.map(notification), unread });
      await settle();
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('another user of the same page sees none of the notifications before', async () => {
  const { bell, user, status, shown, answer, stop } = openBell();
  await answer(['a', 'b']);
  status.set({ state: 'connecting', attempt: 1 });
  user.set({ id: 'bob', name: 'Bob' });
  status.set({ state: 'connected', id: 'b', recovered: false, since: 0 });
  expect(shown()).toEqual([]);
  await answer(['c']);
  expect([shown(), bell.get().unread]).toEqual([['c'], 1]);
  stop();
});

test('what is marked read while the list is on its way stays read, also where all are', async () => {
  const { bell, tell, shown, answer, stop } = openBell();
  const { data, meta } = notification('a');
  tell('system:notification', data, meta);
  void bell.markAllRead();
  await answer(['a']);
  expect([shown(), bell.get().unread]).toEqual([['a (read)'], 0]);
  stop();
});

test('one by one, too, here or on another device; what comes meanwhile is unread', async () => {
  const { bell, tell, status, shown, answer, stop } = openBell();
  await answer(['a', 'b', 'c']);
  // After a reconnect it is asked for again.
  status.set({ state: 'connected', id: 'b', recovered: true, since: 0 });
  void bell.markRead('a');
  tell('notification:read', { ids: ['b'], at: 2 }, {});
  const { data } = notification('d');
  tell('system:notification', data, { room: 'user:ada', at: 2 });
  await answer(['a', 'b', 'c']);
  expect([shown(), bell.get().unread]).toEqual([['d', 'c', 'b (read)', 'a (read)'], 2]);
  stop();
});

test('however many are marked read, no message names more than the server takes', async () => {
  const { bell, marks, answer, stop } = openBell();
  await answer([]);
  const ids = Array.from({ length: 1_201 }, (_, index) => `n${index}`);
  const all = bell.markRead(ids);
  expect(marks.map(({ args: [asked] }) => (asked as readonly string[]).length)).toEqual([500, 500, 201]);
  expect(marks.flatMap(({ args: [asked] }) => asked)).toEqual(ids);
  for (const mark of marks) mark.resolve();
  await all;
  stop();
});

test('how many are unread beyond the list is what the server says of them: nothing is counted twice, and what it does not know not at all', async () => {
  const { bell, tell, marks, answer, stop } = openBell();
  await answer(['a', 'b'], 10);
  const mark = async (id: string, read: readonly string[]) => {
    const done = bell.markRead(id);
    if (read.length > 0) tell('notification:read', { ids: read, at: 1 }, {});
    marks.at(-1)?.resolve();
    await done;
    return bell.get().unread;
  };
  expect(await mark('unlisted', ['unlisted'])).toBe(9);
  expect(await mark('unknown', [])).toBe(9);
  expect(await mark('a', ['a'])).toBe(8);
  expect(await mark('a', [])).toBe(8);
  stop();
});
