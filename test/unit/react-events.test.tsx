import { useState } from 'react';
import { expect, test, vi } from 'vitest';
import { createEventClient, type EventClient } from '../../client/index.ts';
import {
  EventClientProvider,
  useBatch,
  useDashboard,
  useLatest,
  useLostConnection,
  usePresence,
  useReadable,
  useSystemStatus,
  useWebSocket,
  useWebSocketRoom,
} from '../../client/react/index.ts';
import { act, expectQuietConsole, mount } from '../support/react.tsx';
import { until } from '../support/sdk.ts';
import { startServer, type TestServer, tokenFor } from '../support/start-server.ts';

expectQuietConsole();

const update = (widgetId: string, value: number) => ({ widgetId, value, timestamp: new Date(0).toISOString() });

async function start(): Promise<{ server: TestServer; client: EventClient } & AsyncDisposable> {
  const server = await startServer();
  const client = createEventClient({ url: server.url, token: tokenFor('ada') });
  await client.connect();
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

const below = (client: EventClient, node: React.ReactNode) => <EventClientProvider client={client}>{node}</EventClientProvider>;

test('an inline handler sees the newest props and never subscribes again', async () => {
  await using world = await start();
  const { client, server } = world;
  const on = vi.spyOn(client, 'on');
  const heard: string[] = [];
  function Widget({ label }: { label: string }) {
    useWebSocketRoom('dashboard');
    useWebSocket('dashboard:update', ({ value }) => heard.push(`${label}${value}`));
    return label;
  }
  await using page = await mount(below(client, <Widget label="a" />));
  await until(client.room('dashboard'), ({ state }) => state === 'joined');
  const subscribed = on.mock.calls.length;
  for (const label of ['b', 'c']) await page.render(below(client, <Widget label={label} />));
  expect(on.mock.calls.length).toBe(subscribed);
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 7));
  await vi.waitFor(() => expect(heard).toEqual(['c7']));
  await page.unmount();
  expect(heard).toEqual(['c7']);
});

test('where the provider gets another client, that one is listened to, and the one before no longer', async () => {
  await using before = await start();
  await using after = await start();
  const heard: number[] = [];
  function Widget() {
    useWebSocketRoom('dashboard');
    useWebSocket('dashboard:update', ({ value }) => heard.push(value));
    return null;
  }
  await using page = await mount(below(before.client, <Widget />));
  await until(before.client.room('dashboard'), ({ state }) => state === 'joined');
  // So that the room is not left, and what comes there would be heard.
  await before.client.joinRoom('dashboard');
  await page.render(below(after.client, <Widget />));
  await until(after.client.room('dashboard'), ({ state }) => state === 'joined');
  const arrived = new Promise((resolve) => before.client.on('dashboard:update', resolve));
  await before.server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 1));
  await arrived;
  await after.server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 2));
  await vi.waitFor(() => expect(heard).toEqual([2]));
});

test('another event is listened to from the next render on, and the one before no longer', async () => {
  await using world = await start();
  const { client, server } = world;
  const heard: unknown[] = [];
  function Widget({ event }: { event: 'system:status' | 'catalog:updated' }) {
    useWebSocketRoom('catalog');
    useWebSocket(event, (...args) => heard.push(args[0]));
    return event;
  }
  await using page = await mount(below(client, <Widget event="system:status" />));
  await page.render(below(client, <Widget event="catalog:updated" />));
  await until(client.room('catalog'), ({ state }) => state === 'joined');
  await server.realtime.broadcast('system:status', { status: 'degraded' });
  const changes = { added: 1, modified: 0, deleted: 0 };
  await server.realtime.broadcast('catalog:updated', { updatedAt: new Date(0).toISOString(), changes });
  await vi.waitFor(() => expect(heard).toEqual([expect.objectContaining({ changes })]));
});

test('what an inline selector picks keeps its identity over renders, as long as it is equal', async () => {
  await using world = await start();
  const { client } = world;
  const picked = new Set<unknown>();
  function Widget({ label }: { label: string }) {
    picked.add(useReadable(client.status, ({ state }) => [state]));
    return label;
  }
  await using page = await mount(below(client, <Widget label="a" />));
  for (const label of ['b', 'c']) await page.render(below(client, <Widget label={label} />));
  // StrictMode renders the first time twice, and nothing of the other is kept.
  expect(picked.size).toBeLessThanOrEqual(2);
});

test('null disables: no listener, no room, no value', async () => {
  await using world = await start();
  const { client } = world;
  const on = vi.spyOn(client, 'on');
  const join = vi.spyOn(client, 'joinRoom');
  function Nothing() {
    useWebSocket(null, () => {});
    const { state } = useWebSocketRoom(null);
    return JSON.stringify([state, usePresence(null), useLatest('dashboard:update', null) ?? 'none', useBatch(null)]);
  }
  await using page = await mount(below(client, <Nothing />));
  expect(page.text).toBe('["left",[],"none",null]');
  expect([on.mock.calls, join.mock.calls]).toEqual([[], []]);
});

test('a room is joined once however often it mounts, and its refusal is shown', async () => {
  await using world = await start();
  const { client, server } = world;
  function Room({ name }: { name: string }) {
    const status = useWebSocketRoom(name);
    return status.state === 'refused' ? status.error.code : status.state;
  }
  const joins = vi.spyOn(client, 'joinRoom');
  await using page = await mount(below(client, <Room name="catalog" />));
  await page.shows('joined');
  expect(joins).toHaveBeenCalledOnce();
  expect(server.realtime.getStats().rooms.catalog).toBe(1);
  await page.render(below(client, <Room name="not a room *" />));
  await page.shows('invalid-room');
  await page.render(below(client, <Room name="doc:handbook" />));
  await page.shows('invalid-room');
  await until(client.room('catalog'), ({ state }) => state === 'left');
});

test('a late joiner sees the dashboard, and a widget that did not change does not render', async () => {
  await using world = await start();
  const { client, server } = world;
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 7));
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('costs', 3));
  const renders = { sales: 0, both: 0 };
  function Sales() {
    renders.sales++;
    return `sales ${useLatest('dashboard:update', 'sales')?.value}; `;
  }
  function Both() {
    renders.both++;
    const { widgets, live } = useDashboard(['sales', 'costs']);
    return `${widgets.sales?.value}/${widgets.costs?.value} ${live ? 'live' : 'stale'}`;
  }
  await using page = await mount(
    below(
      client,
      <>
        <Sales />
        <Both />
      </>,
    ),
  );
  await page.shows('sales 7; 7/3 live');
  const before = { ...renders };
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('of nobody', 1));
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('costs', 4));
  await page.shows('sales 7; 7/4 live');
  expect(renders.sales).toBe(before.sales);
  // Twice is once: StrictMode.
  expect(renders.both).toBe(before.both + 2);
  // The same values once more, as an answer: nothing renders.
  await client.emit('dashboard:refresh', { widgets: ['sales', 'costs'] });
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 8));
  await page.shows('sales 8; 8/4 live');
  expect(renders).toEqual({ sales: before.sales + 2, both: before.both + 4 });
});

test('a batch shows its progress, to a late joiner too, its pace, and what it brought', async () => {
  await using world = await start();
  const { client, server } = world;
  const tell = (progress: number) =>
    server.realtime.toRoom('batch:b1', 'batch:progress', {
      batchId: 'b1',
      progress,
      current: progress,
      total: 100,
      status: 'processing',
    });
  await tell(10);
  function Job() {
    const job = useBatch('b1');
    if (job === null) return 'nothing';
    return `${job.status} ${job.progress} ${job.results === null ? '' : JSON.stringify(job.results)}${job.durationMs ?? ''}`;
  }
  function Paced() {
    return useBatch('b1', (job) => (job?.remainingMs === null ? ' unknown' : ' known'));
  }
  const app = below(
    client,
    <>
      <Job />
      <Paced />
    </>,
  );
  await using page = await mount(app);
  await page.shows('processing 10  unknown');
  await vi.waitFor(async () => {
    await tell(50);
    expect(page.text).toBe('processing 50  known');
  });
  await server.realtime.toRoom('batch:b1', 'batch:completed', { batchId: 'b1', results: [1, 2], duration: 900 });
  await page.shows('completed 100 [1,2]900 unknown');
  await page.unmount();
  await using again = await mount(app);
  await again.shows('completed 100 [1,2]900 unknown');
});

test('who is in a room is shown once per user, and only a picked change renders', async () => {
  await using world = await start();
  const { client, server } = world;
  let renders = 0;
  function Online() {
    renders++;
    return usePresence('plan', (members) =>
      members.filter(({ status }) => status === 'online').map(({ userId }) => userId),
    ).join();
  }
  await using page = await mount(below(client, <Online />));
  await page.shows('ada');
  const bob = createEventClient({ url: server.url, token: tokenFor('bob') });
  void bob.connect();
  await bob.joinRoom('plan');
  await page.shows('ada,bob');
  const before = renders;
  const second = createEventClient({ url: server.url, token: tokenFor('bob', { name: 'Robert' }) });
  void second.connect();
  await second.joinRoom('plan');
  await until(client.members('plan'), (members) => members.some(({ name }) => name === 'Robert'));
  expect([page.text, renders]).toEqual(['ada,bob', before]);
  bob.disconnect();
  second.disconnect();
});

test('the status of the system, and the loss of the connection after five seconds, by the client’s own clock', async () => {
  await using world = await start();
  const { server } = world;
  const timers: { ms: number; task: () => void }[] = [];
  const { platformEnvironment } = await import('../../client/index.ts');
  const environment = platformEnvironment();
  const client = createEventClient({
    url: server.url,
    token: tokenFor('ada'),
    environment: {
      ...environment,
      after(ms, task) {
        if (ms !== 5_000) return environment.after(ms, task);
        timers.push({ ms, task });
        return () => {};
      },
    },
  });
  const told: string[] = [];
  function Banner() {
    const status = useSystemStatus();
    const lost = useLostConnection((notice) => told.push(notice));
    return `${status?.status ?? 'unknown'} ${lost}`;
  }
  await using page = await mount(below(client, <Banner />));
  await until(client.room('system'), ({ state }) => state === 'joined');
  await server.realtime.broadcast('system:status', { status: 'degraded', message: 'slow' });
  await page.shows('degraded null');
  server.http.closeAllConnections();
  await server.stop();
  await until(client.status, ({ state }) => state !== 'connected');
  expect(page.text).toBe('degraded null');
  await act(() => {
    for (const { task } of timers.splice(0)) task();
  });
  expect([page.text, told]).toEqual(['degraded lost', ['lost']]);
  client.disconnect();
});

test('the same component in two places, and one that comes and goes, share what is held', async () => {
  await using world = await start();
  const { client, server } = world;
  function Value() {
    return `${useLatest('dashboard:update', 'sales')?.value ?? '-'} `;
  }
  let toggle: (on: boolean) => void = () => {};
  function Twice() {
    const [on, set] = useState(true);
    toggle = set;
    return (
      <>
        <Value />
        {on ? <Value key="second" /> : null}
      </>
    );
  }
  await server.realtime.toRoom('dashboard', 'dashboard:update', update('sales', 1));
  await using page = await mount(below(client, <Twice />));
  await page.shows('1 1 ');
  await act(() => toggle(false));
  await act(() => toggle(true));
  expect(page.text).toBe('1 1 ');
});

test('the latest value of another room is shown from the next render on', async () => {
  const client = {
    status: { get: () => ({ state: 'connected' }) },
    latest: (_event: string, key: string, { room }: { room?: string }) => ({
      get: () => ({ value: `${key} in ${room ?? 'its own room'}` }),
      subscribe: () => () => {},
    }),
  } as unknown as EventClient;
  function Value({ room }: { room?: string }) {
    return String(useLatest('dashboard:update', 'sales', room === undefined ? {} : { room })?.value);
  }
  await using page = await mount(below(client, <Value />));
  expect(page.text).toBe('sales in its own room');
  for (const room of ['hall', 'cellar']) {
    await page.render(below(client, <Value room={room} />));
    expect(page.text).toBe(`sales in ${room}`);
  }
});
