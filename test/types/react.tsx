// Checked by tsc (npm run types), never run: what must not compile.
import { expectTypeOf } from 'vitest';
import * as z from 'zod/mini';
import {
  createClient,
  createEventClient,
  defineEvent,
  type EventMeta,
  type OpenDocument,
  type Person,
} from '../../client/index.ts';
import {
  EventClientProvider,
  RealtimeProvider,
  useArray,
  useBatch,
  useChat,
  useConnectionStatus,
  useDashboard,
  useDocument,
  useLatest,
  useMap,
  useNotifications,
  useOthers,
  usePresence,
  useReadable,
  useRealtime,
  useSaveStatus,
  useText,
  useUndo,
  useWebSocket,
  useWebSocketRoom,
} from '../../client/react/index.ts';

const orderShipped = defineEvent({
  name: 'order:shipped',
  room: 'order:*',
  sentBy: ['backend'],
  payload: z.object({ orderId: z.string() }),
  delivery: { class: 'log' },
});

export function Compiled() {
  useWebSocket('dashboard:update', (update, meta) => {
    expectTypeOf(update).toEqualTypeOf<{ widgetId: string; value: number; timestamp: string }>();
    expectTypeOf(meta).toEqualTypeOf<EventMeta>();
  });
  useWebSocket('presence:update', ({ users }) => expectTypeOf(users[0]!.userId).toEqualTypeOf<string>());
  useWebSocket(null, () => {});
  // @ts-expect-error no such event
  useWebSocket('dashboard:updated', () => {});
  // @ts-expect-error value is a number
  useWebSocket('dashboard:update', (update: { value: string }) => update);
  // @ts-expect-error nobody registered it
  useWebSocket('order:shipped', () => {});
  // @ts-expect-error a handler is needed
  useWebSocket('dashboard:update');

  useWebSocketRoom(null);
  // @ts-expect-error a room is named by a string
  useWebSocketRoom(7);
  const orderId: string = 'o1';
  useWebSocketRoom(`order:${orderId}`);
  useWebSocketRoom(orderId === '' ? null : orderId);
  useWebSocketRoom(orderId === '' ? null : 'a room of one’s own');
  // @ts-expect-error a room has a name
  useWebSocketRoom('');
  // @ts-expect-error a pattern is no room
  useWebSocketRoom('order:*');
  // @ts-expect-error one of them is no room
  useWebSocketRoom(orderId === '' ? 'order' : '');
  // @ts-expect-error useDocument opens it
  useWebSocketRoom('doc:handbook');
  // @ts-expect-error useDocument opens it
  useWebSocketRoom(`doc:${orderId}`);
  usePresence('doc:handbook');
  expectTypeOf(usePresence(orderId, (members) => members.length)).toEqualTypeOf<number>();
  usePresence<number>('dashboard', (members) => members.length);
  // @ts-expect-error white space at its end
  usePresence('dashboard ');

  expectTypeOf(useLatest('dashboard:update', 'sales')?.value).toEqualTypeOf<number | undefined>();
  // @ts-expect-error no such event
  useLatest('dashboard:latest', 'sales');
  // @ts-expect-error all of them count, not the latest
  useLatest('chat:message', 's1');
  // @ts-expect-error nothing of it is kept
  useLatest('chat:typing', 's1');
  // @ts-expect-error a request, which only the asker hears of
  useLatest('dashboard:refresh', 'sales');
  // @ts-expect-error a platform event has no key
  useLatest('presence:update', 'ada');
  expectTypeOf(useLatest('batch:progress', 'b1')?.progress).toEqualTypeOf<number | undefined>();
  // @ts-expect-error of which widget?
  useLatest('dashboard:update');

  const { widgets } = useDashboard(['sales', 'costs']);
  expectTypeOf(widgets.sales?.value).toEqualTypeOf<number | undefined>();
  // @ts-expect-error not asked for
  widgets.profit;
  expectTypeOf(useDashboard(['sales'], (state) => state.live)).toEqualTypeOf<boolean>();

  const document = useDocument('handbook');
  expectTypeOf(document).toEqualTypeOf<OpenDocument | null>();
  useDocument(null);
  // @ts-expect-error a document is named by a string
  useDocument(7);
  // @ts-expect-error no such option
  useDocument('handbook', { readonly: true });
  expectTypeOf(useText(document, 'body')).toEqualTypeOf<string>();
  expectTypeOf(useText(document, 'body', (text) => text.length)).toEqualTypeOf<number>();
  expectTypeOf(useMap<{ title: string }>(document, 'meta').title).toEqualTypeOf<string | undefined>();
  expectTypeOf(useMap(document, 'meta', (meta: { title?: string }) => meta.title)).toEqualTypeOf<string | undefined>();
  const [first] = useArray<{ name: string }>(document, 'tasks');
  expectTypeOf(first?.name).toEqualTypeOf<string | undefined>();
  // @ts-expect-error a snapshot is not to be changed
  useArray<string>(document, 'tasks').push('x');
  // @ts-expect-error a document, not its name
  useText('handbook', 'body');
  useUndo(document, { types: ['body'] }).undo();
  const status = useSaveStatus(document);
  // @ts-expect-error saved says no number
  status.changes;
  if (status.state === 'offline') expectTypeOf(status.changes).toEqualTypeOf<number>();
  expectTypeOf(useOthers(document)).toEqualTypeOf<readonly Person<Record<string, unknown>>[]>();
  expectTypeOf(useOthers(document, (others) => others.length)).toEqualTypeOf<number>();

  const { send, messages } = useChat('s1');
  expectTypeOf(messages[0]!.status).toEqualTypeOf<'sending' | 'sent' | 'failed'>();
  // @ts-expect-error what to say
  send();
  expectTypeOf(useChat('s1', (chat) => chat.send)).toEqualTypeOf<(content: string) => void>();
  expectTypeOf(useNotifications(({ unread }) => unread)).toEqualTypeOf<number>();
  expectTypeOf(useBatch('b1')?.progress).toEqualTypeOf<number | undefined>();
  expectTypeOf(useConnectionStatus(({ state }) => state)).toExtend<string>();
  expectTypeOf(useReadable(useRealtime().pending)).toEqualTypeOf<number>();
  // @ts-expect-error only the backend sends it
  void useRealtime().emit('dashboard:update', { widgetId: 'a', value: 1, timestamp: '' });
  return null;
}

export function Providers() {
  const own = createClient({ url: 'http://127.0.0.1:1', token: 'x', events: [orderShipped] });
  const events = createEventClient({ url: 'http://127.0.0.1:1', token: 'x' });
  return (
    <>
      <RealtimeProvider client={createClient({ url: 'http://127.0.0.1:1', token: 'x' })} />
      <RealtimeProvider url="http://127.0.0.1:1" token={() => 'x'} />
      {/* @ts-expect-error a token is needed */}
      <RealtimeProvider url="http://127.0.0.1:1" />
      {/* @ts-expect-error its events are not registered */}
      <RealtimeProvider client={own} />
      {/* @ts-expect-error it has no documents */}
      <RealtimeProvider client={events} />
      <EventClientProvider client={events} />
    </>
  );
}
