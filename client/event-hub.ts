import { type EventFacts, onlyRoom } from '../shared/define-event.ts';
import { AshlarError } from '../shared/errors.ts';
import type { EventMeta } from '../shared/position.ts';
import { isDocumentRoom } from '../shared/room-name.ts';
import { type ClientCatalog, checkInput, checkJson } from './check-input.ts';
import type { EmitAnswer, EmitOptions } from './client-events.ts';
import { type Connector, isRecord } from './connector.ts';
import { type Environment, randomWord } from './environment.ts';
import { Listeners } from './listeners.ts';
import { guarded, quiet, type Report } from './report.ts';
import type { Requests } from './requests.ts';
import { admitEvent } from './room-cursor.ts';
import type { Rooms } from './rooms.ts';

type Listener = (...args: readonly unknown[]) => void;

const PLATFORM = ['presence:update', 'room:access', 'notification:read'];

/** Domain events, both ways: checked, in order, each once. */
export class EventHub {
  readonly #catalog: ClientCatalog;
  readonly #connector: Connector;
  readonly #rooms: Rooms;
  readonly #requests: Requests;
  readonly #env: Environment;
  readonly #report: Report;
  readonly #listeners: Listeners<Record<string, readonly unknown[]>>;

  /** Listeners of state events by what they were given as. */
  readonly #wrapped = new WeakMap<Listener, Map<string, Listener>>();

  constructor(catalog: ClientCatalog, connector: Connector, rooms: Rooms, requests: Requests, env: Environment, report: Report) {
    this.#catalog = catalog;
    this.#connector = connector;
    this.#rooms = rooms;
    this.#requests = requests;
    this.#env = env;
    this.#report = report;
    this.#listeners = new Listeners(report);
    connector.attach({ message: (event, args) => this.#receive(event, args) });
  }

  /**
   * @returns a function that removes the listener
   * @throws AshlarError `invalid-options` where the listener is none; `unknown-event` for a name that is in no catalog: nothing would ever come
   */
  on(name: string, listener: Listener): () => void {
    const definition = this.#catalog.get(name);
    if (definition === undefined && !PLATFORM.includes(name) && name !== 'error') {
      throw new AshlarError('unknown-event', {
        detail: `${name}: declare it with defineEvent and give it to the client in "events"`,
      });
    }
    if (typeof listener !== 'function') throw new AshlarError('invalid-options', { detail: `on('${name}', …): a function` });
    if (definition?.delivery.class !== 'state') return this.#listeners.on(name, listener);
    return this.#onState(name, listener);
  }

  off(name: string, listener?: Listener): void {
    if (listener === undefined) this.#listeners.off(name);
    else this.#listeners.off(name, this.#wrapped.get(listener)?.get(name) ?? listener);
  }

  /** Drops all listeners. */
  destroy(): void {
    this.#listeners.clear();
  }

  /**
   * Sends an event. Log, state and request events are answered and wait through a reconnect; ephemeral ones are dropped offline.
   * @returns the answer; rejects with `unknown-event`, `invalid-payload`, or the server's code
   */
  emit(name: string, data: unknown, options: EmitOptions = {}): Promise<EmitAnswer> {
    const definition = this.#catalog.get(name);
    try {
      if (definition === undefined) throw new AshlarError('unknown-event', { detail: name });
      if (!definition.sentBy.includes('client')) {
        throw new AshlarError('access-denied', { detail: `${name} is sent by the backend alone` });
      }
      checkInput(definition, data);
      checkJson(name, data);
    } catch (error) {
      // A schema may throw too.
      return quiet(Promise.reject(AshlarError.from(error, 'invalid-payload')));
    }
    const room = options.room === undefined ? {} : { room: options.room };
    const { class: delivery } = definition.delivery;
    if (delivery === 'ephemeral') {
      this.#connector.send(name, [data, room]);
      return Promise.resolve({});
    }
    // The id makes sending it again harmless: the server answers a repeat with the first answer.
    const settle = delivery === 'request' ? this.#expectRepeats(definition, data, options.room) : () => {};
    const meta = delivery === 'log' ? { id: options.id ?? randomWord(this.#env, 22), ...room } : room;
    return quiet(this.#requests.ask(name, [data, meta]).finally(settle).then(emitAnswer));
  }

  // A request is answered with state events: values that we have already are then no duplicates but the answer.
  #expectRepeats(definition: EventFacts, input: unknown, given: string | undefined): () => void {
    const room = given ?? definition.roomOf?.(input) ?? onlyRoom(definition);
    const cursor = room === undefined ? undefined : this.#rooms.cursor(room)?.cursor;
    if (cursor === undefined) return () => {};
    const repeats = { keys: new Set(cursor.values.keys()), answered: false };
    cursor.repeats = repeats;
    return () => {
      repeats.answered = true;
    };
  }

  // A listener that comes after its room was joined gets the present values first, so that each widget starts alike.
  #onState(name: string, listener: Listener): () => void {
    const names = this.#wrapped.get(listener) ?? new Map<string, Listener>();
    this.#wrapped.set(listener, names);
    const known = names.get(name);
    if (known !== undefined && this.#listeners.has(name, known)) return () => this.#listeners.off(name, known);
    let fresh = true;
    const wrapped: Listener = (...args) => {
      if (!fresh) listener(...args);
    };
    names.set(name, wrapped);
    const off = this.#listeners.on(name, wrapped);
    queueMicrotask(() => {
      fresh = false;
      for (const { values } of this.#rooms.cursors()) {
        for (const entry of [...values.values()]) {
          if (entry.event !== name || !this.#listeners.has(name, wrapped)) continue;
          guarded(this.#report, `listener of ${name}`, () => listener(entry.payload, entry.meta));
        }
      }
    });
    return off;
  }

  #receive(event: string, args: readonly unknown[]): void {
    if (event === 'error') {
      const error = AshlarError.fromWire(args[0]);
      // The document's session joins again by itself.
      if (error.code === 'not-a-member' && isDocumentRoom(error.room ?? '')) return;
      if (this.#listeners.has('error')) this.#listeners.emit('error', error);
      // What is now or never and came too often is missed, as it is while offline: nobody has to mend anything.
      else if (error.code !== 'rate-limited') this.#report(error, 'refused by the server');
      return;
    }
    if (PLATFORM.includes(event)) {
      this.#listeners.emit(event, args[0]);
      return;
    }
    const definition = this.#catalog.get(event);
    const [payload, meta] = args;
    if (definition === undefined || !isMeta(meta)) return;
    const place = this.#rooms.cursor(meta.room);
    if (place !== undefined) {
      // While the join is under way it will bring this, in its place.
      if (!place.joined && meta.seq !== undefined) return;
      if (!admitEvent(place.cursor, definition, payload, meta)) return;
    }
    this.#listeners.emit(event, payload, meta);
  }
}

function isMeta(value: unknown): value is EventMeta {
  return isRecord(value) && typeof value.room === 'string';
}

function emitAnswer(answer: unknown): EmitAnswer {
  const { data, meta } = answer as EmitAnswer;
  return { data, meta };
}
