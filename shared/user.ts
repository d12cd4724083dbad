import type { AccessClaim } from './access.ts';

/** The authenticated principal: from a verified token, never from a message. */
export interface User {
  readonly id: string;
  readonly name: string;
  /** `#rrggbb`: the token's claim, or derived from the id. */
  readonly color: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** Room pattern → access. Absent: the server's `defaultAccess` holds. */
  readonly access?: AccessClaim;
}

/** What others see of a user: in awareness, presence and chat. */
export interface PublicUser {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** One user of a room. Several sockets of one user are one member. */
export interface Member {
  readonly userId: string;
  readonly name: string;
  readonly color: string;
  readonly status: 'online' | 'offline';
  /** Unix ms: now for who is online, else when the last socket went. */
  readonly lastSeen: number;
}
