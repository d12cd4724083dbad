import type { CatalogEvents, EventName, EventNameBy, Events, InputOf, PayloadOf } from '../shared/catalog.ts';
import type { AshlarError } from '../shared/errors.ts';
import type { AccessUpdate, PresenceUpdate } from '../shared/messages.ts';
import type { EventMeta } from '../shared/position.ts';

/** What the server tells besides domain events. */
export interface PlatformEvents {
  /** Members of a room came, went or changed. `members(room)` keeps the whole list. */
  'presence:update': PresenceUpdate;
  /** The user's access to a room changed. */
  'room:access': AccessUpdate;
  /** Notifications were marked read, on this device or another one of the user. */
  'notification:read': { ids?: readonly string[]; all?: true; at: number };
  /** A message was refused that asked for no answer (`chat:typing`, say). */
  error: AshlarError;
}

/** The catalog and a product's own events. */
export type AllEvents<Own extends Events> = readonly [...CatalogEvents, ...Own];

/** What `on` takes: a domain event's name or a platform event's. */
export type ListenableName<List extends Events> = EventName<List> | keyof PlatformEvents;

/** What a listener of an event gets: its payload, and for domain events where and when it happened. */
export type ListenerArgs<List extends Events, Name extends ListenableName<List>> = Name extends keyof PlatformEvents
  ? [payload: PlatformEvents[Name]]
  : Name extends EventName<List>
    ? [payload: PayloadOf<List, Name>, meta: EventMeta]
    : never;

/** The events that a client may send. */
export type SendableName<List extends Events> = EventNameBy<List, 'client'> & EventName<List>;

/** What a client sends. */
export type SendInput<List extends Events, Name extends SendableName<List>> = InputOf<List, Name>;

/** The server's answer: the event as it was stored (log events), else empty. */
export interface EmitAnswer<Payload = unknown> {
  data?: Payload | undefined;
  meta?: EventMeta | undefined;
}

/** The answer to one event. */
export type EmitAnswerOf<List extends Events, Name> = Name extends EventName<List> ? EmitAnswer<PayloadOf<List, Name>> : never;

export interface EmitOptions {
  /** Only for events whose room does not follow from the payload. */
  room?: string;
  /**
   * Log events: 1 to 64 characters, unique per user and room; default: drawn at random. An event sent again under its id gets the
   * first answer, and nobody sees it twice.
   */
  id?: string;
}
