// Checked by tsc (npm run types), never run: what must not compile.
import * as z from 'zod/mini';
import type { EventClient } from '../../client/event-client.ts';
import type { RealtimeServer } from '../../server/server.ts';
import type { CatalogEvents, InputOf, PayloadOf } from '../../shared/catalog.ts';
import { defineEvent, type EventDefinition } from '../../shared/define-event.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const proven = <Claim extends true>(claim?: Claim): void => void claim;

const timestamp = '2026-01-01T00:00:00Z';

export const orderShipped = defineEvent({
  name: 'order:shipped',
  room: 'order:*',
  roomOf: (order) => `order:${order.orderId}`,
  sentBy: ['backend'],
  payload: z.object({ orderId: z.string(), carrier: z.optional(z.string()) }),
  delivery: { class: 'log' },
});
export const orderPlace = defineEvent({
  name: 'order:place',
  room: 'order:*',
  sentBy: ['backend'],
  payload: z.object({ orderId: z.string(), street: z.string() }),
  delivery: { class: 'state', key: (place) => place.orderId },
});
declare const server: RealtimeServer<[typeof orderShipped]>;
declare const client: EventClient<[typeof orderShipped, typeof orderPlace]>;
declare const ofUnknownClass: EventDefinition<'order:priced', { price: number }>;
declare const untold: EventClient<[typeof ofUnknownClass]>;

export function payloadsAreInferred(): void {
  proven<Same<PayloadOf<CatalogEvents, 'dashboard:update'>, { widgetId: string; value: number; timestamp: string }>>();
  proven<Same<InputOf<CatalogEvents, 'chat:message'>, { sessionId: string; content: string }>>();
  proven<Same<PayloadOf<CatalogEvents, 'system:status'>['status'], 'online' | 'maintenance' | 'degraded'>>();
}

export function aWrongPayloadDoesNotCompile(): void {
  void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: 7, timestamp });
  // @ts-expect-error value is a number
  void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'orders', value: '7', timestamp });
  // @ts-expect-error the widget is not named
  void server.broadcast('dashboard:update', { value: 7, timestamp });
  // @ts-expect-error no such status
  void server.broadcast('system:status', { status: 'asleep' });
}

export function aProductsEventsAreTypedAsOurs(): void {
  void server.toRoom('order:1', 'order:shipped', { orderId: '1' });
  // @ts-expect-error orderId is text
  void server.toRoom('order:1', 'order:shipped', { orderId: 1 });
  // @ts-expect-error nobody declared it
  void server.toRoom('order:1', 'order:lost', { orderId: '1' });
}

export function theBackendSendsWhatIsItsToSend(): void {
  // @ts-expect-error a request of clients
  void server.broadcast('dashboard:refresh', { widgets: [] });
}

export function aListenerGetsThePayloadOfItsEvent(): void {
  client.on('dashboard:update', ({ value }) => proven<Same<typeof value, number>>());
  client.on('order:shipped', ({ orderId }, { seq }) => {
    proven<Same<typeof orderId, string>>();
    proven<Same<typeof seq, number | undefined>>();
  });
  // @ts-expect-error nobody declared it
  client.on('order:lost', () => {});
}

export function onlyAStateEventHasALatestValue(): void {
  proven<Same<ReturnType<typeof place.get>, { orderId: string; street: string } | undefined>>();
  // @ts-expect-error a log event: each of them counts
  client.latest('order:shipped', '1');
  // @ts-expect-error a log event of the catalog
  client.latest('chat:message', '1');
  // Its type does not tell: that is for the client to find out.
  untold.latest('order:priced', '1');
}
const place = client.latest('order:place', '1');

export function aRoomThatCannotBeDoesNotCompile(orderId: string): void {
  void client.joinRoom(orderId);
  void client.joinRoom(`order:${orderId}`);
  void client.joinRoom('anything else');
  void client.joinRoom('doc:');
  // @ts-expect-error a room has a name
  void client.joinRoom('');
  // @ts-expect-error a pattern is no room
  void client.joinRoom('order:*');
  // @ts-expect-error no room has two dots in its name
  void client.joinRoom('order..1');
  // @ts-expect-error client.document opens it
  void client.joinRoom('doc:handbook');
  client.members('doc:handbook');
  // @ts-expect-error white space at its end
  client.onRoom('dashboard\n', () => {});
}

export function aClientSendsTheInputOfItsEvent(): void {
  void client.emit('chat:message', { sessionId: '1', content: 'hello' }).then(({ data }) => data?.sender === 'user');
  // @ts-expect-error the content is missing
  void client.emit('chat:message', { sessionId: '1' });
  // @ts-expect-error the content is text
  void client.emit('chat:message', { sessionId: '1', content: 7 });
  // @ts-expect-error only the backend sends it
  void client.emit('dashboard:update', { widgetId: 'orders', value: 7, timestamp });
}
