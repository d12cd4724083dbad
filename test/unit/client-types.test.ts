import { expectTypeOf, test } from 'vitest';
import * as z from 'zod/mini';
import { type Client, createClient, createEventClient, defineEvent, type EventMeta } from '../../client/index.ts';
import type { AshlarError } from '../../shared/errors.ts';

const orderShipped = defineEvent({
  name: 'order:shipped',
  room: 'order:*',
  roomOf: (order) => `order:${order.orderId}`,
  sentBy: ['backend'],
  payload: z.object({ orderId: z.string(), carrier: z.string() }),
  delivery: { class: 'log' },
});
const orderNoted = defineEvent({
  name: 'order:noted',
  room: 'order:*',
  sentBy: ['client'],
  payload: z.object({ orderId: z.string(), by: z.string() }),
  input: z.object({ orderId: z.string() }),
  delivery: { class: 'log' },
});

const plain = createEventClient({ url: 'http://127.0.0.1:1', token: 't' });
const client = createClient({ url: 'http://127.0.0.1:1', token: async () => 't', events: [orderShipped, orderNoted] });

// Compiled, never run: a wrong name or payload is an error of the compiler's.
const compiled = (): void => {
  client.on('dashboard:update', (update, meta) => {
    expectTypeOf(update).toEqualTypeOf<{ widgetId: string; value: number; timestamp: string }>();
    expectTypeOf(meta).toEqualTypeOf<EventMeta>();
  });
  client.on('order:shipped', ({ carrier }) => expectTypeOf(carrier).toEqualTypeOf<string>());
  client.on('presence:update', ({ users }) => expectTypeOf(users[0]!.userId).toEqualTypeOf<string>());
  client.on('error', (error) => expectTypeOf(error).toEqualTypeOf<AshlarError>());
  // @ts-expect-error no such event
  client.on('order:lost', () => {});
  // @ts-expect-error declared by another product
  plain.on('order:shipped', () => {});
  // @ts-expect-error value is a number
  client.on('dashboard:update', (update: { value: string }) => update);

  void client.emit('chat:message', { sessionId: 's', content: 'hi' }).then(({ data }) => {
    expectTypeOf(data!.sender).toEqualTypeOf<'user' | 'assistant'>();
  });
  void client.emit('order:noted', { orderId: '1' }, { room: 'order:1' }).then(({ data }) => {
    expectTypeOf(data!.by).toEqualTypeOf<string>();
  });
  // @ts-expect-error content is missing
  void client.emit('chat:message', { sessionId: 's' });
  // @ts-expect-error content is a string
  void client.emit('chat:message', { sessionId: 's', content: 1 });
  // @ts-expect-error only the backend sends it
  void client.emit('order:shipped', { orderId: '1', carrier: 'x' });
  // @ts-expect-error a client without documents
  plain.document('handbook');
};

test('[8] events keep their types from the catalog to the listener', () => {
  expectTypeOf(compiled).toBeFunction();
  expectTypeOf(plain).not.toHaveProperty('document');
  expectTypeOf<Client>().toHaveProperty('document');
});
