import { expect, test } from 'vitest';
import { createEventClient, type EventClient } from '../../client/index.ts';
import { EventClientProvider, type NotificationList, useNotifications } from '../../client/react/index.ts';
import { act, expectQuietConsole, mount } from '../support/react.tsx';
import { until } from '../support/sdk.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

expectQuietConsole();

const notification = (id: string) => ({
  id,
  level: 'info' as const,
  title: id,
  message: '',
  timestamp: new Date(0).toISOString(),
});
const tell = (server: TestServer, id: string) => server.realtime.toUser('ada', 'system:notification', notification(id));

/** A device of Ada's with a bell: `2: b a` are two unread ones, `(a)` one that was read. */
function device(url: string) {
  const client: EventClient = createEventClient({ url, token: tokenFor('ada') });
  const bell = { list: undefined as unknown as NotificationList, renders: 0 };
  function Bell() {
    const list = useNotifications();
    bell.list = list;
    bell.renders++;
    return `${list.unread}: ${list.notifications.map(({ id, read }) => (read ? `(${id})` : id)).join(' ')}`;
  }
  const app = (
    <EventClientProvider client={client}>
      <Bell />
    </EventClientProvider>
  );
  return { client, bell, app, [Symbol.dispose]: () => client.disconnect() };
}

test('read on one device it is read on the other, at once and after a time away', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using laptop = device(server.url);
  using phone = device(proxy.url);
  await tell(server, 'a');
  await server.realtime.broadcast('system:notification', notification('b'));
  await using left = await mount(laptop.app);
  await using right = await mount(phone.app);
  await Promise.all([left.shows('2: b a'), right.shows('2: b a')]);
  await act(() => laptop.bell.list.markRead('a'));
  expect(left.text).toBe('1: b (a)');
  await right.shows('1: b (a)');
  // Away, nobody tells it: it asks when it is back.
  proxy.cut();
  await until(phone.client.status, ({ state }) => state !== 'connected');
  await act(() => laptop.bell.list.markAllRead());
  await tell(server, 'c');
  await left.shows('1: c (b) (a)');
  expect(right.text).toBe('1: b (a)');
  proxy.mend();
  await right.shows('1: c (b) (a)');
});

test('a bell that is mounted long after the notifications came has them all', async () => {
  await using server = await startServer();
  using laptop = device(server.url);
  await laptop.client.connect();
  await until(laptop.client.room('user:ada'), ({ state }) => state === 'joined');
  await tell(server, 'a');
  await laptop.client.joinRoom('notifications');
  await using page = await mount(laptop.app);
  await page.shows('1: a');
  await tell(server, 'b');
  await page.shows('2: b a');
});

test('marked offline it is read here at once, and everywhere as soon as the network is back', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using laptop = device(server.url);
  using phone = device(proxy.url);
  await tell(server, 'a');
  await using left = await mount(laptop.app);
  await using right = await mount(phone.app);
  await Promise.all([left.shows('1: a'), right.shows('1: a')]);
  proxy.cut();
  await until(phone.client.status, ({ state }) => state !== 'connected');
  let marked: Promise<void> = Promise.resolve();
  await act(() => {
    marked = phone.bell.list.markRead(['a']);
  });
  expect([left.text, right.text]).toEqual(['1: a', '0: (a)']);
  proxy.mend();
  await marked;
  await left.shows('0: (a)');
  await right.shows('0: (a)');
});

test('what could not be marked is unread again, and a badge renders only for its number', async () => {
  await using server = await startServer();
  using laptop = device(server.url);
  let renders = 0;
  function Badge() {
    renders++;
    return `${useNotifications(({ unread }) => unread)}`;
  }
  await tell(server, 'a');
  await using page = await mount(laptop.app);
  await page.shows('1: a');
  await using badge = await mount(
    <EventClientProvider client={laptop.client}>
      <Badge />
    </EventClientProvider>,
  );
  expect(badge.text).toBe('1');
  const before = renders;
  await act(() => laptop.bell.list.markRead('x'.repeat(200)).catch(() => {}));
  await page.shows('1: a');
  expect([badge.text, renders]).toEqual(['1', before]);
  laptop.client.markNotificationsRead = () => Promise.reject(new Error('no'));
  await act(() => laptop.bell.list.markAllRead().catch(() => {}));
  await badge.shows('1');
  expect(page.text).toBe('1: a');
});
