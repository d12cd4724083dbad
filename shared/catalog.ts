import * as z from 'zod/mini';
import { type AnyEventDefinition, defineEvent, type Sender } from './define-event.ts';
import { AshlarError } from './errors.ts';

const id = z.string().check(z.minLength(1), z.maxLength(128));
const text = z.string().check(z.maxLength(20_000));
const timestamp = z.iso.datetime({ offset: true });
const count = z.int().check(z.nonnegative());

export const dashboardUpdate = defineEvent({
  name: 'dashboard:update',
  room: 'dashboard',
  sentBy: ['backend'],
  payload: z.object({ widgetId: id, value: z.number(), timestamp }),
  delivery: { class: 'state', key: (update) => update.widgetId },
});

export const dashboardRefresh = defineEvent({
  name: 'dashboard:refresh',
  room: 'dashboard',
  sentBy: ['client'],
  payload: z.object({ widgets: z.array(id).check(z.maxLength(200)) }),
  delivery: { class: 'request' },
});

export const chatMessage = defineEvent({
  name: 'chat:message',
  room: 'chat:*',
  roomOf: (message: { sessionId: string }) => `chat:${message.sessionId}`,
  sentBy: ['client', 'backend'],
  payload: z.object({
    id,
    sessionId: id,
    content: text.check(z.minLength(1)),
    sender: z.enum(['user', 'assistant']),
    timestamp,
    /** From the sender's token; absent where the backend speaks. */
    userId: z.optional(id),
    name: z.optional(z.string()),
  }),
  input: z.object({ sessionId: id, content: text.check(z.minLength(1)) }),
  delivery: { class: 'log' },
});

export const chatTyping = defineEvent({
  name: 'chat:typing',
  room: 'chat:*',
  roomOf: (typing: { sessionId: string }) => `chat:${typing.sessionId}`,
  sentBy: ['client', 'backend'],
  payload: z.object({ sessionId: id, isTyping: z.boolean(), userId: z.optional(id), name: z.optional(z.string()) }),
  input: z.object({ sessionId: id, isTyping: z.boolean() }),
  delivery: { class: 'ephemeral' },
});

/** In `user:<id>` for one user, in `notifications` for all. */
export const systemNotification = defineEvent({
  name: 'system:notification',
  room: ['notifications', 'user:*'],
  sentBy: ['backend'],
  payload: z.object({
    id,
    level: z.enum(['info', 'warning', 'error']),
    title: z.string().check(z.maxLength(500)),
    message: text,
    timestamp,
  }),
  delivery: { class: 'log' },
});

export const systemStatus = defineEvent({
  name: 'system:status',
  room: 'system',
  sentBy: ['backend'],
  payload: z.object({
    status: z.enum(['online', 'maintenance', 'degraded']),
    message: z.optional(z.string().check(z.maxLength(2_000))),
  }),
  delivery: { class: 'state', key: () => 'status' },
});

export const batchProgress = defineEvent({
  name: 'batch:progress',
  room: 'batch:*',
  roomOf: (progress: { batchId: string }) => `batch:${progress.batchId}`,
  sentBy: ['backend'],
  payload: z.object({
    batchId: id,
    progress: z.number().check(z.minimum(0), z.maximum(100)),
    current: count,
    total: count,
    status: z.enum(['pending', 'processing', 'completed', 'failed']),
  }),
  delivery: { class: 'state', key: (progress) => progress.batchId },
});

export const batchCompleted = defineEvent({
  name: 'batch:completed',
  room: 'batch:*',
  roomOf: (completed: { batchId: string }) => `batch:${completed.batchId}`,
  sentBy: ['backend'],
  payload: z.object({ batchId: id, results: z.array(z.unknown()), duration: z.number().check(z.nonnegative()) }),
  delivery: { class: 'log' },
});

export const catalogUpdated = defineEvent({
  name: 'catalog:updated',
  room: 'catalog',
  sentBy: ['backend'],
  payload: z.object({ updatedAt: timestamp, changes: z.object({ added: count, modified: count, deleted: count }) }),
  delivery: { class: 'log' },
});

/** The events that every Ashlar server knows. A product adds its own with `defineEvent`. */
export const CATALOG = [
  dashboardUpdate,
  dashboardRefresh,
  chatMessage,
  chatTyping,
  systemNotification,
  systemStatus,
  batchProgress,
  batchCompleted,
  catalogUpdated,
] as const;

/** A list of definitions as a type: the catalog, or the catalog with a product's events. */
export type Events = readonly AnyEventDefinition[];
export type CatalogEvents = typeof CATALOG;

/** The names of a list of events. */
export type EventName<List extends Events> = List[number]['name'];

type Definition<List extends Events, Name> = Extract<List[number], { readonly name: Name }>;

/** What receivers of an event get. */
export type PayloadOf<List extends Events, Name extends string> = z.output<Definition<List, Name>['payload']>;

/** What a client sends for an event. */
export type InputOf<List extends Events, Name extends string> = z.output<Definition<List, Name>['input']>;

type NameSentBy<Declared extends AnyEventDefinition, Who extends Sender> = Declared extends AnyEventDefinition
  ? Who extends Declared['sentBy'][number]
    ? Declared['name']
    : never
  : never;

/** The events that may come from one kind of sender. */
export type EventNameBy<List extends Events, Who extends Sender> = NameSentBy<List[number], Who>;

/** Ashlar's events and a product's own. */
export type WithCatalog<Own extends Events> = readonly (CatalogEvents[number] | Own[number])[];

/** Finds definitions by name. */
export type Catalog = ReadonlyMap<string, AnyEventDefinition>;

/**
 * Ashlar's events and a product's own, by name.
 * @throws AshlarError `invalid-options` where a name is declared twice
 */
export function createCatalog(own: Events = []): Catalog {
  const catalog = new Map<string, AnyEventDefinition>();
  for (const definition of [...CATALOG, ...own]) {
    if (catalog.has(definition.name)) {
      throw new AshlarError('invalid-options', { detail: `event ${definition.name} is declared twice` });
    }
    catalog.set(definition.name, definition);
  }
  return catalog;
}
