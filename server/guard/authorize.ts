import type { Logger } from 'pino';
import { ACCESS_LEVELS, type Access, type AccessClaim, accessFromClaim } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import type { Authorize } from '../options.ts';
import { SmallMap } from '../small-map.ts';
import type { Store } from '../storage/store.ts';
import { withinTime } from '../within-time.ts';
import { createAccessGrants } from './access-grants.ts';

export interface AuthorizerOptions {
  readonly store: Pick<Store, 'readGrant' | 'writeGrant'>;
  /** The product's own decision. */
  readonly authorize?: Authorize | undefined;
  /** Holds for tokens without an `access` claim, and for no others. */
  readonly defaultAccess: AccessClaim;
  /** After this the product's callback counts as "no". */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Decides what a user may do in a room. */
export interface Authorizer {
  /**
   * Asks anew, in this order: a stored grant or revocation for exactly this room, the product's callback, the token's `access`
   * claim, `defaultAccess` (tokens without a claim), none. `user:<id>` is read by its owner and by nobody else, whatever all these say.
   * While a grant is being stored the lower of before and after holds.
   * @throws AshlarError `access-check-failed`: the callback threw, hung or answered nonsense, which means "no" and may pass; or
   *   the store's, where the grant cannot be read. Neither is a decision to keep.
   */
  decide(user: User, room: RoomName): Promise<Access>;
  /**
   * Grants (or revokes, with `none`) for one user in one room; null removes what was set. What it takes away is gone at once, in
   * every cache; then the store commits; then this resolves. What it gives holds when this resolves.
   * @throws AshlarError `invalid-room` for `user:` rooms, which are not given away; the store's: then what was taken away stays
   *   away in this process, and nothing is given
   */
  setGrant(room: RoomName, userId: string, access: Access | null): Promise<void>;
  /** A user was erased: what was stored about it is not remembered. */
  forgetUser(userId: string): void;
  /** For caches: where the stamp of a user in a room is found. */
  slot(room: RoomName, userId: string): number;
  /** For caches: the stamp in a slot. It changes whenever a decision made before it may be out of date. */
  stamp(slot: number): number;
}

const USER_ROOM = 'user:';
/** A decision that a grant overtakes is made again, but not for ever. */
const MAX_ATTEMPTS = 8;
/** So is one that is dropped while it is made: a callback that has access rechecked would be asked for ever, and nothing else would run. */
const MAX_DROPPED = 100;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { store, authorize, defaultAccess, timeoutMs, clock, log } = options;
  const grants = createAccessGrants(store, clock);

  const decideWithoutGrant = async (user: User, room: RoomName): Promise<Access> => {
    const own = authorize === undefined ? undefined : await askProduct(authorize, user, room);
    return own ?? accessFromClaim(user.access ?? defaultAccess, room) ?? 'none';
  };

  const askProduct = async (ask: Authorize, user: User, room: RoomName): Promise<Access | undefined> => {
    try {
      const late = () => new AshlarError('timeout', { detail: `authorize: ${timeoutMs} ms` });
      // In a promise of its own, so that a callback that throws at once is caught as well; what comes too late is ignored.
      const asked = new Promise<unknown>((resolve) => resolve(ask(user, room)));
      const answer = await withinTime(clock, timeoutMs, late, asked);
      if (answer === undefined || ACCESS_LEVELS.some((level) => level === answer)) return answer as Access | undefined;
      throw new TypeError(`authorize answered ${typeof answer}: an access level or undefined is expected`);
    } catch (error) {
      log.warn({ userId: user.id, room, err: error }, 'authorize:failed');
      throw new AshlarError('access-check-failed', { cause: error, room });
    }
  };

  const attempt = async (user: User, room: RoomName): Promise<Access> => {
    const { stored, underWay } = await grants.read(room, user.id);
    const outcomes = [stored, ...underWay];
    const granted = outcomes.filter((access) => access !== null);
    // Nothing that the callback says can raise a "none": do not ask it then.
    if (granted.includes('none') || granted.length === outcomes.length) return lowest(granted);
    return lowest([...granted, await decideWithoutGrant(user, room)]);
  };

  return {
    forgetUser: grants.forgetUser,
    slot: grants.slot,
    stamp: grants.stamp,
    async decide(user, room) {
      if (room.startsWith(USER_ROOM)) return room === USER_ROOM + user.id ? 'read' : 'none';
      const slot = grants.slot(room, user.id);
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
        const stamp = grants.stamp(slot);
        const access = await attempt(user, room);
        if (grants.stamp(slot) === stamp) return access;
      }
      throw new AshlarError('access-check-failed', { detail: 'access keeps changing', room });
    },
    async setGrant(room, userId, access) {
      if (room.startsWith(USER_ROOM))
        throw new AshlarError('invalid-room', { detail: 'a user: room is its owner’s alone', room });
      await grants.set(room, userId, access);
    },
  };
}

/** The lowest of some levels. */
function lowest(levels: readonly Access[]): Access {
  return levels.reduce((least, level) => (ACCESS_LEVELS.indexOf(level) < ACCESS_LEVELS.indexOf(least) ? level : least), 'admin');
}

/** Decisions that a socket remembers. */
const MAX_CACHED = 1_000;

/** What one socket has been told it may do. */
export interface AccessCache {
  /** The last decision, if nothing that bears on it has changed since. O(1). */
  cached(room: RoomName): Access | undefined;
  /**
   * Asks anew and remembers; calls for one room while one is under way share its answer. Each join asks; messages in between
   * take `cached(room) ?? await decide(room)`.
   * @throws AshlarError as `Authorizer.decide`; then nothing is remembered
   */
  decide(room: RoomName): Promise<Access>;
  /** Forgets a decision; one that is under way is made again. */
  drop(room: RoomName): void;
  /** Forgets all: the socket is gone, or what the product's callback goes by has changed. */
  clear(): void;
  /** Another token on the same socket: forgets all, and decides for this user from now on. */
  setUser(user: User): void;
}

/** Makes a socket's cache. @param maxRooms decisions remembered; beyond it the one used longest ago goes */
export function createAccessCache(authorizer: Authorizer, user: User, maxRooms = MAX_CACHED): AccessCache {
  return new DecisionCache(authorizer, user, maxRooms);
}

interface Decision {
  readonly access: Access;
  readonly slot: number;
  readonly stamp: number;
}

class DecisionCache implements AccessCache {
  readonly #authorizer: Authorizer;
  readonly #maxRooms: number;
  #owner: User;
  /** By last use, oldest first. */
  readonly #decisions = new Map<RoomName, Decision>();
  readonly #running = new SmallMap<RoomName, Promise<Access>>();

  constructor(authorizer: Authorizer, owner: User, maxRooms: number) {
    this.#authorizer = authorizer;
    this.#owner = owner;
    this.#maxRooms = maxRooms;
  }

  cached(room: RoomName): Access | undefined {
    const decision = this.#decisions.get(room);
    if (decision === undefined || this.#authorizer.stamp(decision.slot) !== decision.stamp) return undefined;
    this.#decisions.delete(room);
    this.#decisions.set(room, decision);
    return decision.access;
  }

  decide(room: RoomName): Promise<Access> {
    return this.#decide(room, 0);
  }

  #decide(room: RoomName, dropped: number): Promise<Access> {
    const shared = this.#running.get(room);
    if (shared !== undefined) return shared;
    const slot = this.#authorizer.slot(room, this.#owner.id);
    const stamp = this.#authorizer.stamp(slot);
    const own: Promise<Access> = this.#authorizer.decide(this.#owner, room).then(
      (access) => {
        // Dropped meanwhile: whoever dropped it knows better.
        if (this.#running.get(room) !== own) return this.#again(room, dropped + 1);
        this.#running.delete(room);
        // A grant that came while this was decided has been taken into account, but what changed since this stamp is asked again.
        this.#remember(room, { access, slot, stamp });
        return access;
      },
      (error: unknown) => {
        if (this.#running.get(room) !== own) return this.#again(room, dropped + 1);
        this.#running.delete(room);
        this.#decisions.delete(room);
        throw error;
      },
    );
    this.#running.set(room, own);
    return own;
  }

  #again(room: RoomName, dropped: number): Promise<Access> {
    if (dropped < MAX_DROPPED) return this.#decide(room, dropped);
    throw new AshlarError('access-check-failed', { detail: 'access keeps changing', room });
  }

  drop(room: RoomName): void {
    this.#decisions.delete(room);
    this.#running.delete(room);
  }

  clear(): void {
    this.#decisions.clear();
    this.#running.clear();
  }

  setUser(next: User): void {
    this.clear();
    this.#owner = next;
  }

  #remember(room: RoomName, decision: Decision): void {
    this.#decisions.delete(room);
    this.#decisions.set(room, decision);
    if (this.#decisions.size <= this.#maxRooms) return;
    const oldest = this.#decisions.keys().next();
    if (!oldest.done) this.#decisions.delete(oldest.value);
  }
}
