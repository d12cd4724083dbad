import type { Access } from '../../shared/access.ts';
import { GrantRequest, JoinOptions, RevokeRequest } from '../../shared/messages.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Guard } from '../guard/guard.ts';
import { asObject } from '../guard/read-arguments.ts';
import type { Connection } from './connection.ts';
import type { Membership } from './membership.ts';
import type { Presence } from './presence.ts';

/** Members that one answer lists. */
const MOST_MEMBERS = 1_000;

export interface RoomMessagePorts {
  readonly guard: Guard;
  readonly membership: Membership;
  readonly presence: Presence;
  /** Stores a decision and acts on open sockets. */
  setAccess(room: RoomName, userId: string, access: Access, by: Connection): Promise<void>;
}

/** `join-room`, `leave-room`, `room:members`, `room:grant`, `room:revoke`. */
export function registerRoomMessages({ guard, membership, presence, setAccess }: RoomMessagePorts): void {
  guard.handle(
    {
      name: 'join-room',
      budget: 'joins',
      needs: 'read',
      joins: true,
      glance: ([room, options]) => ({ room, payload: options ?? {} }),
      parse: (options) => parsePayload(JoinOptions, options, 'join-room'),
    },
    async ({ connection, room, access, payload }) => {
      const joined = await membership.joinAsDecided(connection, room, access, payload);
      return { answer: joined.answer, after: () => joined.start() };
    },
  );

  guard.handle(
    {
      name: 'leave-room',
      budget: 'joins',
      // Whoever lost access may still leave.
      needs: 'nothing',
      glance: ([room]) => ({ room, payload: undefined }),
      parse: () => undefined,
    },
    ({ connection, room }) => {
      membership.leave(connection, room);
      return { answer: { room } };
    },
  );

  guard.handle(
    {
      name: 'room:members',
      budget: 'joins',
      needs: 'read',
      glance: ([room]) => ({ room, payload: undefined }),
      parse: () => undefined,
    },
    ({ room }) => {
      const members = presence.members(room);
      return { answer: { room, members: members.slice(0, MOST_MEMBERS), total: members.length }, content: room };
    },
  );

  guard.handle(
    {
      name: 'room:grant',
      budget: 'joins',
      needs: 'admin',
      glance: ([request]) => ({ room: asObject(request, 'room:grant').room, payload: request }),
      parse: (request) => parsePayload(GrantRequest, request, 'room:grant'),
    },
    async ({ room, payload, connection }) => {
      await setAccess(room, payload.userId, payload.access, connection);
      return {};
    },
  );

  guard.handle(
    {
      name: 'room:revoke',
      budget: 'joins',
      needs: 'admin',
      glance: ([request]) => ({ room: asObject(request, 'room:revoke').room, payload: request }),
      parse: (request) => parsePayload(RevokeRequest, request, 'room:revoke'),
    },
    async ({ room, payload, connection }) => {
      await setAccess(room, payload.userId, 'none', connection);
      return {};
    },
  );
}
