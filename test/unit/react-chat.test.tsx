import { expect, test, vi } from 'vitest';
import { createClient, createEventClient, type EventClient } from '../../client/index.ts';
import { type Chat, EventClientProvider, useChat } from '../../client/react/index.ts';
import { act, expectQuietConsole, mount } from '../support/react.tsx';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

expectQuietConsole();

const below = (client: EventClient, node: React.ReactNode) => <EventClientProvider client={client}>{node}</EventClientProvider>;

function line({ messages, typing, hasOlder }: Chat): string {
  const said = messages.map(({ content, status }) => (status === 'sent' ? content : `${content}(${status})`));
  return `${hasOlder ? '…' : ''}${said.join(' ')}${typing.map(({ name }) => ` ${name} types`).join('')}`;
}

/** What a page shows of a session, and a way to its actions. */
function chatPage(sessionId = 's1') {
  const page = { chat: undefined as unknown as Chat, renders: 0, texts: [] as string[] };
  function List() {
    const chat = useChat(sessionId);
    page.chat = chat;
    page.renders++;
    const text = line(chat);
    if (page.texts.at(-1) !== text) page.texts.push(text);
    return text;
  }
  return { page, List };
}

test('a message stands at once, becomes sent in its place, and is never seen twice', async () => {
  await using server = await startServer();
  using client = disposable(createEventClient({ url: server.url, token: tokenFor('ada') }));
  const { page, List } = chatPage();
  await using shown = await mount(below(client, <List />));
  await until(client.room('chat:s1'), ({ state }) => state === 'joined');
  await act(() => page.chat.send('  hello  '));
  const [sending] = page.chat.messages;
  expect(sending).toMatchObject({ content: 'hello', status: 'sending', userId: 'ada', seq: null });
  await shown.shows('hello');
  expect(page.chat.messages[0]).toMatchObject({ key: sending?.key, status: 'sent', seq: 1 });
  await act(() => page.chat.send('   '));
  expect(page.texts).toEqual(['', 'hello(sending)', 'hello']);
  const page2 = await client.chatHistory('s1');
  expect(page2.messages).toHaveLength(1);
});

test('two components share a session: what one sends the other shows, and a composer never renders for others’ messages', async () => {
  await using server = await startServer();
  using ada = disposable(createEventClient({ url: server.url, token: tokenFor('ada') }));
  using bob = disposable(createEventClient({ url: server.url, token: tokenFor('bob', { name: 'Bob' }) }));
  const { List } = chatPage();
  let renders = 0;
  let send: Chat['send'] = () => {};
  function Composer() {
    renders++;
    send = useChat('s1', (chat) => chat.send);
    return null;
  }
  const both = (
    <>
      <List />
      <Composer />
    </>
  );
  await using shown = await mount(below(ada, both));
  await until(ada.room('chat:s1'), ({ state }) => state === 'joined');
  const before = renders;
  await act(() => send('hi'));
  await shown.shows('hi');
  void bob.connect();
  await bob.joinRoom('chat:s1');
  await bob.emit('chat:typing', { sessionId: 's1', isTyping: true });
  await shown.shows('hi Bob types');
  await bob.emit('chat:message', { sessionId: 's1', content: 'hey' });
  await shown.shows('hi hey');
  expect(renders).toBe(before);
});

test('what is refused says so, can be sent again under its id, or be taken out', async () => {
  await using server = await startServer();
  using client = disposable(createEventClient({ url: server.url, token: tokenFor('ada', { access: { 'chat:*': 'read' } }) }));
  const { page, List } = chatPage();
  await using shown = await mount(below(client, <List />));
  await until(client.room('chat:s1'), ({ state }) => state === 'joined');
  await act(() => page.chat.send('one'));
  await act(() => page.chat.send('two'));
  await shown.shows('one(failed) two(failed)');
  const [one, two] = page.chat.messages;
  expect(one?.error?.code).toBe('access-denied');
  await act(() => page.chat.discard(two?.key ?? ''));
  expect(shown.text).toBe('one(failed)');
  await server.realtime.grant('ada', 'chat:s1', 'write');
  await until(client.room('chat:s1'), (status) => status.state === 'joined' && status.access === 'write');
  await act(() => page.chat.retry(one?.key ?? ''));
  await shown.shows('one');
  expect(page.chat.messages[0]?.key).toBe(one?.key);
  // Once more under the same id: the server knows it.
  await client.emit('chat:message', { sessionId: 's1', content: 'one' }, { id: one?.key ?? '' });
  expect((await client.chatHistory('s1')).messages).toHaveLength(1);
});

test('written offline it waits, survives the cut, and what others said meanwhile stands where it was said', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  using ada = disposable(createEventClient({ url: proxy.url, token: tokenFor('ada') }));
  using bob = disposable(createEventClient({ url: server.url, token: tokenFor('bob') }));
  const { page, List } = chatPage();
  await using shown = await mount(below(ada, <List />));
  await until(ada.room('chat:s1'), ({ state }) => state === 'joined');
  void bob.connect();
  await bob.emit('chat:message', { sessionId: 's1', content: 'first' });
  await shown.shows('first');
  proxy.cut();
  await until(ada.status, ({ state }) => state !== 'connected');
  await act(() => page.chat.send('mine'));
  await bob.emit('chat:message', { sessionId: 's1', content: 'meanwhile' });
  expect(shown.text).toBe('first mine(sending)');
  proxy.mend();
  await shown.shows('first meanwhile mine');
  expect(page.chat.messages.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('history comes in one piece, older pages on demand, and a session opened again is there at once', async () => {
  await using server = await startServer();
  using client = disposable(createClient({ url: server.url, token: tokenFor('ada') }));
  const timestamp = new Date(0).toISOString();
  for (let n = 1; n <= 70; n++) {
    const message = { id: `m${n}`, sessionId: 's1', content: `${n}`, sender: 'assistant' as const, timestamp };
    await server.realtime.toRoom('chat:s1', 'chat:message', message);
  }
  await client.connect();
  const { page, List } = chatPage();
  await using shown = await mount(below(client, <List />));
  const numbers = (from: number) => Array.from({ length: 71 - from }, (_, index) => from + index).join(' ');
  await shown.shows(`…${numbers(21)}`);
  // Nothing, then all of it.
  expect(page.texts).toHaveLength(2);
  const newest = page.chat.messages.at(-1);
  await act(() => page.chat.loadOlder());
  expect(shown.text).toBe(numbers(1));
  expect([page.chat.messages.at(-1), page.chat.hasOlder]).toEqual([newest, false]);
  await act(() => page.chat.loadOlder());
  // A room that somebody else holds: its history went by, and is asked for.
  await client.joinRoom('chat:s1');
  await shown.render(below(client, 'elsewhere'));
  await shown.render(below(client, <List />));
  await shown.shows((text) => text.endsWith(' 69 70'));
  client.leaveRoom('chat:s1');
});

test('who may not read is told so, and is let in as soon as that changes', async () => {
  await using server = await startServer();
  using client = disposable(createEventClient({ url: server.url, token: tokenFor('eve', { access: {} }) }));
  function Gate() {
    const { state, error } = useChat('s1');
    return `${state} ${error?.code ?? ''}`;
  }
  await using shown = await mount(below(client, <Gate />));
  await shown.shows('refused access-denied');
  await server.realtime.grant('eve', 'chat:s1', 'write');
  await client.joinRoom('chat:s1');
  await shown.shows('ready ');
});

test('typing is said once in three seconds, and a sent message ends it', async () => {
  await using server = await startServer();
  using client = disposable(createEventClient({ url: server.url, token: tokenFor('ada') }));
  const emit = vi.spyOn(client, 'emit');
  const said = () =>
    emit.mock.calls.filter(([name]) => name === 'chat:typing').map(([, data]) => (data as { isTyping: boolean }).isTyping);
  const { page, List } = chatPage();
  await using shown = await mount(below(client, <List />));
  await until(client.room('chat:s1'), ({ state }) => state === 'joined');
  for (let key = 0; key < 10; key++) page.chat.setTyping();
  expect(said()).toEqual([true]);
  await act(() => page.chat.send('hi'));
  await shown.shows('hi');
  expect(said()).toEqual([true, false]);
});

test('null has no session', async () => {
  using client = disposable(createEventClient({ url: 'http://127.0.0.1:1', token: 'x' }));
  let chat: Chat | undefined;
  function None() {
    chat = useChat(null);
    return chat.state;
  }
  await using shown = await mount(below(client, <None />));
  expect(shown.text).toBe('loading');
  expect(() => chat?.send('hi')).toThrow('useChat(null) has no session to send to');
});

function disposable<Own extends EventClient>(client: Own): Own & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}
