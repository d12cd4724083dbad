import type { AppendResult, Commit, LogRecord, Store } from '../../server/storage/store.ts';
import { type MemoryDisk, memoryDisk } from '../../server/testing/memory-disk.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import type { World } from './world.ts';

/** What a disk does to those who use it. */
export interface DiskFaults {
  /** A commit fails, and nothing of it is there. */
  fails: number;
  /** A commit is there, and fails all the same. */
  unknown: number;
  /** It is full. */
  full: number;
  /** A room cannot be read, opened, or asked for. */
  unreadable: number;
}

export const HEALTHY: DiskFaults = { fails: 0, unknown: 0, full: 0, unreadable: 0 };

/** Told of all that is on the disk, as soon as it is. */
export interface DiskWitness {
  committed(room: RoomName, records: readonly LogRecord[]): void;
  wentBack(disk: MemoryDisk): void;
}

/** One disk, that outlives the processes which use it. Commits take time, and so do reads. */
export class SimulatedDisk {
  content: MemoryDisk = memoryDisk();
  faults: DiskFaults = HEALTHY;
  commitMs = 5;
  readMs = 2;
  readonly #world: World;
  readonly #witness: DiskWitness;
  #copy: { content: MemoryDisk; commits: number } | null = null;
  #opens = 0;
  #commits = 0;
  #lost = 0;

  constructor(world: World, witness: DiskWitness) {
    this.#world = world;
    this.#witness = witness;
  }

  /** An operator copies the files away. */
  backUp(): void {
    this.#copy = { content: structuredClone(this.content), commits: this.#commits };
  }

  /** …and puts them back, with no process running. @returns false: there is no copy */
  restore(): boolean {
    if (this.#copy === null) return false;
    this.content = structuredClone(this.#copy.content);
    this.#lost = this.#commits - this.#copy.commits;
    this.#witness.wentBack(this.content);
    return true;
  }

  /** Opens it for the process whose turn it is. */
  open(): Store {
    const world = this.#world;
    const { owner } = world;
    const memory = openMemoryStore({ disk: this.content, epoch: `epoch-${++this.#opens}` });
    const lost = this.#lost;
    this.#lost = 0;
    let underWay = 0;
    let closed = false;
    let idle: () => void = () => {};
    const counted = async <Value>(working: Promise<Value>): Promise<Value> => {
      underWay += 1;
      try {
        return await working;
      } finally {
        underWay -= 1;
        if (underWay === 0) idle();
      }
    };
    const at = (what: string, ms: number, task: () => void) => void world.schedule(ms, owner, what, task);
    const later = <Value>(method: string, work: () => Promise<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        at(`disk ${method}`, world.between(0, this.readMs), () => {
          if (world.maybe(this.faults.unreadable)) {
            reject(new AshlarError('storage-unavailable', { detail: 'simulated' }));
            return;
          }
          work().then((value) => at(`disk ${method} done`, world.between(0, this.readMs), () => resolve(value)), reject);
        });
      });
    const append = (commit: Commit): Promise<readonly AppendResult[]> =>
      new Promise((resolve, reject) => {
        at('disk append', world.between(0, this.commitMs), () => {
          void this.#append(memory, commit).then(
            (results) => at('disk append done', world.between(0, this.commitMs), () => resolve(results)),
            (error) => at('disk append failed', world.between(0, this.commitMs), () => reject(error)),
          );
        });
      });
    const close = async () => {
      closed = true;
      if (underWay > 0)
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
    };
    const refuse = () => Promise.reject(new AshlarError('storage-unavailable', { detail: 'the store is closed' }));
    const own: Partial<Store> = {
      close,
      append: (commit) => (closed ? refuse() : counted(append(commit))),
      wentBack: lost > 0 ? { commits: this.#commits, witnessed: this.#commits + lost } : undefined,
    };
    return new Proxy(memory, {
      get(target, name, receiver) {
        if (Object.hasOwn(own, name)) return own[name as keyof Store];
        const value = Reflect.get(target, name, receiver) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          closed ? refuse() : counted(later(String(name), () => value.apply(target, args) as Promise<unknown>));
      },
    });
  }

  async #append(memory: ReturnType<typeof openMemoryStore>, commit: Commit): Promise<readonly AppendResult[]> {
    const { fails, unknown, full } = this.faults;
    const draw = this.#world.random();
    const failure = draw < fails + unknown ? 'storage-unavailable' : draw < fails + unknown + full ? 'storage-full' : null;
    if (failure === null || (draw >= fails && draw < fails + unknown)) {
      const results = await memory.append(commit);
      this.#commits += 1;
      for (const [index, { room, records }] of commit.appends.entries()) {
        const result = results[index];
        if (!result?.ok || records.length === 0) continue;
        const { firstSeq, epoch } = result;
        this.#witness.committed(
          room,
          records.map((record, offset) => ({ ...record, seq: firstSeq + offset, epoch })),
        );
      }
      if (failure === null) return results;
    }
    this.#world.trace(`disk: ${failure}${draw >= fails && draw < fails + unknown ? ', and it is there' : ''}`);
    // All leases are void.
    memory.failNextAppend(new AshlarError(failure, { detail: 'simulated' }));
    return memory.append({ appends: [] });
  }
}
