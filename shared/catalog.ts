import * as z from 'zod/mini';
import * as facts from './catalog-facts.ts';
import { type AnyEventDefinition, collectByName, defineEvent, type Sender } from './define-event.ts';

const id = z.string().check(z.minLength(1), z.maxLength(facts.MAX_ID));
const text = z.string().check(z.maxLength(facts.MAX_TEXT));
const timestamp = z.iso.datetime({ offset: true });
const count = z.int().check(z.nonnegative());

// Name, room, senders and delivery class of each stand in catalog-facts.ts, which clients read too.

export const dashboardUpdate = defineEvent({
  ...facts.dashboardUpdate,
  payload: z.object({ widgetId: id, value: z.number(), timestamp }),
});

export const dashboardRefresh = defineEvent({
  ...facts.dashboardRefresh,
  payload: z.object({ widgets: z.array(id).check(z.maxLength(facts.MAX_WIDGETS)) }),
});

export const chatMessage = defineEvent({
  ...facts.chatMessage,
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
});

export const chatTyping = defineEvent({
  ...facts.chatTyping,
  payload: z.object({ sessionId: id, isTyping: z.boolean(), userId: z.optional(id), name: z.optional(z.string()) }),
  input: z.object({ sessionId: id, isTyping: z.boolean() }),
});

export const systemNotification = defineEvent({
  ...facts.systemNotification,
  payload: z.object({
    // As it is marked read it is a key on disk, where each half of a surrogate pair is one and the same.
    id: id.check(z.refine((text) => !/\p{Cs}/u.test(text), 'half of a character')),
    level: z.enum(['info', 'warning', 'error']),
    title: z.string().check(z.maxLength(500)),
    message: text,
    timestamp,
  }),
});

export const systemStatus = defineEvent({
  ...facts.systemStatus,
  payload: z.object({
    status: z.enum(['online', 'maintenance', 'degraded']),
    message: z.optional(z.string().check(z.maxLength(2_000))),
  }),
});

export const batchProgress = defineEvent({
  ...facts.batchProgress,
  payload: z.object({
    batchId: id,
    progress: z.number().check(z.minimum(0), z.maximum(100)),
    current: count,
    total: count,
    status: z.enum(['pending', 'processing', 'completed', 'failed']),
  }),
});

export const batchCompleted = defineEvent({
  ...facts.batchCompleted,
  payload: z.object({ batchId: id, results: z.array(z.unknown()), duration: z.number().check(z.nonnegative()) }),
});

export const catalogUpdated = defineEvent({
  ...facts.catalogUpdated,
  payload: z.object({ updatedAt: timestamp, changes: z.object({ added: count, modified: count, deleted: count }) }),
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

type StateName<Declared extends AnyEventDefinition> = Declared extends AnyEventDefinition
  ? 'state' extends Declared['delivery']['class']
    ? Declared['name']
    : never
  : never;

/** The events that have a latest value: those of the class `state`, and those whose class their type does not tell. */
export type StateEventName<List extends Events> = StateName<List[number]>;

/** Ashlar's events and a product's own. */
export type WithCatalog<Own extends Events> = readonly (CatalogEvents[number] | Own[number])[];

/** Finds definitions by name. */
export type Catalog = ReadonlyMap<string, AnyEventDefinition>;

/**
 * Ashlar's events and a product's own, by name.
 * @throws AshlarError `invalid-options` where a name is declared twice
 */
export function createCatalog(own: Events = []): Catalog {
  return collectByName<AnyEventDefinition>(CATALOG, own);
}
