import { AshlarError } from '../shared/errors.ts';
import type { RoomName } from '../shared/room-name.ts';
import type { User } from '../shared/user.ts';
import type { QuotaState } from './storage/watch-quota.ts';

/** What a product can listen to. Handlers may be async; what they throw is logged and hurts nobody else. */
export interface ServerEvents {
  connection: { user: User; socketId: string };
  disconnection: { user: User; socketId: string; reason: string };
  /** Updates of a document were committed and sent. `userIds`: who wrote them; null is the backend. */
  'document:changed': { name: string; seq: number; userIds: readonly (string | null)[] };
  /** Updates were set aside because they damaged their document: tell their authors, and offer `documents.quarantined(name)`. */
  'document:quarantined': { name: string; seqs: readonly number[]; userIds: readonly (string | null)[] };
  /**
   * What is stored has come near its quota (`warning`), has reached it (`full`: nothing new is taken) or is well below it again (`ok`).
   * Bytes of database and write-ahead log.
   */
  'storage:quota': { state: QuotaState; bytes: number; quota: number };
  /** A client asked for fresh values of these widgets: push them with `dashboard:update`. */
  'dashboard:refresh': { user: User; widgets: readonly string[] };
  /** A user wrote in a chat session: the place to answer as the assistant. */
  'chat:message': { user: User; sessionId: string; message: { id: string; content: string; timestamp: string }; seq: number };
  /** A user sent one of the product's own events: a `request` is answered here and nowhere else. `data` has passed the event's schema. */
  'client:event': { user: User; room: RoomName; event: string; data: unknown };
}

export type ServerEventName = keyof ServerEvents;

const NAMES: { readonly [Name in ServerEventName]: true } = {
  connection: true,
  disconnection: true,
  'document:changed': true,
  'document:quarantined': true,
  'storage:quota': true,
  'dashboard:refresh': true,
  'chat:message': true,
  'client:event': true,
};

export type ServerEventHandler<Name extends ServerEventName> = (event: ServerEvents[Name]) => unknown;

/** The product's handlers, called one after the other, none of which can stop the others or us. */
export class Hooks {
  readonly #handlers = new Map<ServerEventName, Set<(event: never) => unknown>>();
  readonly #onError: (name: ServerEventName, error: unknown) => void;

  constructor(onError: (name: ServerEventName, error: unknown) => void) {
    this.#onError = onError;
  }

  /**
   * @returns a function that takes the handler off again
   * @throws AshlarError `invalid-options` where there is no such event, or the handler is no function
   */
  on<Name extends ServerEventName>(name: Name, handler: ServerEventHandler<Name>): () => void {
    if (!Object.hasOwn(NAMES, name))
      throw new AshlarError('invalid-options', {
        detail: `on: ${JSON.stringify(name)} is none of ${Object.keys(NAMES).join(', ')}`,
      });
    if (typeof handler !== 'function') throw new AshlarError('invalid-options', { detail: `on('${name}', …): a function` });
    let handlers = this.#handlers.get(name);
    if (handlers === undefined) {
      handlers = new Set();
      this.#handlers.set(name, handlers);
    }
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  has(name: ServerEventName): boolean {
    return (this.#handlers.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends ServerEventName>(name: Name, event: ServerEvents[Name]): void {
    // Those that are there by now: one that a handler puts up comes next time, else one that puts itself up anew would be called for ever.
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        const result = (handler as ServerEventHandler<Name>)(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onError(name, error));
      } catch (error) {
        this.#onError(name, error);
      }
    }
  }
}
