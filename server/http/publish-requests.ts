import { createHash } from 'node:crypto';
import { type AccessClaim, permits } from '../../shared/access.ts';
import { type Catalog, systemNotification } from '../../shared/catalog.ts';
import { type AnyEventDefinition, onlyRoom } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import { parseRoomName, type RoomName, userRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import { checkDepth, toJson } from '../events/check-json.ts';
import { type Publish, type Published, requireRoom } from '../events/publish.ts';
import { valueKey } from '../events/value-key.ts';
import type { Authorizer } from '../guard/authorize.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { IdempotencyKey, Store } from '../storage/store.ts';
import type { PublishAnswer, PublishRequest } from './ports.ts';

export interface PublisherPorts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly store: Store;
  readonly publish: Publish;
  readonly authorizer: Pick<Authorizer, 'decide'>;
}

const EVERY_ROOM: AccessClaim = { '*': 'write' };

interface Checked {
  readonly definition: AnyEventDefinition;
  readonly room: RoomName;
  readonly payload: unknown;
  readonly json: string;
  readonly broadcast: boolean;
}

/** The backend's way into rooms: in-process and over HTTP, the same checks. */
export class Publisher {
  readonly #ports: PublisherPorts;
  readonly #underWay = new Map<string, { requestHash: string; answers: Promise<readonly PublishAnswer[]> }>();

  constructor(ports: PublisherPorts) {
    this.#ports = ports;
  }

  /**
   * Publishes one event of the backend.
   * @throws AshlarError `unknown-event`, `invalid-payload`, `wrong-room`, `invalid-room`, `storage-…`
   */
  async publish(request: PublishRequest): Promise<Published> {
    const checked = this.#check(request);
    const room = await this.#ports.rooms.open(checked.room);
    return this.#ports.publish(publication(checked, room));
  }

  /** `HttpPorts.publish`: all or none, at most once per key. */
  async publishAll(user: User, requests: readonly PublishRequest[], key: string | undefined): Promise<readonly PublishAnswer[]> {
    const checked = requests.map((request, index) => this.#checkOne(request, index, requests.length));
    await this.#authorize(user, new Set(checked.map(({ room }) => room)));
    if (key === undefined) return this.#take(checked, undefined);
    const requestHash = createHash('sha256').update(JSON.stringify(requests)).digest('base64url');
    const name = JSON.stringify([user.id, key]);
    let underWay = this.#underWay.get(name);
    if (underWay === undefined) {
      const answers = this.#takeOnce(checked, user, key, requestHash).finally(() => this.#underWay.delete(name));
      underWay = { requestHash, answers };
      this.#underWay.set(name, underWay);
    } else if (underWay.requestHash !== requestHash) {
      throw new AshlarError('idempotency-conflict');
    }
    return underWay.answers;
  }

  async #takeOnce(checked: readonly Checked[], user: User, key: string, requestHash: string): Promise<readonly PublishAnswer[]> {
    const stored = await this.#ports.store.findKey(user.id, key);
    if (stored === null) return this.#take(checked, { userId: user.id, key, requestHash });
    if (stored.requestHash !== requestHash) throw new AshlarError('idempotency-conflict');
    return JSON.parse(stored.answer) as PublishAnswer[];
  }

  async #take(
    checked: readonly Checked[],
    key: Pick<IdempotencyKey, 'userId' | 'key' | 'requestHash'> | undefined,
  ): Promise<readonly PublishAnswer[]> {
    const { clock, rooms, publish, store } = this.#ports;
    const opened: Room[] = await Promise.all(checked.map(({ room }) => rooms.open(room)));
    // From here to the last submission nothing is awaited: all of it is one commit, and its places are known beforehand.
    const fenced = opened.find((room) => room.fenced);
    if (fenced !== undefined) throw new AshlarError('storage-unavailable', { room: fenced.name, retryAfterMs: 1_000 });
    // Rooms would take a value in the place of another, and refuse what comes behind it: all or none.
    if (store.space?.full === true && checked.some(({ definition }) => definition.delivery.class !== 'ephemeral'))
      throw new AshlarError('storage-full', { detail: 'the quota is reached' });
    const answers: PublishAnswer[] = [];
    const ahead = new Map<Room, number>();
    for (const [index, { definition, room: name }] of checked.entries()) {
      const room = opened[index] as Room;
      if (definition.delivery.class !== 'log') {
        answers.push({ event: definition.name, room: name });
        continue;
      }
      const before = ahead.get(room) ?? 0;
      ahead.set(room, before + 1);
      answers.push({ event: definition.name, room: name, seq: room.nextPosition().seq + before, epoch: store.epoch });
    }
    const names = [...new Set(checked.map(({ room }) => room))];
    const stored = key === undefined ? undefined : { ...key, answer: JSON.stringify(answers), at: clock.now(), rooms: names };
    await Promise.all(
      checked.map((event, index) =>
        publish({
          ...publication(event, opened[index] as Room),
          // Committed with the last: by then nothing of the request is outside of the group.
          ...(stored !== undefined && index === checked.length - 1 ? { key: stored } : {}),
        }),
      ),
    );
    return answers;
  }

  // The permission to publish opens every room of a token that claims none; a revocation, the product's callback and a claim narrow it.
  async #authorize(user: User, names: ReadonlySet<RoomName>): Promise<void> {
    const publisher = { ...user, access: user.access ?? EVERY_ROOM };
    await Promise.all(
      [...names].map(async (room) => {
        // Nobody but its owner reads it, and nobody at all writes: what reaches a user is the permission's alone.
        if (room.startsWith('user:')) return;
        if (!permits(await this.#ports.authorizer.decide(publisher, room), 'write'))
          throw new AshlarError('access-denied', { room });
      }),
    );
  }

  #checkOne(request: PublishRequest, index: number, count: number): Checked {
    try {
      return this.#check(request);
    } catch (thrown) {
      const { code, detail, room } = AshlarError.from(thrown);
      // Of a list it says which.
      throw count === 1 ? thrown : new AshlarError(code, { detail: `event ${index}: ${detail ?? ''}`, room, cause: thrown });
    }
  }

  #check({ event, data, room, userId }: PublishRequest): Checked {
    const definition = this.#ports.catalog.get(event);
    if (definition === undefined) throw new AshlarError('unknown-event', { detail: event });
    if (!definition.sentBy.includes('backend') || definition.delivery.class === 'request') {
      throw new AshlarError('access-denied', { detail: `${event} comes from clients` });
    }
    checkDepth(data);
    const payload = parsePayload(definition.payload, data, event);
    const json = toJson(payload, event);
    valueKey(definition, payload);
    const broadcast = room === undefined && userId === undefined;
    const target = broadcast
      ? parseRoomName(broadcastRoom(definition, payload))
      : userId === undefined
        ? parseRoomName(room)
        : userRoom(userId);
    // Asked here too: of a list all is checked before anything is taken.
    requireRoom(definition, target, broadcast);
    const own = broadcast ? undefined : definition.roomOf?.(payload);
    if (own !== undefined && own !== target)
      throw new AshlarError('wrong-room', { detail: `${event} belongs in ${own}`, room: target });
    return { definition, room: target, payload, json, broadcast };
  }
}

function publication({ definition, payload, json, broadcast }: Checked, room: Room) {
  return { definition, room, payload, json, userId: null, broadcast };
}

// The room that a broadcast is kept in and whose readers it reaches.
function broadcastRoom(definition: AnyEventDefinition, payload: unknown): string {
  const room =
    definition.name === systemNotification.name ? 'notifications' : (onlyRoom(definition) ?? definition.roomOf?.(payload));
  if (room === undefined) throw new AshlarError('wrong-room', { detail: `${definition.name} has many rooms: name one` });
  return room;
}
