import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import { Erasing } from '../guard/erasing.ts';
import type { RoomLease, Store } from '../storage/store.ts';
import { GroupCommit } from './group-commit.ts';
import type { Member } from './member.ts';
import { Room, type RoomContent, type RoomPorts } from './room.ts';
import { NO_TALLY, type Tally } from './tally.ts';
import { WaitingBytes } from './waiting-bytes.ts';

const IDLE_MS = 30_000;

/** Makes what a room holds: events or a document. */
export type CreateContent = (room: Room, lease: RoomLease) => RoomContent;

/** The rooms in memory: opened when they are needed, let go when nobody has needed them for half a minute. */
export class Rooms {
  readonly groupCommit: GroupCommit;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #createContent: CreateContent;
  readonly #ports: RoomPorts;
  readonly #open = new Map<RoomName, Room>();
  readonly #opening = new Map<RoomName, Promise<Room>>();
  /** When rooms are looked at again, by the monotonic clock; soonest first, since all wait equally long. */
  readonly #sweeps = new Map<RoomName, number>();
  #cancelSweep: (() => void) | null = null;
  readonly #retries = new Set<() => void>();
  #closed = false;

  constructor(options: {
    store: Store;
    clock: Clock;
    soon: (task: () => void) => void;
    createContent: CreateContent;
    catchUp: (member: Member) => void;
    tally?: Tally;
    /** Whether the store takes nothing new, though the disk would. */
    full?: () => boolean;
    erasing?: Erasing;
    /** How much of one user's may wait for the disk. Default: no end. */
    waitingBytes?: number;
  }) {
    const { tally = NO_TALLY, full = () => false, erasing = new Erasing(), waitingBytes = Infinity } = options;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#createContent = options.createContent;
    this.groupCommit = new GroupCommit(options.store, options.soon, options.clock, tally);
    this.#ports = {
      store: options.store,
      groupCommit: this.groupCommit,
      catchUp: options.catchUp,
      dropped: { rev: 0 },
      tally,
      waiting: new WaitingBytes(waitingBytes),
      full,
      erasing,
      retryIn: (ms, task) => this.#retryIn(ms, task),
    };
  }

  /** The rooms in memory. */
  values(): Iterable<Room> {
    return this.#open.values();
  }

  /** A room that is in memory. */
  peek(name: RoomName): Room | undefined {
    return this.#open.get(name);
  }

  /**
   * The room, opened where it is not yet: all who ask meanwhile share one opening.
   * @throws AshlarError as `Store.open`; `access-denied` for the room of a user who is being erased
   */
  open(name: RoomName): Promise<Room> {
    if (this.#ports.erasing.hasRoom(name)) return Promise.reject(new AshlarError('access-denied', { room: name }));
    const open = this.#open.get(name);
    if (open !== undefined) {
      this.#sweepLater(open);
      return Promise.resolve(open);
    }
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      opening = this.#load(name).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    return opening;
  }

  /** To be called when a room may have become empty. */
  release(room: Room): void {
    this.#sweepLater(room);
  }

  /** Lets go of a room that the store no longer has. */
  forget(name: RoomName): void {
    const room = this.#open.get(name);
    if (room === undefined) return;
    room.forgotten = true;
    this.#sweeps.delete(name);
    this.#open.delete(name);
  }

  /**
   * Waits for what is under way, and asks the disk once more for state values whose commit failed: members have seen them.
   * @returns the rooms in which some are still not stored
   */
  async settled(): Promise<readonly RoomName[]> {
    await this.groupCommit.settled();
    const unsaved = () => [...this.#open.values()].filter((room) => !room.idle);
    await Promise.all(unsaved().map((room) => room.hurryStates().catch(() => {})));
    await this.groupCommit.settled();
    return unsaved().map(({ name }) => name);
  }

  /** Ends the timers. Rooms are let go without a word: their members are gone already. */
  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const cancel of this.#retries) cancel();
    this.#sweeps.clear();
    this.#retries.clear();
  }

  async #load(name: RoomName): Promise<Room> {
    const lease = await this.#store.open(name);
    const room = new Room(name, lease, this.#ports);
    room.content = this.#createContent(room, lease);
    this.#open.set(name, room);
    this.#sweepLater(room);
    return room;
  }

  // A room that cannot be opened again, because the store is closed too, must not be tried for ever and hold the process open.
  #retryIn(ms: number, task: () => void): void {
    if (this.#closed) return;
    const cancel = this.#clock.after(ms, () => {
      this.#retries.delete(cancel);
      task();
    });
    this.#retries.add(cancel);
  }

  #sweepLater({ name }: Room): void {
    if (this.#closed) return;
    this.#sweeps.delete(name);
    this.#sweeps.set(name, this.#clock.monotonic() + IDLE_MS);
    if (this.#cancelSweep === null) this.#armSweep(IDLE_MS);
  }

  #armSweep(ms: number): void {
    this.#cancelSweep = this.#clock.after(ms, () => this.#sweep());
  }

  // One timer for all: a room costs an entry here, not a timer with its closures.
  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [name, due] of this.#sweeps) {
      if (due > now) {
        this.#armSweep(due - now);
        return;
      }
      this.#sweeps.delete(name);
      const room = this.#open.get(name);
      if (room === undefined || room.members.size > 0) continue;
      // Behind all others, which is where the next look at it belongs.
      if (!room.idle || room.fenced || room.content.busy) this.#sweeps.set(name, now + IDLE_MS);
      else this.#open.delete(name);
    }
    this.#cancelSweep = null;
  }
}
