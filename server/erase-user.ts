import type { RoomName } from '../shared/room-name.ts';
import type { Audit } from './audit.ts';
import type { ReservedIds } from './documents/reserved-ids.ts';
import type { Authorizer } from './guard/authorize.ts';
import type { Erasing } from './guard/erasing.ts';
import type { Connection } from './rooms/connection.ts';
import type { Presence } from './rooms/presence.ts';
import type { Rooms } from './rooms/rooms.ts';
import { roomToErase } from './storage/erasure.ts';
import type { Erasure, Store } from './storage/store.ts';

export interface EraseUserPorts {
  readonly store: Store;
  readonly rooms: Rooms;
  /** The user's. */
  readonly connections: readonly Connection[];
  readonly erasing: Erasing;
  readonly authorizer: Pick<Authorizer, 'forgetUser'>;
  readonly presence: Presence;
  readonly reservedIds: ReservedIds;
  readonly audit: Audit;
  /** A socket of the user was closed. */
  disconnected(connection: Connection): void;
}

/** Messages that were being handled ask the store a few times, one after the other: for a room, for a repeat, for history. */
const QUESTIONS_PER_MESSAGE = 4;

/**
 * Erases a user from the store and from memory. The sockets go first, then what they had submitted is committed or fails, then the store
 * erases; until the end nothing of the user's is taken, wherever it comes from, so that nothing that was under way brings anything back.
 * @throws AshlarError as `Store.eraseUser`
 */
export async function eraseUser(ports: EraseUserPorts, userId: string): Promise<Erasure> {
  const { store, rooms, erasing, audit } = ports;
  const own = roomToErase(userId);
  const done = erasing.begin(userId);
  try {
    for (const connection of ports.connections) {
      connection.close();
      ports.disconnected(connection);
    }
    // What waits in memory alone would be written behind the erasure: values, and whose the client ids are in a document that is quarantined.
    for (const room of rooms.values()) room.erased(userId);
    await Promise.all([...rooms.values()].map((room) => room.settled()));
    const erasure = await store.eraseUser(userId);
    // Who asked the store before has its answer by now, goes on, and is refused.
    for (let question = 0; question < QUESTIONS_PER_MESSAGE; question++) await store.readGrant(own, userId);
    audit.erased(userId, erasure);
    return erasure;
  } finally {
    // Also where the store failed: it may have got as far as the rows, and memory must not hand out what they held.
    forget(ports, userId, own);
    done();
  }
}

function forget({ rooms, presence, reservedIds, authorizer }: EraseUserPorts, userId: string, own: RoomName): void {
  rooms.forget(own);
  for (const room of rooms.values()) room.erased(userId);
  presence.forget(userId);
  reservedIds.forget(userId);
  authorizer.forgetUser(userId);
}
