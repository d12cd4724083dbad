import { type AnyEventDefinition, belongsIn, roomPatterns } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { EventMeta } from '../../shared/position.ts';
import { isDocumentRoom, type RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import { encodeJsonEvent, fanOutEphemeral, fanOutLog, fanOutState, logMeta, stateMeta } from '../rooms/fan-out.ts';
import type { Member } from '../rooms/member.ts';
import { type Room, stateKey } from '../rooms/room.ts';
import type { EncodedPacket } from '../sockets/encode-packet.ts';
import type { CommitKey, LogRecord, StateValue } from '../storage/store.ts';
import { toJson } from './check-json.ts';
import { valueKey } from './value-key.ts';

const encoder = new TextEncoder();

/** One event on its way into a room. Its payload has passed the event's schema. */
export interface Publication {
  readonly definition: AnyEventDefinition;
  readonly room: Room;
  readonly payload: unknown;
  /** The payload as JSON, where that was made already. */
  readonly json?: string;
  /** Who sends it; null: the backend. */
  readonly userId: string | null;
  /** `meta.id` of a client's event. */
  readonly id?: string | undefined;
  /** Also to every connected socket that may read the room and has not joined it. */
  readonly broadcast?: boolean;
  /** Kept in the same commit: the event is then durable whatever its class. */
  readonly key?: CommitKey;
  /** State values that are settled in the same commit, and sent behind the event. */
  readonly settles?: readonly { definition: AnyEventDefinition; payload: unknown }[];
  /** A newer value stands already: nothing is stored or sent, except for the key. */
  readonly superseded?: boolean;
  /** Not sent to this member (its own typing, for instance). */
  readonly except?: Member | undefined;
}

/** A published event as it was stored and sent. */
export interface Published {
  readonly data: unknown;
  readonly meta: EventMeta;
}

export interface PublishPorts {
  readonly clock: Clock;
  catchUp(member: Member): void;
  /** Sends a packet to all who may read the room and are not in it. */
  toReaders(room: Room, packet: EncodedPacket): void;
  /** A room has a new record or state value: the moment to think of retention. */
  grown(room: Room): void;
}

/** Publishes by delivery class. */
export type Publish = (publication: Publication) => Promise<Published>;

/**
 * Whether an event may go into a room.
 * @param broadcast a product may broadcast an event of many rooms
 * @throws AshlarError `wrong-room`
 */
export function requireRoom(definition: AnyEventDefinition, room: RoomName, broadcast: boolean): void {
  if (!belongsIn(definition, room) && !broadcast) {
    throw new AshlarError('wrong-room', { detail: `${definition.name} belongs in ${roomPatterns(definition).join(', ')}`, room });
  }
  // A document's log holds its updates alone, since its positions count over them; and it hands out no state values.
  const kept = definition.delivery.class === 'log' || definition.delivery.class === 'state';
  if (kept && isDocumentRoom(room)) {
    throw new AshlarError('wrong-room', { detail: 'only ephemeral events go into a document’s room', room });
  }
}

/**
 * Makes the one function through which every domain event enters a room.
 * It resolves when the delivery class's promise holds: log: on disk (and sent); state and ephemeral: taken into the room's order.
 * The payload is written down as it is taken: whatever its owner does to it later, all are sent what is stored.
 * @throws AshlarError `wrong-room`, `invalid-payload` where JSON cannot hold the payload, `storage-unavailable`, `storage-full`
 */
export function createPublish(ports: PublishPorts): Publish {
  function send(publication: Publication, packet: EncodedPacket): void {
    if (publication.broadcast === true) ports.toReaders(publication.room, packet);
  }

  function stateOf(room: Room, definition: AnyEventDefinition, payload: unknown, value: string, at: number) {
    return { event: definition.name, key: valueKey(definition, payload), value, rev: room.nextRev(), at };
  }

  function leaveState(publication: Publication, state: StateValue & { readonly value: string }): EventMeta {
    const { room } = publication;
    const meta = stateMeta(room, state);
    const packet = encodeJsonEvent(state.event, state.value, meta);
    fanOutState(room, stateKey(state.event, state.key), packet);
    send(publication, packet);
    return meta;
  }

  return (publication) =>
    new Promise((resolve, reject) => {
      const { definition, room, payload, userId, key } = publication;
      requireRoom(definition, room.name, publication.broadcast === true);
      const json = publication.json ?? toJson(payload, definition.name);
      const at = ports.clock.now();
      const durable = key !== undefined || definition.delivery.class === 'log';
      switch (definition.delivery.class) {
        case 'log': {
          const settled = (publication.settles ?? []).map((value) =>
            stateOf(room, value.definition, value.payload, toJson(value.payload, value.definition.name), at),
          );
          room.submit({
            durable: true,
            record: {
              at,
              userId,
              kind: definition.name,
              payload: encoder.encode(json),
              version: definition.version,
              id: publication.id ?? null,
              session: null,
              counter: 0,
            },
            states: settled,
            ...(key === undefined ? {} : { key }),
            leave: (record) => {
              const meta = logMeta(room, record as LogRecord);
              const packet = encodeJsonEvent(definition.name, json, meta);
              fanOutLog(room, packet, ports.catchUp);
              send(publication, packet);
              for (const state of settled) {
                room.states.set(stateKey(state.event, state.key), state);
                leaveState(publication, state);
              }
              ports.grown(room);
              resolve({ data: payload, meta });
            },
            fail: reject,
          });
          break;
        }
        case 'state': {
          if (publication.superseded === true) {
            const leave = () => resolve({ data: payload, meta: { room: room.name, at } });
            room.submit({ durable, ...(key === undefined ? {} : { key }), leave, fail: reject });
            break;
          }
          const state = stateOf(room, definition, payload, json, at);
          room.submit({
            durable,
            states: [state],
            ...(key === undefined ? {} : { key }),
            leave: () => {
              room.states.set(stateKey(state.event, state.key), state);
              ports.grown(room);
              resolve({ data: payload, meta: leaveState(publication, state) });
            },
            fail: reject,
          });
          break;
        }
        case 'ephemeral': {
          const meta: EventMeta = { room: room.name, at };
          room.submit({
            durable,
            ...(key === undefined ? {} : { key }),
            leave: () => {
              const packet = encodeJsonEvent(definition.name, json, meta);
              fanOutEphemeral(room, packet, publication.except);
              send(publication, packet);
              resolve({ data: payload, meta });
            },
            fail: reject,
          });
          break;
        }
        case 'request':
          throw new AshlarError('wrong-room', { detail: `${definition.name} is a request: it is answered, not published` });
      }
    });
}
