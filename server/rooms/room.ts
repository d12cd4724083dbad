import type { Access } from '../../shared/access.ts';
import { AshlarError, invariant } from '../../shared/errors.ts';
import type { JoinAnswer, JoinOptions } from '../../shared/messages.ts';
import type { Position } from '../../shared/position.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Erasing } from '../guard/erasing.ts';
import { SmallMap } from '../small-map.ts';
import { isStateOf } from '../storage/erasure.ts';
import type {
  AppendResult,
  ClientClock,
  CommitKey,
  LogRecord,
  NewRecord,
  Quarantine,
  RoomAppend,
  RoomLease,
  SessionMark,
  StateValue,
  Store,
  TrimOptions,
} from '../storage/store.ts';
import { committedRecord } from './committed-record.ts';
import type { Connection } from './connection.ts';
import type { Entry } from './entry.ts';
import type { CommitSource, GroupCommit } from './group-commit.ts';
import type { Member } from './member.ts';
import { RecentRecords } from './recent-records.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Tally } from './tally.ts';
import type { WaitingBytes } from './waiting-bytes.ts';

/** An accepted join: the answer goes first, then what `start` sends. */
export interface Joined {
  readonly member: Member;
  readonly answer: JoinAnswer;
  start(): void;
}

/** What differs between a room of events and a document. */
export interface RoomContent {
  /** Makes a connection a member. @throws AshlarError where the content refuses it */
  join(connection: Connection, access: Access, options: JoinOptions): Promise<Joined>;
  /** These records are being written: what they will be sent as can be made meanwhile. The very same objects leave, unless the commit fails. */
  underWay?(records: readonly LogRecord[]): void;
  /** After the entries of one commit have left: the moment to send what they gathered. */
  flushed(): void;
  /** Packets that bring a member from its position over these records. Called by catch-up. */
  sendRecords(member: Member, records: readonly LogRecord[], position?: Position): void;
  /** Sends the latest value of one state key. */
  sendState(member: Member, key: string): void;
  /** The lease was lost and taken again: everything kept in memory is read anew from it. */
  reopened(lease: RoomLease): Promise<void> | void;
  /** A member lost its access and is out: it is still told what of its own was saved. */
  dismissed(member: Member): void;
  /** A user was erased from the store: nothing of that user's is kept here either. */
  erased(userId: string): void;
  /** A member is gone. */
  left(member: Member): void;
  /** Whether something here must stay in memory though nobody is in the room. */
  readonly busy: boolean;
}

export interface RoomPorts {
  readonly store: Store;
  readonly groupCommit: GroupCommit;
  readonly tally: Tally;
  readonly waiting: WaitingBytes;
  /** Brings a member up to date from the log. */
  catchUp(member: Member): void;
  /** State values that were dropped: their `rev` is never given again by this process, in whatever room. */
  readonly dropped: { rev: number };
  /** Whether the store takes nothing new, though the disk would. */
  full(): boolean;
  readonly erasing: Erasing;
  /** Waits before the lease is taken again after a failure. */
  retryIn(ms: number, task: () => void): void;
}

const RECENT_BYTES = 512 * 1024;

/** Shared by all rooms that nothing is written to. */
const NONE: readonly LogRecord[] = [];

/** A named scope with members and a log: the order of everything that happens in it. */
export class Room implements CommitSource {
  readonly name: RoomName;
  readonly members = new SmallMap<Connection, Member>();
  readonly states = new SmallMap<string, StateValue>();
  readonly recent = new RecentRecords(RECENT_BYTES);
  /** Reads of the log that are under way, by what they ask for. */
  readonly reads = new SmallMap<string, Promise<readonly LogRecord[]>>();
  content!: RoomContent;
  /** The newest committed record's place. */
  head!: Position;
  trimmedTo = 0;
  incarnation = '';
  deleted = false;
  /** The writer's lease is lost: nothing is taken until it is back. */
  fenced = false;
  /** Its user was erased: this object is nobody's room any more. */
  forgotten = false;
  readonly #ports: RoomPorts;
  #fence = 0;
  #rev = 0;
  #entries: Entry[] = [];
  #inFlight = 0;
  /** What is in flight, as it will stand in the log. */
  #coming: readonly LogRecord[] = NONE;
  #dirtyStates = new SmallMap<string, StateValue>();
  #statesInFlight = new SmallMap<string, StateValue>();
  /** Commits that failed since the last that did not. */
  #failures = 0;
  #statesWait = false;
  #opening: Promise<void> | null = null;

  constructor(name: RoomName, lease: RoomLease, ports: RoomPorts) {
    this.name = name;
    this.#ports = ports;
    this.#take(lease);
  }

  get tally(): Tally {
    return this.#ports.tally;
  }

  get store(): Store {
    return this.#ports.store;
  }

  /** Records that are queued or being written. */
  get idle(): boolean {
    return this.#entries.length === 0 && this.#dirtyStates.size === 0 && this.#statesInFlight.size === 0;
  }

  /** The next `rev` of a state value in this room. */
  nextRev(): number {
    this.#rev += 1;
    return this.#rev;
  }

  /** Where the next durable record of this room will stand, given what is queued now. */
  nextPosition(): Position {
    let queued = 0;
    for (const entry of this.#entries) if (entry.record !== undefined) queued += 1;
    return { epoch: this.store.epoch, seq: this.head.seq + queued + 1 };
  }

  /**
   * Takes an entry into the room's order.
   * @throws AshlarError `storage-unavailable` while the lease is lost, or too much of its user's waits for the disk, `storage-full`, `access-denied` where its user is being erased
   */
  submit(entry: Entry): void {
    const { erasing } = this.#ports;
    erasing.refuseEntry(entry.record, entry.states);
    erasing.refuse(entry.key?.userId);
    if (entry.durable && erasing.hasRoom(this.name)) throw new AshlarError('access-denied', { room: this.name });
    if (this.fenced && entry.durable) throw new AshlarError('storage-unavailable', { retryAfterMs: 1_000, room: this.name });
    if (this.#ports.full() && this.#adds(entry))
      throw new AshlarError('storage-full', { detail: 'the quota is reached', room: this.name });
    this.#ports.waiting.add(entry);
    if (!entry.durable) for (const state of entry.states ?? []) this.#dirtyStates.set(stateKey(state.event, state.key), state);
    if (entry.durable || this.#entries.length > 0) this.#entries.push(entry);
    else entry.leave(null);
    if (entry.durable || this.#dirtyStates.size > 0) this.#ports.groupCommit.schedule(this);
  }

  // What only takes something away is how room is made; a state value in the place of another is no more than that one was.
  #adds({ durable, lifecycle, quarantine, record, states = [] }: Entry): boolean {
    if (lifecycle?.change === 'deleted' || quarantine !== undefined) return false;
    const added = states.some(({ event, key, value }) => value !== null && !this.states.has(stateKey(event, key)));
    return added || (durable && (record !== undefined || states.length === 0));
  }

  /** Takes state values out of the room, durably, and tells nobody; a key that has a newer value by then keeps it. */
  async dropStates(values: readonly StateValue[]): Promise<void> {
    if (values.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.submit({
        durable: true,
        states: values.map((state) => ({ ...state, value: null })),
        leave: () => {
          for (const state of values) {
            this.#ports.dropped.rev = Math.max(this.#ports.dropped.rev, state.rev);
            const key = stateKey(state.event, state.key);
            if (this.states.get(key)?.rev === state.rev) this.states.delete(key);
          }
          resolve();
        },
        fail: reject,
      });
    });
  }

  /** Cuts the log's beginning, and notes where it begins now. @returns how many records went */
  async trim(options: TrimOptions): Promise<number> {
    const cut = await this.store.trim(this.name, options);
    if (cut === 0) return 0;
    const [first] = await this.store.read(this.name, { limit: 1 });
    this.trimmedTo = first === undefined ? this.head.seq : first.seq - 1;
    return cut;
  }

  /** What the store has just erased of a user is not kept here either. */
  erased(userId: string): void {
    this.recent.clear();
    this.reads.clear();
    for (const states of [this.states, this.#dirtyStates, this.#statesInFlight]) {
      for (const [key, state] of states) {
        if (!isStateOf(state, userId)) continue;
        this.#ports.dropped.rev = Math.max(this.#ports.dropped.rev, state.rev);
        states.delete(key);
      }
    }
    this.content.erased(userId);
  }

  /** Resolves when all that was submitted before has left, or failed. */
  settled(): Promise<void> {
    if (this.#entries.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.submit({ durable: false, leave: () => resolve(), fail: () => resolve() }));
  }

  /**
   * Puts state values whose commit failed into the next one, without waiting any longer.
   * @throws AshlarError as `Store.open`, where the room's lease is not to be had again
   */
  async hurryStates(): Promise<void> {
    if (this.#dirtyStates.size === 0 || this.forgotten) return;
    if (this.fenced) await this.#openAgain();
    this.#ports.groupCommit.schedule(this);
  }

  takeGroup(): { append: RoomAppend; keys: readonly CommitKey[] } | null {
    if (this.fenced || this.#inFlight > 0) return null;
    const records: NewRecord[] = [];
    // Both only grow: of each client and session the last counts, so that a group of fifty keystrokes writes two rows beside its records.
    const clocks = new Map<number, ClientClock>();
    const sessions = new Map<string, SessionMark>();
    const states: StateValue[] = [];
    const keys: CommitKey[] = [];
    let lifecycle: RoomAppend['lifecycle'];
    let quarantine: Quarantine | undefined;
    let taken = 0;
    for (const entry of this.#entries) {
      // A deletion, a creation or a quarantine is a commit of its own: what comes behind it belongs to another life of the room.
      const alone = entry.lifecycle !== undefined || entry.quarantine !== undefined;
      if (lifecycle !== undefined || quarantine !== undefined || (alone && taken > 0)) break;
      taken += 1;
      if (entry.record !== undefined) records.push(entry.record);
      for (const clock of entry.clocks ?? []) clocks.set(clock.clientId, clock);
      for (const mark of entry.sessions ?? []) sessions.set(mark.session, mark);
      if (entry.durable && entry.states !== undefined) states.push(...entry.states);
      if (entry.key !== undefined) keys.push(entry.key);
      lifecycle = entry.lifecycle;
      quarantine = entry.quarantine;
    }
    for (const state of this.#dirtyStates.values()) states.push(state);
    // A value that could leave at once may be older than one that waited for this commit; and what is dropped goes behind the value that it is.
    states.sort((a, b) => a.rev - b.rev || Number(a.value === null) - Number(b.value === null));
    if (taken === 0 && states.length === 0) return null;
    this.#statesInFlight = this.#dirtyStates;
    this.#dirtyStates = new SmallMap();
    this.#inFlight = taken;
    const append: RoomAppend = {
      room: this.name,
      expectedHead: this.head.seq,
      fence: this.#fence,
      records,
      clocks: [...clocks.values()],
      sessions: [...sessions.values()],
      states,
      ...(lifecycle === undefined ? {} : { lifecycle }),
      ...(quarantine === undefined ? {} : { quarantine }),
    };
    return { append, keys };
  }

  underWay(): void {
    const coming: LogRecord[] = [];
    for (const { record } of this.#entries.slice(0, this.#inFlight)) {
      if (record !== undefined) coming.push(committedRecord(record, this.head.seq + coming.length + 1, this.store.epoch));
    }
    if (coming.length === 0) return;
    this.#coming = coming;
    this.content.underWay?.(coming);
  }

  committed(result: Extract<AppendResult, { ok: true }>): void {
    this.#statesInFlight.clear();
    this.#failures = 0;
    const left = this.#entries.splice(0, this.#inFlight);
    this.#inFlight = 0;
    const coming = this.#coming;
    this.#coming = NONE;
    let seq = result.firstSeq;
    for (const entry of left) {
      this.#ports.waiting.remove(entry);
      let record: LogRecord | null = null;
      if (entry.record !== undefined) {
        invariant(seq === this.head.seq + 1, 'a log has no gap', { room: this.name, head: this.head.seq, seq });
        const made = coming[seq - result.firstSeq];
        const fits = made?.seq === seq && made.epoch === result.epoch;
        record = fits ? made : committedRecord(entry.record, seq, result.epoch);
        this.recent.add(record);
        this.head = { epoch: result.epoch, seq };
        seq += 1;
      }
      entry.leave(record);
    }
    this.#leaveUntilDurable();
    this.content.flushed();
    if (this.#entries.length > 0 || this.#dirtyStates.size > 0) this.#ports.groupCommit.schedule(this);
  }

  failed(error: AshlarError): void {
    this.fenced = true;
    this.#failures += 1;
    for (const [key, state] of this.#statesInFlight) if (!this.#dirtyStates.has(key)) this.#dirtyStates.set(key, state);
    this.#statesInFlight.clear();
    const lost = this.#entries.splice(0);
    this.#inFlight = 0;
    this.#coming = NONE;
    for (const entry of lost) {
      this.#ports.waiting.remove(entry);
      if (entry.durable) entry.fail(error);
      else entry.leave(null);
    }
    this.#reopen(0);
  }

  // Nobody waits for them: where the disk fails on, they must not ask it again and again.
  #retryStates(): void {
    if (this.#dirtyStates.size === 0 || this.#statesWait) return;
    this.#statesWait = true;
    this.#ports.retryIn(retryAfterMs(this.#failures - 1), () => {
      this.#statesWait = false;
      if (!this.forgotten) this.#ports.groupCommit.schedule(this);
    });
  }

  // What is not durable leaves as soon as nothing durable is before it.
  #leaveUntilDurable(): void {
    let count = 0;
    while (count < this.#entries.length && this.#entries[count]?.durable === false) count += 1;
    for (const entry of this.#entries.splice(0, count)) entry.leave(null);
  }

  #reopen(attempt: number): void {
    this.#ports.retryIn(retryAfterMs(attempt), () => {
      // To open it would make it anew, with its name.
      if (!this.forgotten) this.#openAgain().catch(() => this.#reopen(attempt + 1));
    });
  }

  #openAgain(): Promise<void> {
    this.#opening ??= this.#takeLease().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #takeLease(): Promise<void> {
    const lease = await this.store.open(this.name);
    this.recent.clear();
    this.reads.clear();
    this.#take(lease);
    await this.content.reopened(lease);
    this.fenced = false;
    // A commit that was unknown may have come through: whoever is behind the log gets it from there.
    for (const member of this.members.values()) {
      if (member.delivery === 'live') member.delivery = 'catching-up';
      this.#ports.catchUp(member);
    }
    this.#retryStates();
  }

  #take(lease: RoomLease): void {
    this.head = { epoch: lease.headEpoch, seq: lease.head };
    this.#fence = lease.fence;
    this.trimmedTo = lease.trimmedTo;
    this.incarnation = lease.incarnation;
    this.deleted = lease.deleted;
    // A client that was here before knows the values by their `rev`, and takes a lower one for old.
    this.#rev = Math.max(this.#rev, this.#ports.dropped.rev);
    for (const state of lease.states) {
      const key = stateKey(state.event, state.key);
      const mine = this.states.get(key);
      if (mine === undefined || mine.rev < state.rev) this.states.set(key, state);
      this.#rev = Math.max(this.#rev, state.rev);
    }
  }
}

/** Where a state value is kept. */
export function stateKey(event: string, key: string): string {
  return `${event}\n${key}`;
}
