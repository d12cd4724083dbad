import { Activity, useState } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { type Client, createClient, createEventClient, platformEnvironment } from '../../client/index.ts';
import {
  EventClientProvider,
  RealtimeProvider,
  useArray,
  useAwareness,
  useBatch,
  useChat,
  useConnectionStatus,
  useDashboard,
  useDocument,
  useEventClient,
  useLatest,
  useLostConnection,
  useMap,
  useNotifications,
  useOthers,
  usePresence,
  useReadable,
  useRealtime,
  useSaveStatus,
  useSelf,
  useSystemStatus,
  useText,
  useUndo,
  useUnsavedDocuments,
  useWebSocket,
  useWebSocketRoom,
} from '../../client/react/index.ts';
import { act, expectQuietConsole, hydrate, mount } from '../support/react.tsx';
import { until } from '../support/sdk.ts';
import { startServer, tokenFor } from '../support/start-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

expectQuietConsole();

function State() {
  return useConnectionStatus(({ state }) => state);
}

/** Every hook at once. */
function Everything() {
  const document = useDocument('handbook');
  const state = [
    useRealtime() === useEventClient(),
    useConnectionStatus(),
    useLostConnection(),
    useSystemStatus(),
    useWebSocket('dashboard:update', () => {}),
    useWebSocketRoom('catalog'),
    usePresence('catalog'),
    useLatest('dashboard:update', 'sales'),
    useText(document, 'body'),
    useMap(document, 'board'),
    useArray(document, 'list'),
    useUndo(document),
    useSaveStatus(document),
    useUnsavedDocuments(),
    useAwareness(document),
    useOthers(document),
    useSelf(document),
    useChat('s1'),
    useNotifications(),
    useBatch('b1'),
    useDashboard(['sales', 'costs']),
    useReadable(useRealtime().pending),
  ];
  return <pre>{JSON.stringify(state)}</pre>;
}

test('a provider with url and token connects once under StrictMode, and asks for one token', async () => {
  await using server = await startServer();
  await using proxy = await startTcpProxy(server.url);
  let tokens = 0;
  const token = async () => {
    tokens++;
    return tokenFor('ada');
  };
  await using page = await mount(
    <RealtimeProvider url={proxy.url} token={token} transports={['websocket']}>
      <State />
      <Everything />
    </RealtimeProvider>,
  );
  await page.shows((text) => text.startsWith('connected'));
  expect([proxy.accepted, tokens]).toEqual([1, 1]);
  // Rendered again with another inline token function: nothing connects anew.
  await page.render(
    <RealtimeProvider url={proxy.url} token={() => token()} transports={['websocket']}>
      <State />
    </RealtimeProvider>,
  );
  expect([page.text, proxy.accepted, tokens]).toEqual(['connected', 1, 1]);
  await page.unmount();
  await expect.poll(() => proxy.connections).toBe(0);
});

/** A provider that makes its client, below what may hide it. @returns what to mount, and the clients that it showed */
function hideable(url: string) {
  const clients = new Set<Client>();
  function Shown() {
    clients.add(useRealtime());
    const document = useDocument('handbook');
    return `${useConnectionStatus(({ state }) => state)} ${useText(document, 'body')}`;
  }
  const app = (mode: 'visible' | 'hidden') => (
    <Activity mode={mode}>
      <RealtimeProvider url={url} token={tokenFor('ada')} onError={() => {}}>
        <Shown />
      </RealtimeProvider>
    </Activity>
  );
  return { app, clients };
}

test('a client that the provider made is destroyed with it, and asks no question about what it did not save', async () => {
  const questions = new Set<object>();
  const confirmUnload = () => {
    const question = {};
    questions.add(question);
    return () => questions.delete(question);
  };
  const environment = { ...platformEnvironment(), confirmUnload };
  let client: Client | null = null;
  function Editor() {
    client = useRealtime();
    return useDocument('handbook')?.name;
  }
  await using page = await mount(
    <RealtimeProvider url="http://127.0.0.1:1" token="x" environment={environment} onError={() => {}}>
      <Editor />
    </RealtimeProvider>,
  );
  const made = client! as Client;
  await act(() => made.document('handbook').doc.getText('body').insert(0, 'x'));
  expect([questions.size, made.unsavedDocuments.get().length]).toEqual([1, 1]);
  await page.unmount();
  await until(made.status, ({ state }) => state === 'closed');
  expect([questions.size, made.unsavedDocuments.get().length]).toEqual([0, 0]);
  expect(() => made.document('handbook')).toThrow(expect.objectContaining({ code: 'client-closed' }));
});

test('a provider that is hidden and shown again goes on with another client', async () => {
  await using server = await startServer();
  await server.realtime.documents.transact('handbook', (doc) => doc.getText('body').insert(0, 'stone'));
  const { app, clients } = hideable(server.url);
  await using page = await mount(app('visible'));
  await page.shows('connected stone');
  await page.render(app('hidden'));
  await expect.poll(() => server.realtime.getStats().totalConnections).toBe(0);
  await page.render(app('visible'));
  await page.shows('connected stone');
  expect([...clients].map((client) => client.status.get().state)).toEqual(['closed', 'connected']);
  expect(server.realtime.getStats().totalConnections).toBe(1);
});

test('another url is another client; a new token word is taken to the next connection', async () => {
  await using one = await startServer();
  await using other = await startServer();
  const app = (url: string, token: string) => (
    <RealtimeProvider url={url} token={token}>
      <State />
    </RealtimeProvider>
  );
  await using page = await mount(app(one.url, 'no token at all'));
  await page.shows('refused');
  await page.render(app(one.url, tokenFor('ada')));
  await page.shows('connected');
  expect(one.realtime.getStats().totalConnections).toBe(1);
  await page.render(app(other.url, tokenFor('ada')));
  await page.shows('connected');
  await expect.poll(() => other.realtime.getStats().totalConnections).toBe(1);
  await expect.poll(() => one.realtime.getStats().totalConnections).toBe(0);
});

test('another path is another client, and what else is given anew is not', async () => {
  const seen = new Set<object>();
  function Seen() {
    seen.add(useRealtime());
    return null;
  }
  const app = (path: string, maxPending: number) => (
    <RealtimeProvider url="http://127.0.0.1:1" path={path} token="none" maxPending={maxPending}>
      <Seen />
    </RealtimeProvider>
  );
  await using page = await mount(app('/a/', 1));
  const before = seen.size;
  await page.render(app('/a/', 2));
  expect(seen.size).toBe(before);
  await page.render(app('/b/', 2));
  expect(seen.size).toBeGreaterThan(before);
});

test('a client of one’s own is connected if nobody has done so, and stays when the provider goes', async () => {
  await using server = await startServer();
  const client = createClient({ url: server.url, token: tokenFor('ada') });
  await using page = await mount(
    <RealtimeProvider client={client}>
      <State />
    </RealtimeProvider>,
  );
  await page.shows('connected');
  await page.unmount();
  expect(client.status.get().state).toBe('connected');
  client.disconnect();
  // Closed by its owner: a provider does not open it again.
  await using again = await mount(
    <RealtimeProvider client={client}>
      <State />
    </RealtimeProvider>,
  );
  expect(again.text).toBe('closed');
});

test('rendering on a server connects nothing, asks for no token, and every hook has something to show', () => {
  let tokens = 0;
  const html = renderToString(
    <RealtimeProvider
      url="http://127.0.0.1:1"
      token={() => {
        tokens++;
        return 'x';
      }}
    >
      <Everything />
    </RealtimeProvider>,
  );
  expect(html).toContain('{&quot;state&quot;:&quot;idle&quot;}');
  // Where there is no page whose address it could take, it needs none.
  vi.stubGlobal('location', undefined);
  const app = <RealtimeProvider token="x">{null}</RealtimeProvider>;
  expect(() => renderToString(app)).not.toThrow();
  vi.unstubAllGlobals();
  const client = createClient({ url: 'http://127.0.0.1:1', token: 'x' });
  renderToString(
    <RealtimeProvider client={client}>
      <Everything />
    </RealtimeProvider>,
  );
  expect([tokens, client.status.get().state, client.pending.get()]).toEqual([0, 'idle', 0]);
});

test('a page that takes over what a server rendered agrees with it, also where it is connected already', async () => {
  await using server = await startServer();
  const app = (client: ReturnType<typeof createClient>) => (
    <RealtimeProvider client={client}>
      <State />
      <Everything />
    </RealtimeProvider>
  );
  const html = renderToString(app(createClient({ url: server.url, token: 'x' })));
  const client = createClient({ url: server.url, token: tokenFor('ada') });
  await client.connect();
  await client.joinRoom('catalog');
  const { text, mended } = await hydrate(html, app(client));
  expect([mended, text.startsWith('connected')]).toEqual([[], true]);
  client.disconnect();
});

test('outside of a provider every hook says in one sentence what to add', async () => {
  expect(() => renderToString(<State />)).toThrow('useConnectionStatus needs a <RealtimeProvider client={client}> above it');
  const client = createEventClient({ url: 'http://127.0.0.1:1', token: 'x' });
  const inside = (node: React.ReactNode) => <EventClientProvider client={client}>{node}</EventClientProvider>;
  const Document = () => useDocument('handbook')?.name;
  expect(() => renderToString(inside(<Document />))).toThrow(
    'useDocument needs a <RealtimeProvider client={client}> above it, with a client of createClient',
  );
  expect(renderToString(inside(<State />))).toBe('idle');
});

test('everything that was held is given back: rooms, documents and listeners', async () => {
  await using server = await startServer();
  const client = createClient({ url: server.url, token: tokenFor('ada') });
  function Switch() {
    const [on, set] = useState(true);
    return (
      <>
        <button type="button" onClick={() => set(false)}>
          off
        </button>
        {on ? <Everything /> : null}
      </>
    );
  }
  await using page = await mount(
    <RealtimeProvider client={client}>
      <Switch />
    </RealtimeProvider>,
  );
  const rooms = ['catalog', 'dashboard', 'chat:s1', 'batch:b1', 'notifications'];
  await Promise.all(rooms.map((room) => until(client.room(room), ({ state }) => state === 'joined')));
  await expect.poll(() => server.realtime.getStats().rooms['doc:handbook']).toBe(1);
  await act(() => page.element.querySelector('button')?.click());
  await Promise.all(rooms.map((room) => until(client.room(room), ({ state }) => state === 'left')));
  await expect.poll(() => server.realtime.getStats().rooms['doc:handbook']).toBeUndefined();
  client.disconnect();
});
