import { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import { writeTogether } from '../sockets/write-together.ts';
import type { AppendResult, CommitKey, RoomAppend, Store } from '../storage/store.ts';
import type { Tally } from './tally.ts';

/** A room with something to write. */
export interface CommitSource {
  /** Everything that waits, as one append; it is then in flight until one of the other two is called. Null: nothing waits. */
  takeGroup(): { append: RoomAppend; keys: readonly CommitKey[] } | null;
  /** The commit of what was taken is being written, which takes a while: time to make ready what follows it. */
  underWay(): void;
  committed(result: Extract<AppendResult, { ok: true }>): void;
  /** Nothing of the group may be taken as stored. */
  failed(error: AshlarError): void;
}

/**
 * One durable commit at a time, and in it whatever waits: while a commit is under way the next group gathers, and it starts as soon as
 * the last is done. Nobody waits for a timer.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #soon: (task: () => void) => void;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #tally: Tally;
  #waiting = new Set<CommitSource>();
  #running = false;
  #idle: (() => void)[] = [];

  /** @param soon runs a task after the current turn of the event loop, so that one tick's messages share a commit */
  constructor(store: Store, soon: (task: () => void) => void, clock: Pick<Clock, 'monotonic'>, tally: Tally) {
    this.#store = store;
    this.#clock = clock;
    this.#tally = tally;
    this.#soon = soon;
  }

  /** Puts a room into the next commit. */
  schedule(source: CommitSource): void {
    this.#waiting.add(source);
    if (this.#running) return;
    this.#running = true;
    this.#soon(() => void this.#run());
  }

  /** Resolves once nothing waits and nothing is under way. */
  settled(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const sources: CommitSource[] = [];
      const appends: RoomAppend[] = [];
      const keys: CommitKey[] = [];
      for (const source of this.#waiting) {
        const group = source.takeGroup();
        if (group === null) continue;
        sources.push(source);
        appends.push(group.append);
        keys.push(...group.keys);
      }
      this.#waiting = new Set();
      if (appends.length > 0) await this.#commit(sources, { appends, keys });
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commit(sources: readonly CommitSource[], commit: { appends: RoomAppend[]; keys: CommitKey[] }): Promise<void> {
    const { appends } = commit;
    let results: readonly AppendResult[];
    const startedAt = this.#clock.monotonic();
    const tell = (ok: boolean) => {
      const records = appends.reduce((sum, append) => sum + append.records.length, 0);
      this.#tally.committed(this.#clock.monotonic() - startedAt, records, ok);
    };
    try {
      const written = this.#store.append(commit);
      for (const source of sources) source.underWay();
      results = await written;
      tell(true);
    } catch (error) {
      tell(false);
      const failure = AshlarError.from(error, 'storage-unavailable');
      for (const source of sources) source.failed(failure);
      return;
    }
    const take = (): void => {
      for (const [index, source] of sources.entries()) {
        const result = results[index];
        if (result?.ok) source.committed(result);
        else source.failed(new AshlarError('storage-unavailable', { detail: 'another writer has this room' }));
      }
    };
    // Who is told of several records gets them in one write. Of one record there is nothing to gather, and nobody waits for all others' frames.
    if (appends.length === 1 && (appends[0]?.records.length ?? 0) <= 1) take();
    else writeTogether(take);
  }
}
