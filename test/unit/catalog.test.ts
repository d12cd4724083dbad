import { describe, expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod/mini';
import type { EventClient } from '../../client/event-client.ts';
import type { RealtimeServer } from '../../server/server.ts';
import {
  batchProgress,
  CATALOG,
  type CatalogEvents,
  chatMessage,
  chatTyping,
  createCatalog,
  dashboardRefresh,
  dashboardUpdate,
  type EventName,
  type EventNameBy,
  type InputOf,
  type PayloadOf,
  systemNotification,
  systemStatus,
  type WithCatalog,
} from '../../shared/catalog.ts';
import { defineEvent, type PayloadSchema } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parsePayload } from '../../shared/parse-payload.ts';

const timestamp = '2026-11-24T12:00:00Z';

const accepts = (schema: unknown, payload: unknown) => {
  try {
    parsePayload(schema as PayloadSchema<unknown>, payload, 'it');
    return true;
  } catch (error) {
    if (error instanceof AshlarError && error.code === 'invalid-payload') return false;
    throw error;
  }
};

describe('the catalog', () => {
  test('has the events, classes and senders that products were promised', () => {
    expect(CATALOG.map((event) => [event.name, event.room, event.delivery.class, event.sentBy.join()])).toEqual([
      ['dashboard:update', 'dashboard', 'state', 'backend'],
      ['dashboard:refresh', 'dashboard', 'request', 'client'],
      ['chat:message', 'chat:*', 'log', 'client,backend'],
      ['chat:typing', 'chat:*', 'ephemeral', 'client,backend'],
      ['system:notification', ['notifications', 'user:*'], 'log', 'backend'],
      ['system:status', 'system', 'state', 'backend'],
      ['batch:progress', 'batch:*', 'state', 'backend'],
      ['batch:completed', 'batch:*', 'log', 'backend'],
      ['catalog:updated', 'catalog', 'log', 'backend'],
    ]);
  });

  test('finds the room in the payload where it depends on it', () => {
    expect(chatMessage.roomOf?.({ sessionId: '7', content: 'x' })).toBe('chat:7');
    expect(chatTyping.roomOf?.({ sessionId: '7', isTyping: true })).toBe('chat:7');
    expect(batchProgress.roomOf?.({ batchId: 'b', progress: 0, current: 0, total: 0, status: 'pending' })).toBe('batch:b');
    expect(dashboardUpdate.roomOf).toBeUndefined();
  });

  test('keeps one value per widget, per batch, and one of the system’s status', () => {
    const keyOf = (event: (typeof CATALOG)[number], payload: unknown) =>
      event.delivery.class === 'state' ? (event.delivery.key as (value: unknown) => string)(payload) : null;
    expect(keyOf(dashboardUpdate, { widgetId: 'w', value: 1, timestamp })).toBe('w');
    expect(keyOf(batchProgress, { batchId: 'b' })).toBe('b');
    expect(keyOf(systemStatus, { status: 'online' })).toBe(keyOf(systemStatus, { status: 'degraded' }));
  });

  test('together with a product’s own events holds each name once', () => {
    const own = defineEvent({
      name: 'order:shipped',
      room: 'orders',
      sentBy: ['backend'],
      payload: z.string(),
      delivery: { class: 'log' },
    });
    const catalog = createCatalog([own]);
    expect(catalog.get('order:shipped')).toBe(own);
    expect(catalog.size).toBe(CATALOG.length + 1);
    const twice = () => createCatalog([own, own]);
    expect(twice).toThrow('event order:shipped is declared twice');
    const taken = defineEvent({
      name: 'chat:message',
      room: 'chat:*',
      sentBy: ['client'],
      payload: z.string(),
      delivery: { class: 'log' },
    });
    expect(() => createCatalog([taken])).toThrow('event chat:message is declared twice');
  });
});

describe('payloads', () => {
  test.each<[string, boolean, unknown, unknown]>([
    ['a widget’s value', true, dashboardUpdate.payload, { widgetId: 'w', value: -1.5, timestamp }],
    ['a time with an offset', true, dashboardUpdate.payload, { widgetId: 'w', value: 1, timestamp: '2026-11-24T13:00:00+01:00' }],
    ['a value in words', false, dashboardUpdate.payload, { widgetId: 'w', value: '7', timestamp }],
    ['a value that is not a number', false, dashboardUpdate.payload, { widgetId: 'w', value: Number.NaN, timestamp }],
    ['a time without a zone', false, dashboardUpdate.payload, { widgetId: 'w', value: 7, timestamp: '2026-11-24T12:00:00' }],
    ['a time in ms', false, dashboardUpdate.payload, { widgetId: 'w', value: 7, timestamp: 1 }],
    ['an empty id', false, dashboardUpdate.payload, { widgetId: '', value: 7, timestamp }],
    ['an id of 129 characters', false, dashboardUpdate.payload, { widgetId: 'x'.repeat(129), value: 7, timestamp }],
    ['what a client says in a chat', true, chatMessage.input, { sessionId: '1', content: 'hello' }],
    ['the longest message', true, chatMessage.input, { sessionId: '1', content: 'x'.repeat(20_000) }],
    ['a longer one', false, chatMessage.input, { sessionId: '1', content: 'x'.repeat(20_001) }],
    ['an empty one', false, chatMessage.input, { sessionId: '1', content: '' }],
    ['a message from nobody', false, chatMessage.payload, { id: 'm', sessionId: '1', content: 'x', sender: 'root', timestamp }],
    ['typing, perhaps', false, chatTyping.input, { sessionId: '1', isTyping: 'yes' }],
    [
      'progress beyond the end',
      false,
      batchProgress.payload,
      { batchId: 'b', progress: 101, current: 1, total: 1, status: 'pending' },
    ],
    ['progress in halves', true, batchProgress.payload, { batchId: 'b', progress: 0.5, current: 0, total: 0, status: 'pending' }],
    ['half an item', false, batchProgress.payload, { batchId: 'b', progress: 1, current: 0.5, total: 1, status: 'pending' }],
    ['a level of its own', false, systemNotification.payload, { id: 'n', level: 'debug', title: '', message: '', timestamp }],
    ['a status without a word', true, systemStatus.payload, { status: 'online' }],
  ])('%s: %s', (_what, accepted, schema, payload) => expect(accepts(schema, payload)).toBe(accepted));

  const notified = (title: string, message: string) => ({ id: 'n', level: 'info', title, message, timestamp });
  const refresh = (widgets: number, length: number) => ({ widgets: Array<string>(widgets).fill('w'.repeat(length)) });
  test.each<[string, unknown, (length: number) => unknown, number]>([
    ['title', systemNotification.payload, (length) => notified('x'.repeat(length), ''), 500],
    ['text', systemNotification.payload, (length) => notified('', 'x'.repeat(length)), 20_000],
    ['message beside a status', systemStatus.payload, (length) => ({ status: 'online', message: 'x'.repeat(length) }), 2_000],
    ['list of widgets', dashboardRefresh.input, (length) => refresh(length, 1), 200],
    ['name of a widget', dashboardRefresh.input, (length) => refresh(1, length), 128],
    ['name of a session', chatTyping.input, (length) => ({ sessionId: 's'.repeat(length), isTyping: true }), 128],
  ])('each is bounded: a %s', (_what, schema, ofLength, most) =>
    expect([accepts(schema, ofLength(most)), accepts(schema, ofLength(most + 1))]).toEqual([true, false]),
  );

  test('a client cannot say who it is: what it adds is dropped', () => {
    const said = { sessionId: '1', content: 'x', userId: 'eve', name: 'Eve', id: 'm', sender: 'assistant', timestamp };
    expect(parsePayload(chatMessage.input, said, 'chat:message')).toEqual({ sessionId: '1', content: 'x' });
    const typing = { sessionId: '1', isTyping: true, userId: 'eve' };
    expect(parsePayload(chatTyping.input, typing, 'chat:typing')).toEqual({ sessionId: '1', isTyping: true });
  });
});

describe('[8] types reach end to end', () => {
  const shipped = defineEvent({
    name: 'order:shipped',
    room: 'orders',
    sentBy: ['backend', 'client'],
    payload: z.object({ orderId: z.string() }),
    delivery: { class: 'log' },
  });
  type Own = [typeof shipped];

  test('payloads and inputs are inferred by name', () => {
    expectTypeOf<PayloadOf<CatalogEvents, 'dashboard:update'>>().toEqualTypeOf<{
      widgetId: string;
      value: number;
      timestamp: string;
    }>();
    expectTypeOf<InputOf<CatalogEvents, 'chat:message'>>().toEqualTypeOf<{ sessionId: string; content: string }>();
    expectTypeOf<PayloadOf<CatalogEvents, 'chat:message'>['sender']>().toEqualTypeOf<'user' | 'assistant'>();
    expectTypeOf<PayloadOf<CatalogEvents, 'system:status'>['status']>().toEqualTypeOf<'online' | 'maintenance' | 'degraded'>();
    expectTypeOf<PayloadOf<WithCatalog<Own>, 'order:shipped'>>().toEqualTypeOf<{ orderId: string }>();
  });

  test('names are those that a sender may send', () => {
    expectTypeOf<EventNameBy<CatalogEvents, 'client'>>().toEqualTypeOf<'dashboard:refresh' | 'chat:message' | 'chat:typing'>();
    expectTypeOf<'dashboard:refresh'>().not.toExtend<EventNameBy<CatalogEvents, 'backend'>>();
    expectTypeOf<EventName<WithCatalog<Own>>>().toExtend<EventName<CatalogEvents> | 'order:shipped'>();
    expectTypeOf<EventNameBy<WithCatalog<Own>, 'client'>>().toEqualTypeOf<
      'dashboard:refresh' | 'chat:message' | 'chat:typing' | 'order:shipped'
    >();
  });

  test('a wrong payload does not compile on the server', () => {
    const attempts = (server: RealtimeServer<Own>) => {
      void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'w', value: 7, timestamp });
      void server.broadcast('order:shipped', { orderId: '1' });
      // @ts-expect-error value is a number
      void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'w', value: '7', timestamp });
      // @ts-expect-error there is a timestamp
      void server.toRoom('dashboard', 'dashboard:update', { widgetId: 'w', value: 7 });
      // @ts-expect-error there is no such field
      void server.broadcast('order:shipped', { orderId: '1', carrier: 'c' });
      // @ts-expect-error there is no such event
      void server.broadcast('order:lost', { orderId: '1' });
      // @ts-expect-error clients alone ask for a refresh
      void server.toRoom('dashboard', 'dashboard:refresh', { widgets: [] });
      // @ts-expect-error there is no such level
      void server.toUser('ada', 'system:notification', { id: 'n', level: 'loud', title: 't', message: 'm', timestamp });
    };
    expectTypeOf(attempts).toBeFunction();
    expect(attempts).toHaveLength(1);
  });

  test('nor in a client, and what it receives is typed', () => {
    const attempts = (client: EventClient<Own>) => {
      client.on('dashboard:update', (update, meta) => {
        expectTypeOf(update.value).toEqualTypeOf<number>();
        expectTypeOf(meta.room).toEqualTypeOf<string>();
      });
      client.on('order:shipped', (order) => expectTypeOf(order).toEqualTypeOf<{ orderId: string }>());
      void client.emit('chat:message', { sessionId: '1', content: 'hello' });
      void client.emit('order:shipped', { orderId: '1' });
      // @ts-expect-error content is text
      void client.emit('chat:message', { sessionId: '1', content: 7 });
      // @ts-expect-error the server says who sent it
      void client.emit('chat:message', { sessionId: '1', content: 'hello', userId: 'eve' });
      // @ts-expect-error the backend alone sends it
      void client.emit('dashboard:update', { widgetId: 'w', value: 7, timestamp });
      // @ts-expect-error there is no such event
      client.on('order:lost', () => {});
    };
    expectTypeOf(attempts).toBeFunction();
    expect(attempts).toHaveLength(1);
  });
});
