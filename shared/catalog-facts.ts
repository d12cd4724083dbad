import type { EventFacts } from './define-event.ts';
import { AshlarError } from './errors.ts';

// What both sides must know of Ashlar's events, without their schemas: a client needs no more, and so carries no schema library.
// shared/catalog.ts adds the payloads.

/** Most characters of an id. */
export const MAX_ID = 128;
/** Most characters of a message's text. */
export const MAX_TEXT = 20_000;
/** Most levels of arrays and objects in a payload. */
export const MAX_DEPTH = 32;
/** Most widgets that one `dashboard:refresh` names. */
export const MAX_WIDGETS = 200;

export const dashboardUpdate = {
  name: 'dashboard:update',
  room: 'dashboard',
  sentBy: ['backend'],
  delivery: { class: 'state', key: (update: { widgetId: string }) => update.widgetId },
} as const;

export const dashboardRefresh = {
  name: 'dashboard:refresh',
  room: 'dashboard',
  sentBy: ['client'],
  delivery: { class: 'request' },
} as const;

// It is asked about payloads that nobody has validated yet, too.
function roomOfId(prefix: string, id: unknown): string {
  if (typeof id !== 'string') throw new AshlarError('invalid-payload', { detail: 'an id is a text' });
  return `${prefix}:${id}`;
}

export const chatMessage = {
  name: 'chat:message',
  room: 'chat:*',
  roomOf: (message: { sessionId: string }) => roomOfId('chat', message.sessionId),
  sentBy: ['client', 'backend'],
  delivery: { class: 'log' },
} as const;

export const chatTyping = {
  name: 'chat:typing',
  room: 'chat:*',
  roomOf: (typing: { sessionId: string }) => roomOfId('chat', typing.sessionId),
  sentBy: ['client', 'backend'],
  delivery: { class: 'ephemeral' },
} as const;

/** In `user:<id>` for one user, in `notifications` for all. */
export const systemNotification = {
  name: 'system:notification',
  room: ['notifications', 'user:*'],
  sentBy: ['backend'],
  delivery: { class: 'log' },
} as const;

export const systemStatus = {
  name: 'system:status',
  room: 'system',
  sentBy: ['backend'],
  delivery: { class: 'state', key: () => 'status' },
} as const;

export const batchProgress = {
  name: 'batch:progress',
  room: 'batch:*',
  roomOf: (progress: { batchId: string }) => roomOfId('batch', progress.batchId),
  sentBy: ['backend'],
  delivery: { class: 'state', key: (progress: { batchId: string }) => progress.batchId },
} as const;

export const batchCompleted = {
  name: 'batch:completed',
  room: 'batch:*',
  roomOf: (completed: { batchId: string }) => roomOfId('batch', completed.batchId),
  sentBy: ['backend'],
  delivery: { class: 'log' },
} as const;

export const catalogUpdated = {
  name: 'catalog:updated',
  room: 'catalog',
  sentBy: ['backend'],
  delivery: { class: 'log' },
} as const;

/** Every event of the catalog, in its order. */
export const CATALOG_FACTS: readonly EventFacts[] = [
  dashboardUpdate,
  dashboardRefresh,
  chatMessage,
  chatTyping,
  systemNotification,
  systemStatus,
  batchProgress,
  batchCompleted,
  catalogUpdated,
];
