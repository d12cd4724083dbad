import { describe, expect, expectTypeOf, test } from 'vitest';
import * as zod from 'zod';
import * as z from 'zod/mini';
import { belongsIn, defineEvent, isEventDefinition, onlyRoom, roomPatterns, type Sender } from '../../shared/define-event.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import { refusal } from '../support/refusal.ts';

const shipped = defineEvent({
  name: 'order:shipped',
  room: 'order:*',
  roomOf: (order: { orderId: string }) => `order:${order.orderId}`,
  sentBy: ['backend'],
  payload: z.object({ orderId: z.string(), carrier: z.string(), boxes: z.optional(z.number()) }),
  delivery: { class: 'log' },
});

describe('declaring an event', () => {
  test('fills in what was left out: version 1, and the payload as what clients send', () => {
    expect(shipped).toMatchObject({ name: 'order:shipped', version: 1, delivery: { class: 'log' } });
    expect(shipped.input).toBe(shipped.payload);
    expect(shipped.upcast).toBeUndefined();
  });

  test('takes schemas of zod and of zod/mini alike', () => {
    const event = defineEvent({
      name: 'order:noted',
      room: 'orders',
      sentBy: ['client'],
      payload: zod.object({ note: zod.string().min(1) }),
      delivery: { class: 'ephemeral' },
    });
    expectTypeOf<z.output<typeof event.payload>>().toEqualTypeOf<{ note: string }>();
    expect(parsePayload(event.payload, { note: 'x', more: 1 }, event.name)).toEqual({ note: 'x' });
    expect(refusal(() => parsePayload(event.payload, { note: '' }, event.name)).code).toBe('invalid-payload');
  });

  test.each(['order', 'Order:shipped', 'order:', ':shipped', 'order shipped', 'order:Shipped', '1order:a', 'order:_a', ''])(
    'refuses the name %j',
    (name) => {
      const error = refusal(() =>
        defineEvent({ name, room: 'orders', sentBy: ['backend'], payload: z.string(), delivery: { class: 'log' } }),
      );
      expect(error).toMatchObject({ code: 'invalid-options', detail: expect.stringContaining(`"${name}"`) });
    },
  );

  test.each(['order:shipped', 'order-line:shipped-late', 'a:b:c', 'v2:a1'])('takes the name %j', (name) => {
    const declare = () =>
      defineEvent({ name, room: 'orders', sentBy: ['backend'], payload: z.string(), delivery: { class: 'log' } });
    expect(declare().name).toBe(name);
  });

  const good = { name: 'order:noted', room: 'orders', sentBy: ['backend'], payload: z.string(), delivery: { class: 'log' } };

  test.each([
    [{ ...good, room: undefined }, 'room'],
    [{ ...good, room: [] }, 'room'],
    [{ ...good, room: 'a*b' }, 'room'],
    [{ ...good, roomOf: 'orders' }, 'roomOf'],
    [{ ...good, sentBy: undefined }, 'sentBy'],
    [{ ...good, sentBy: [] }, 'sentBy'],
    [{ ...good, sentBy: ['server'] }, 'sentBy'],
    [{ ...good, payload: undefined }, 'payload'],
    [{ ...good, payload: { parse: () => {} } }, 'payload'],
    [{ ...good, input: {} }, 'input'],
    [{ ...good, delivery: undefined }, 'delivery.class'],
    [{ ...good, delivery: { class: 'logs' } }, 'delivery.class'],
    [{ ...good, delivery: { class: 'state' } }, 'delivery.key'],
    [{ ...good, version: 0 }, 'version'],
    [{ ...good, version: 1.5 }, 'version'],
    [{ ...good, upcast: 'none' }, 'upcast'],
    [{ ...good, sentby: ['client'] }, 'sentby'],
    [{ ...good, roomof: () => 'orders' }, 'roomof'],
    [{ ...good, delivery: { class: 'log', kye: () => 'x' } }, 'delivery.kye'],
    [{ ...good, delivery: { class: 'log', key: () => 'x' } }, 'delivery.key'],
  ])('from JavaScript it is checked too, and what is wrong is named: %#', (declaration, field) => {
    const error = refusal(() => defineEvent(declaration as never));
    expect(error).toMatchObject({ code: 'invalid-options', detail: expect.stringMatching(`^event order:noted: ${field}: `) });
    expect(isEventDefinition({ ...defineEvent(good as never), ...declaration, input: declaration.payload })).toBe(
      field === 'input',
    );
  });

  test('nothing at all is refused with a sentence', () => {
    expect(refusal(() => defineEvent(undefined as never))).toMatchObject({ code: 'invalid-options' });
  });

  test('wants an upcast from the second version on', () => {
    const declare = (upcast?: (payload: unknown, version: number) => string) =>
      defineEvent({
        name: 'order:noted',
        room: 'orders',
        sentBy: ['backend'],
        payload: z.string(),
        delivery: { class: 'log' },
        version: 2,
        ...(upcast === undefined ? {} : { upcast }),
      });
    expect(refusal(() => declare()).detail).toContain('version 2');
    expect(declare((payload) => String(payload)).upcast?.(7, 1)).toBe('7');
  });
});

describe('the room of an event', () => {
  const inTwo = defineEvent({
    name: 'order:seen',
    room: ['orders', 'order:*'],
    sentBy: ['backend'],
    payload: z.string(),
    delivery: { class: 'log' },
  });
  const inOne = defineEvent({
    name: 'order:counted',
    room: 'orders',
    sentBy: ['backend'],
    payload: z.string(),
    delivery: { class: 'log' },
  });

  test('is a name, a pattern or several', () => {
    expect([shipped, inTwo, inOne].map(roomPatterns)).toEqual([['order:*'], ['orders', 'order:*'], ['orders']]);
    expect(['order:1', 'orders', 'doc:1'].map((room) => belongsIn(inTwo, room))).toEqual([true, true, false]);
    expect(['order:1', 'orders'].map((room) => belongsIn(inOne, room))).toEqual([false, true]);
  });

  test('needs no saying where there is just one', () => {
    expect([shipped, inTwo, inOne].map(onlyRoom)).toEqual([undefined, undefined, 'orders']);
  });
});

describe('checking a payload', () => {
  test('gives what the schema knows, and nothing else', () => {
    expect(parsePayload(shipped.payload, { orderId: '1', carrier: 'c', admin: true }, 'order:shipped')).toEqual({
      orderId: '1',
      carrier: 'c',
    });
  });

  test.each([
    [{ orderId: '1', carrier: 7 }, 'order:shipped at carrier: '],
    [{ orderId: '1' }, 'order:shipped at carrier: '],
    ['text', 'order:shipped: '],
    [undefined, 'order:shipped: '],
    [null, 'order:shipped: '],
    [[], 'order:shipped: '],
  ])('says what is wrong, and where: %j', (payload, start) => {
    const error = refusal(() => parsePayload(shipped.payload, payload, 'order:shipped'));
    expect(error.code).toBe('invalid-payload');
    expect(error.detail?.startsWith(start), error.detail).toBe(true);
  });

  test.each([
    ['answers later', z.string().check(z.refine(async () => true))],
    [
      'throws',
      z.string().check(
        z.refine(() => {
          throw new Error('secret');
        }),
      ),
    ],
  ])('a schema that %s is a payload that does not fit, and not a fault of the server', (_, schema) => {
    const error = refusal(() => parsePayload(schema, 'x', 'order:shipped'));
    expect([error.code, error.detail]).toEqual(['invalid-payload', 'order:shipped: its schema threw, or needs promises']);
  });

  test('is not fooled by a key that every object has', () => {
    const payload = JSON.parse('{"orderId":"1","carrier":"c","__proto__":{"boxes":3}}') as unknown;
    const parsed = parsePayload(shipped.payload, payload, 'order:shipped');
    expect(parsed.boxes).toBeUndefined();
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  });
});

describe('[8] types', () => {
  test('of name, payload, input and senders follow from the declaration', () => {
    interface Order {
      orderId: string;
      carrier: string;
      boxes?: number | undefined;
    }
    expectTypeOf(shipped.name).toEqualTypeOf<'order:shipped'>();
    expectTypeOf(shipped.sentBy).toEqualTypeOf<readonly 'backend'[]>();
    expectTypeOf<z.output<typeof shipped.payload>>().toEqualTypeOf<Order>();
    const asked = defineEvent({
      name: 'order:asked',
      room: 'orders',
      sentBy: ['client', 'backend'],
      payload: z.object({ text: z.string(), by: z.string() }),
      input: z.object({ text: z.string() }),
      delivery: { class: 'state', key: (payload) => payload.by },
    });
    expectTypeOf<z.output<typeof asked.input>>().toEqualTypeOf<{ text: string }>();
    expectTypeOf<z.output<typeof asked.payload>>().toEqualTypeOf<{ text: string; by: string }>();
    expectTypeOf<(typeof asked.sentBy)[number]>().toEqualTypeOf<Sender>();
  });

  test('refuse keys, rooms and senders that do not fit', () => {
    const payload = z.object({ orderId: z.string() });
    const common = { name: 'order:wrong', room: 'orders', sentBy: ['backend'], payload } as const;
    // @ts-expect-error a key is made of the payload's own fields
    defineEvent({ ...common, delivery: { class: 'state', key: (order) => order.id } });
    // @ts-expect-error a state event has a key
    expect(() => defineEvent({ ...common, delivery: { class: 'state' } })).toThrow();
    // @ts-expect-error there is no such class
    expect(() => defineEvent({ ...common, delivery: { class: 'sometimes' } })).toThrow();
    // @ts-expect-error nobody else sends events
    expect(() => defineEvent({ ...common, sentBy: ['admin'], delivery: { class: 'log' } })).toThrow();
    // @ts-expect-error a room is a name or names
    expect(() => defineEvent({ ...common, room: 7, delivery: { class: 'log' } })).toThrow();
    // @ts-expect-error an upcast gives today's payload
    defineEvent({ ...common, delivery: { class: 'log' }, version: 2, upcast: () => ({ orderId: 7 }) });
  });
});
