import * as z from 'zod/mini';
import type { Access } from './access.ts';
import { ACCESS_LEVELS } from './access.ts';
import type { WireError } from './errors.ts';
import type { NotRecovered } from './position.ts';
import type { Member, User } from './user.ts';

/** What may follow the room in `join-room`. Unknown keys are dropped. */
export const JoinOptions = z.object({
  epoch: z.optional(z.string().check(z.maxLength(64))),
  seq: z.optional(z.int().check(z.nonnegative())),
  /** Documents: the Yjs client id that this socket will write under. */
  clientId: z.optional(z.int().check(z.nonnegative())),
  /** Documents: drawn at random by the client, once per Y.Doc. */
  session: z.optional(z.string().check(z.regex(/^[A-Za-z0-9_-]{22,64}$/))),
  /** Documents: Yjs client ids of this user's earlier sessions, whose content the log may not know yet. */
  formerIds: z.optional(z.array(z.int().check(z.nonnegative())).check(z.maxLength(1_000))),
});
export type JoinOptions = z.output<typeof JoinOptions>;

/** The last argument of a domain event from a client. */
export const ClientMeta = z.object({
  /** No half of a surrogate pair: as it is stored, it would be another id as well. */
  id: z.optional(
    z.string().check(
      z.minLength(1),
      z.maxLength(64),
      z.refine((id) => id.isWellFormed()),
    ),
  ),
  room: z.optional(z.string()),
});
export type ClientMeta = z.output<typeof ClientMeta>;

export const ChatHistoryQuery = z.object({
  sessionId: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Only messages before this `seq`. */
  before: z.optional(z.int().check(z.positive())),
  limit: z._default(z.int().check(z.minimum(1), z.maximum(200)), 50),
});

export const NotificationRead = z.union([
  z.object({ ids: z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.minLength(1), z.maxLength(500)) }),
  z.object({ all: z.literal(true) }),
]);

export const NotificationList = z.object({ limit: z._default(z.int().check(z.minimum(1), z.maximum(200)), 50) });

export const GrantRequest = z.object({ room: z.string(), userId: z.string(), access: z.enum(ACCESS_LEVELS) });
export const RevokeRequest = z.object({ room: z.string(), userId: z.string() });

/** Every ack. */
export type Ack<Answer = object> = ({ success: true } & Answer) | { success: false; error: WireError };

export interface JoinAnswer {
  room: string;
  access: Access;
  recovered: boolean;
  /** Present where `recovered` is false. */
  reason?: NotRecovered;
  /** The position to keep now: everything that follows is after it. */
  epoch: string;
  seq: number;
  /** `seq` of the newest record at the time of the join. */
  head: number;
  /** Documents: the highest update counter of this session that is on disk. */
  saved?: number;
  /** Documents: changes when the document was deleted and created again. */
  incarnation?: string;
}

/** The first event after a successful connect. */
export interface SessionAnnouncement {
  user: Pick<User, 'id' | 'name' | 'color' | 'roles' | 'permissions'>;
  protocol: number;
  /** When the token ends, Unix ms. */
  expiresAt: number;
  limits: { frameBytes: number; updateBytes: number; rooms: number };
}

export interface MembersAnswer {
  room: string;
  members: Member[];
  /** Of how many: one answer lists 1,000 at most. */
  total: number;
}
export interface PresenceUpdate {
  room: string;
  users: Member[];
}
export interface AccessUpdate {
  room: string;
  access: Access;
}
