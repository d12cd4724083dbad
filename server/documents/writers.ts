import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import type { Member } from '../rooms/member.ts';
import { SmallMap } from '../small-map.ts';
import { type ClientClock, type SessionMark, UNCLAIMED } from '../storage/store.ts';
import type { Place } from './admission/place-meter.ts';
import type { ReservedIds } from './reserved-ids.ts';
import type { WentBack } from './went-back.ts';

/** A client's Y.Doc as the server knows it: one Yjs client id, and how far its updates have come. */
export interface WriterSession {
  /** Hash of the secret that the client presents to resume. */
  readonly hash: string;
  readonly userId: string;
  readonly clientId: number;
  /** Ids of the user's earlier sessions, such as an offline one that never joined. */
  formerIds: Float64Array;
  /** Highest counter taken: committed or queued. The next one must be one above. */
  counter: number;
  /** Highest counter on disk. */
  saved: number;
  /** The live member that has it. */
  member: Member | null;
  /** An update of it is being looked at off the event loop: what follows is sent again. */
  busy: boolean;
  /** Where its latest item stands; null: not known. */
  place: Place | null;
  /** How often in a row an update of it could not be shown to be harmless. */
  failedTrials: number;
}

/** What the writers of all documents share. */
export interface WriterPorts {
  readonly clock: Pick<Clock, 'now'>;
  /** Whom client ids that nothing was written under are kept for, while their user is away. */
  readonly reservedIds: Pick<ReservedIds, 'keep' | 'userOf'>;
  /** Whether the log went back, so that what it lacks of any id may be brought back by whoever has it. */
  readonly wentBack: Pick<WentBack, 'mayRestore'>;
}

/**
 * Who may write under which Yjs client id in one document, and what is known of each id's clock: committed and queued. It grows
 * with clients, not with edits.
 */
export class Writers {
  /** Next clock per client id. */
  readonly known = new SmallMap<number, number>();
  readonly #owners = new SmallMap<number, string | null>();
  readonly #sessions = new SmallMap<string, WriterSession>();
  readonly #byClient = new SmallMap<number, WriterSession>();
  readonly #room: RoomName;
  readonly #ports: WriterPorts;
  /** Ids whose own session has brought all that it has of them: nobody else has more. */
  readonly #settled = new SmallMap<number, true>();

  constructor(room: RoomName, clocks: readonly ClientClock[], ports: WriterPorts) {
    this.#room = room;
    this.#ports = ports;
    this.#read(clocks);
  }

  find(hash: string): WriterSession | undefined {
    return this.#sessions.get(hash);
  }

  values(): Iterable<WriterSession> {
    return this.#sessions.values();
  }

  /**
   * Reserves a client id for a user's session, or resumes the session.
   * @param stored the session's mark on disk, where there is one
   * @param formerIds ids that the user wrote under before: what the log does not know of them is theirs to bring, unless it is another's
   * @throws AshlarError `id-in-use` where another session has the id, `foreign-client-id` where it belongs to another user
   */
  claim(
    user: User,
    clientId: number,
    hash: string,
    stored: SessionMark | null,
    formerIds: readonly number[] = [],
  ): WriterSession {
    const mine = this.#sessions.get(hash);
    if (mine !== undefined) {
      if (mine.userId !== user.id || mine.clientId !== clientId) throw new AshlarError('id-in-use');
      mine.formerIds = idsOf(formerIds);
      return mine;
    }
    if (stored !== null && (stored.userId !== user.id || stored.clientId !== clientId)) throw new AshlarError('id-in-use');
    const owner = this.#owners.has(clientId) ? this.#owners.get(clientId) : this.#keptFor(clientId);
    if (owner !== undefined && owner !== user.id) throw new AshlarError('foreign-client-id');
    const other = this.#byClient.get(clientId);
    if (other !== undefined) throw new AshlarError(other.userId === user.id ? 'id-in-use' : 'foreign-client-id');
    const counter = stored?.counter ?? 0;
    const session: WriterSession = {
      hash,
      userId: user.id,
      clientId,
      formerIds: idsOf(formerIds),
      counter,
      saved: counter,
      member: null,
      busy: false,
      place: null,
      failedTrials: 0,
    };
    this.#sessions.set(hash, session);
    this.#byClient.set(clientId, session);
    return session;
  }

  /** Forgets a session that nobody holds: all of it is on disk, or it never wrote; then its id, which awareness may have shown, is kept for its user. */
  release(session: WriterSession): void {
    if (session.member !== null || session.busy || session.saved !== session.counter) return;
    const { hash, clientId, userId } = session;
    this.#sessions.delete(hash);
    if (this.#byClient.get(clientId) !== session) return;
    this.#byClient.delete(clientId);
    if (!this.#owners.has(clientId)) this.#ports.reservedIds.keep(this.#room, clientId, userId, this.#ports.clock.now());
  }

  /**
   * Whose a client id is, as a session's user sees it. `restorable`: another's, or nobody's, and the log may lack some of it since it went back;
   * not where the id's own session has already brought all of it, so that nobody writes under an id that is in use.
   */
  ownerOf(session: WriterSession, clientId: number): 'self' | 'other' | 'unclaimed' | 'restorable' {
    if (clientId === session.clientId) return 'self';
    const user = this.userFor(session, clientId);
    if (user === session.userId) return 'self';
    if (this.#ports.wentBack.mayRestore(this.#room) && !this.#settled.has(clientId)) return 'restorable';
    return user === UNCLAIMED ? 'unclaimed' : 'other';
  }

  /** Whom a client id belongs to once a session has brought content of it: whoever brings back others' work does not own it. */
  userFor(session: WriterSession, clientId: number): string | null {
    const owner = this.#owners.get(clientId);
    if (owner !== undefined) return owner;
    if (clientId === session.clientId) return session.userId;
    // Two tabs of one user may know each other's content before the log does.
    const user = this.#byClient.get(clientId)?.userId ?? this.#keptFor(clientId);
    return user ?? (session.formerIds.includes(clientId) ? session.userId : UNCLAIMED);
  }

  /** A session's own update was taken: a full step, or content that follows on all that the log has of its id. */
  settle({ clientId }: WriterSession): void {
    this.#settled.set(clientId, true);
  }

  /** Notes what an admitted update brings, before it is committed. */
  take(clocks: readonly ClientClock[]): void {
    this.#read(clocks);
  }

  /**
   * The clocks as they are once records were set aside. An id that lost content is nobody's from now on: what it wrote under those clocks
   * must not come back under them.
   * @param left the state vector of what is left
   */
  clocksAfterLoss(left: ReadonlyMap<number, number>): ClientClock[] {
    return [...this.known].map(([clientId, known]) => {
      const clock = left.get(clientId) ?? 0;
      const owner = this.#owners.get(clientId);
      return { clientId, clock, userId: clock < known ? null : owner === undefined ? UNCLAIMED : owner };
    });
  }

  /** A user was erased: what it wrote under its ids is nobody's, and no session of its goes on. */
  forgetUser(userId: string): void {
    for (const [clientId, owner] of this.#owners) if (owner === userId) this.#owners.set(clientId, null);
    for (const [hash, session] of this.#sessions) {
      if (session.userId !== userId) continue;
      this.#sessions.delete(hash);
      if (this.#byClient.get(session.clientId) === session) this.#byClient.delete(session.clientId);
    }
  }

  /** The document was deleted: no id belongs to anyone, no session goes on. */
  clear(): void {
    this.known.clear();
    this.#owners.clear();
    this.#sessions.clear();
    this.#byClient.clear();
    this.#settled.clear();
  }

  /** The log was read anew: what was queued is gone, and each session stands where the disk says. */
  async reset(clocks: readonly ClientClock[], readMark: (hash: string) => Promise<SessionMark | null>): Promise<void> {
    this.known.clear();
    this.#owners.clear();
    this.#settled.clear();
    this.#read(clocks);
    for (const session of this.#sessions.values()) {
      session.saved = (await readMark(session.hash))?.counter ?? 0;
      session.counter = session.saved;
    }
  }

  #keptFor(clientId: number): string | undefined {
    return this.#ports.reservedIds.userOf(this.#room, clientId, this.#ports.clock.now());
  }

  #read(clocks: readonly ClientClock[]): void {
    for (const { clientId, clock, userId } of clocks) {
      this.known.set(clientId, clock);
      if (userId !== UNCLAIMED && !this.#owners.has(clientId)) this.#owners.set(clientId, userId);
    }
  }
}

/** Most sessions have none: one list for all of them. */
const NO_IDS = new Float64Array();

// 8 bytes an id, where a set has some 40: a client may name a thousand in each of its rooms.
function idsOf(ids: readonly number[]): Float64Array {
  return ids.length === 0 ? NO_IDS : Float64Array.from(ids);
}
