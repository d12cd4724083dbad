import { createCatalog, type Events } from '../shared/catalog.ts';
import { isEventDefinition } from '../shared/define-event.ts';
import { AshlarError } from '../shared/errors.ts';
import { type Authorize, parseSettings, type RealtimeServerOptions, type Settings } from './options.ts';

/** What `new RealtimeServer` was given, checked. */
export interface ReadOptions {
  readonly settings: Settings;
  readonly events: Events;
  readonly authorize: Authorize | undefined;
  readonly store: RealtimeServerOptions['store'];
  readonly logger: RealtimeServerOptions['logger'];
}

/**
 * Checks the options of a server, which from JavaScript may be anything.
 * @throws AshlarError `invalid-options`: its detail names each wrong option, what was given and what is allowed
 */
export function readOptions(options: unknown): ReadOptions {
  if (typeof (options ?? {}) !== 'object') throw wrong('the options: an object');
  const { events = [], authorize, store, logger, ...rest } = (options ?? {}) as RealtimeServerOptions<Events>;
  const settings = parseSettings(rest);
  if (!(Array.isArray(events) && events.every(isEventDefinition))) throw wrong('events: a list made with defineEvent');
  if (authorize !== undefined && typeof authorize !== 'function') throw wrong('authorize: a function');
  if (store !== undefined && !has(store, 'open', 'append', 'read', 'close')) throw wrong('store: a Store');
  if (logger !== undefined && !has(logger, 'info', 'warn', 'error', 'debug', 'child')) throw wrong('logger: a pino logger');
  createCatalog(events);
  return { settings, events, authorize, store, logger };
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return methods.every((method) => typeof (value as { readonly [name: string]: unknown } | null)?.[method] === 'function');
}

function wrong(detail: string): AshlarError {
  return new AshlarError('invalid-options', { detail });
}
