import type * as z from 'zod/mini';
import { patternCovers } from './access.ts';
import { AshlarError } from './errors.ts';
import { faultOfEvent, isSchema } from './fault-of-event.ts';

/** Who may send an event: the product's backend, or a connected client with `write` access to the room. */
export type Sender = 'backend' | 'client';

/**
 * What an event promises.
 * - `log`: on disk before anyone receives it, ordered, replayed after a reconnect.
 * - `state`: the latest value per key is kept and handed to whoever joins.
 * - `ephemeral`: now or never.
 * - `request`: answered to the asker alone.
 */
export type Delivery<Payload> =
  | { readonly class: 'log' }
  | { readonly class: 'state'; readonly key: (payload: Payload) => string }
  | { readonly class: 'ephemeral' }
  | { readonly class: 'request' };

/** What an event promises, by its word. */
export type DeliveryClass = Delivery<unknown>['class'];

/** A zod schema (zod or zod/mini) for a payload. */
export type PayloadSchema<Output> = z.core.$ZodType<Output>;

/** What a product (or Ashlar) declares once about an event. */
export interface EventDeclaration<Name extends string, Payload, Input, Sent extends Sender, Class extends DeliveryClass> {
  /** Event name on the wire, such as `dashboard:update`. */
  name: Name;
  /** The room it belongs to: a name, or a pattern such as `order:*`; several where it has several. */
  room: string | readonly string[];
  /** Finds the room in the payload, so that a sender need not name it. Needed by events of a pattern that clients send without `meta.room`. */
  roomOf?: (payload: NoInfer<Input>) => string;
  sentBy: readonly Sent[];
  /** What receivers get, and what the backend sends. */
  payload: PayloadSchema<Payload>;
  /** What a client sends, where that differs from `payload`: the server completes it. */
  input?: PayloadSchema<Input>;
  delivery: Delivery<Payload> & { readonly class: Class };
  /** Payload version, from 1. Raise it when `payload` changes, and give `upcast`. */
  version?: number;
  /** Turns a stored payload of an older version into today's. */
  upcast?: (payload: unknown, version: number) => Payload;
}

/** What is known of an event besides its schemas. */
// biome-ignore lint/suspicious/noExplicitAny: variance: facts of unrelated payloads stand in one list.
export interface EventFacts<Name extends string = string, Payload = any, Input = any, Sent extends Sender = Sender> {
  readonly name: Name;
  readonly room: string | readonly string[];
  readonly roomOf?: ((payload: Input) => string) | undefined;
  readonly sentBy: readonly Sent[];
  readonly delivery: Delivery<Payload>;
}

/** A declared event. `Name`, `Payload`, `Input` and `Class` are what the typed `on`, `emit`, `latest` and `toRoom` infer from. */
export interface EventDefinition<
  Name extends string = string,
  Payload = unknown,
  Input = unknown,
  Sent extends Sender = Sender,
  Class extends DeliveryClass = DeliveryClass,
> extends EventFacts<Name, Payload, Input, Sent> {
  readonly delivery: Delivery<Payload> & { readonly class: Class };
  readonly roomOf: ((payload: Input) => string) | undefined;
  readonly payload: PayloadSchema<Payload>;
  readonly input: PayloadSchema<Input>;
  readonly version: number;
  readonly upcast: ((payload: unknown, version: number) => Payload) | undefined;
}

/** A definition of which only the name's type and the plain data matter: what a catalog holds. */
// biome-ignore lint/suspicious/noExplicitAny: variance: a catalog holds definitions of unrelated payloads.
export type AnyEventDefinition = EventDefinition<string, any, any>;

/**
 * Declares an event: once, for server, client and React.
 * @example
 * const orderShipped = defineEvent({
 *   name: 'order:shipped',
 *   room: 'order:*',
 *   roomOf: (order) => `order:${order.orderId}`,
 *   sentBy: ['backend'],
 *   payload: z.object({ orderId: z.string(), carrier: z.string() }),
 *   delivery: { class: 'log' },
 * });
 * @throws AshlarError `invalid-options` where something is missing or wrong; its detail names it, and what is allowed
 */
export function defineEvent<
  const Name extends string,
  Payload,
  Input = Payload,
  const Sent extends Sender = Sender,
  const Class extends DeliveryClass = DeliveryClass,
>(declaration: EventDeclaration<Name, Payload, Input, Sent, Class>): EventDefinition<Name, Payload, Input, Sent, Class> {
  const fault = faultOfEvent(declaration);
  if (fault !== undefined) throw new AshlarError('invalid-options', { detail: fault });
  const { version = 1 } = declaration;
  return {
    name: declaration.name,
    room: declaration.room,
    roomOf: declaration.roomOf,
    sentBy: declaration.sentBy,
    payload: declaration.payload,
    // Without an input of its own a client sends what receivers get: Input is Payload then.
    input: declaration.input ?? (declaration.payload as unknown as PayloadSchema<Input>),
    delivery: declaration.delivery,
    version,
    upcast: declaration.upcast,
  };
}

/** Whether a value has come out of `defineEvent`. */
export function isEventDefinition(value: unknown): value is AnyEventDefinition {
  return faultOfEvent(value) === undefined && isSchema((value as { input?: unknown }).input);
}

/** The names and patterns of the rooms that an event belongs in. */
export function roomPatterns(definition: EventFacts): readonly string[] {
  return typeof definition.room === 'string' ? [definition.room] : definition.room;
}

/** Whether an event belongs in a room. */
export function belongsIn(definition: EventFacts, room: string): boolean {
  return roomPatterns(definition).some((pattern) => patternCovers(pattern, room));
}

/** The one room of an event that has just one. */
export function onlyRoom(definition: EventFacts): string | undefined {
  return typeof definition.room === 'string' && !definition.room.endsWith('*') ? definition.room : undefined;
}

/**
 * Events by name.
 * @throws AshlarError `invalid-options` where a name is declared twice, or one has none: it is no event
 */
export function collectByName<Facts extends EventFacts>(...lists: readonly (readonly Facts[])[]): ReadonlyMap<string, Facts> {
  const byName = new Map<string, Facts>();
  for (const definition of lists.flat()) {
    const name: string | undefined = definition?.name;
    if (name === undefined || byName.has(name)) {
      throw new AshlarError('invalid-options', { detail: `event ${name} is declared twice, or not at all` });
    }
    byName.set(name, definition);
  }
  return byName;
}
