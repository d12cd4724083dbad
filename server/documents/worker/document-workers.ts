import { AshlarError, invariant } from '../../../shared/errors.ts';
import type { Clock } from '../../clock.ts';
import type { CompactedState } from './compact.ts';
import { type DocumentThread, startThread } from './document-thread.ts';
import { FairQueue } from './fair-queue.ts';
import { findCulprits } from './find-culprits.ts';
import { type JobInput, type JobKind, type JobResults, packJob } from './jobs.ts';
import { type Vouched, type VouchJob, WarmSlot } from './warm-slot.ts';

// This file runs on the event loop and imports no Yjs, directly or not: the hot path holds no Y.Doc.

/**
 * Merging, compaction and diffs of Yjs state (V1), off the event loop. Every method rejects with AshlarError: `document-damaged` where the
 * bytes are to blame, with a detail that says how (an update does not apply, something stays pending, the merge differs, a time or memory
 * limit), `server-closing` after `close`, `internal` where a thread does not start. The bytes handed in are read when the job's turn
 * comes: they must not change meanwhile.
 */
export interface DocumentWorkers {
  /**
   * One state of a snapshot (null: none) and the updates behind it, in the order of the log, without the content of what was deleted.
   * Whoever applied the updates, gets the merged bytes or loads the result reads the same, or it rejects.
   */
  compact(job: DocumentJob, limits?: JobLimits): Promise<Compaction>;
  /** As `compact`, without its result: how long it took of the time that it may take, ms, and how deep Y types were nested. */
  check(job: DocumentJob): Promise<{ readonly ms: number; readonly limitMs: number; readonly nesting: number }>;
  /**
   * Applies a log as members have it, and nothing else: for the time that it takes. What was applied stays in the thread for a while, so that
   * the next time only what came since has to be brought: one document per thread, of at most 4 MB.
   * @returns null: the job does not bring what the thread lacks, or the document is too large to be kept. Rejects where it takes an eighth of
   * what `check` may take: less than a check would need to be believed
   */
  vouch(job: VouchJob): Promise<Vouched | null>;
  /** The last record of a log that a thread holds, so that `vouch` needs only what follows; null: it needs all. */
  vouchedUpTo(room: string, log: object): number | null;
  /**
   * What a client with this state vector lacks of the state and the updates behind it, merged as bytes; with all deletions. `00`, the
   * empty vector, gets everything. Rejects with `malformed-frame` where the vector is none.
   */
  diff(job: {
    readonly room?: string;
    readonly state: Uint8Array | null;
    readonly updates?: readonly Uint8Array[];
    readonly stateVector: Uint8Array;
  }): Promise<Uint8Array>;
  /**
   * A full step, whose known structs have been cut, without the deletions that the state and the updates behind it have already.
   * @returns null where nothing is left
   */
  novelDeletes(job: DocumentJob & { readonly update: Uint8Array }): Promise<Uint8Array | null>;
  /**
   * For a log whose compaction was refused: the indexes of the updates that must be set aside, with those that build on them, so that the
   * rest compacts. Empty where nothing is wrong (any more). `limits` are for each of about log2(updates) trials per culprit.
   */
  quarantine(job: DocumentJob, limits?: QuarantineLimits): Promise<{ readonly bad: readonly number[] }>;
  /** Ends the threads. What runs or waits rejects with `server-closing`. */
  close(): Promise<void>;
}

/** A snapshot to come, and how long a thread had it, ms: what waiting for the thread took is not in it. */
export interface Compaction extends CompactedState {
  readonly tookMs: number;
}

export interface DocumentJob {
  /** Whose it is: documents take turns. */
  readonly room?: string;
  readonly state: Uint8Array | null;
  readonly updates: readonly Uint8Array[];
}

export interface JobLimits {
  /** Time on the thread, ms. Default: `defaultTimeoutMs` and 5 s per MB. */
  readonly timeoutMs?: number;
  /** How many times that. Default 1. */
  readonly timeFactor?: number;
}

export interface QuarantineLimits extends JobLimits {
  /** Whether a trial that reached its limit of time or memory counts as failed; else it ends the search. Default true. */
  readonly limitsCount?: boolean;
}

/** The cause of a `document-damaged` that is about time alone: a busy machine may be to blame. */
class TimeLimitReached extends Error {}

/** Which limit a job ran into; null: it was wrong by itself. */
export function limitReached(error: AshlarError): 'time' | 'memory' | null {
  if (error.cause instanceof TimeLimitReached) return 'time';
  return (error.cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : null;
}

export interface DocumentWorkersOptions {
  readonly clock: Clock;
  /** Most threads; they start when needed. From two on, one is kept for joins (`diff`, `novelDeletes`). Default 1. */
  readonly threads?: number;
  /** Most JavaScript heap per thread, MB. Default 512. */
  readonly heapMb?: number;
  /** Time for a job of no size, ms. Default 5,000. */
  readonly defaultTimeoutMs?: number;
}

// Compaction of honest documents takes about 1 s per MB on an idle core; a conflict bomb of 98 kB 73 s.
const EXTRA_MS_PER_MB = 5_000;
const START_TIMEOUT_MS = 30_000;
// Joins go first, but compaction, which keeps them cheap, must not wait for ever.
const JOINS_PER_COMPACTION = 8;
// What a thread keeps warm is for people who write right now.
const KEPT_IDLE_MS = 30_000;

interface Done<Kind extends JobKind> {
  readonly result: JobResults[Kind];
  readonly tookMs: number;
}

/** What a thread gets, and how long it may have it, ms. */
interface Prepared {
  readonly input: JobInput;
  readonly limitMs: number;
  /** Called before the thread's next turn. */
  done?(result: JobResults[JobKind]): void;
}

interface Task {
  readonly kind: JobKind;
  /** Told when its turn comes what the thread keeps. Null: there is nothing for the thread to do. */
  prepare(warm: WarmSlot): Prepared | null;
  /** Null: it had nothing to do. */
  readonly resolve: (done: Done<JobKind> | null) => void;
  readonly reject: (error: unknown) => void;
}

const FORGET: Task = {
  kind: 'forget',
  prepare: () => ({ input: { state: null, updates: [] }, limitMs: START_TIMEOUT_MS }),
  resolve() {},
  reject() {},
};

interface Slot {
  thread: DocumentThread | null;
  task: Task | null;
  readonly warm: WarmSlot;
  /** Cancels the end of what it keeps. */
  cancelForgetting(): void;
}

/** Makes the pool; no thread starts before the first job. */
export function createDocumentWorkers(options: DocumentWorkersOptions): DocumentWorkers {
  const { clock, threads = 1, heapMb = 512, defaultTimeoutMs = 5_000 } = options;
  invariant(threads >= 1, 'there is a thread to work on', { threads });
  const checkMs = (bytes: number) => defaultTimeoutMs + (bytes / 1_000_000) * EXTRA_MS_PER_MB;
  const timeFor = (input: JobInput) => checkMs(sizeOf(input));
  const slots = Array.from(
    { length: threads },
    (): Slot => ({ thread: null, task: null, warm: new WarmSlot(checkMs), cancelForgetting: () => {} }),
  );
  // The same threads at all times: what one of them keeps warm is where it is asked for.
  const workingSlots = new Set(slots.slice(0, Math.max(1, threads - 1)));
  // A document whose jobs take seconds must not hold up the joins of all others.
  const joins = new FairQueue<Task>();
  const background = new FairQueue<Task>();
  let joinsInARow = 0;
  let closing: AshlarError | null = null;

  const isJoin = ({ kind }: Task) => kind === 'diff' || kind === 'novelDeletes';

  async function submit<Kind extends JobKind>(kind: Kind, owner: string, input: JobInput, limits?: JobLimits) {
    return (await submitTimed(kind, owner, input, limits)).result;
  }

  function submitTimed<Kind extends JobKind>(
    kind: Kind,
    owner: string,
    input: JobInput,
    limits: JobLimits = {},
  ): Promise<Done<Kind>> {
    const { timeFactor = 1, timeoutMs = timeFor(input) } = limits;
    const limitMs = timeoutMs * timeFactor;
    return queue(kind, owner, (warm) => ({ input: warm.beside(input), limitMs })) as Promise<Done<Kind>>;
  }

  function queue<Kind extends JobKind>(kind: Kind, owner: string, prepare: Task['prepare']): Promise<Done<Kind> | null> {
    if (closing !== null) return Promise.reject(closing);
    return new Promise((resolve, reject) => {
      const task: Task = { kind, prepare, resolve: resolve as Task['resolve'], reject };
      (isJoin(task) ? joins : background).push(owner, task);
      pump();
    });
  }

  function pump(): void {
    for (const slot of inOrder()) {
      if (slot.task !== null) continue;
      const task = next(slot);
      if (task === undefined) continue;
      slot.task = task;
      void work(slot, task);
    }
  }

  /** Joins take the last slots first, which work for nobody else; a thread that runs already does for one alone. */
  function inOrder(): readonly Slot[] {
    const fromLast = slots.toReversed();
    if (background.size > 0) return fromLast;
    return [...fromLast.filter(({ thread }) => thread?.alive), ...slots.filter(({ thread }) => !thread?.alive)];
  }

  function next(slot: Slot): Task | undefined {
    const mayCompact = background.size > 0 && workingSlots.has(slot);
    if (joins.size > 0 && !(mayCompact && joinsInARow >= JOINS_PER_COMPACTION)) {
      joinsInARow += 1;
      return joins.shift();
    }
    if (!mayCompact) return undefined;
    joinsInARow = 0;
    return background.shift();
  }

  async function work(slot: Slot, task: Task): Promise<void> {
    try {
      // A thread that a job has ended is not missed: the next job gets a fresh one.
      const thread = slot.thread?.alive ? slot.thread : replace(slot);
      await within(
        thread,
        START_TIMEOUT_MS,
        new AshlarError('internal', { detail: 'the document worker did not start' }),
        thread.ready,
      );
      const prepared = task.prepare(slot.warm);
      if (prepared === null) task.resolve(null);
      else await run(thread, task, prepared);
    } catch (error) {
      task.reject(closing ?? error);
    }
    slot.task = null;
    if (task.kind === 'vouch') keepForAWhile(slot);
    pump();
  }

  function replace(slot: Slot): DocumentThread {
    slot.warm.empty();
    slot.thread = startThread(heapMb);
    return slot.thread;
  }

  async function run(thread: DocumentThread, task: Task, { input, limitMs, done }: Prepared): Promise<void> {
    const late = new AshlarError('document-damaged', {
      detail: `${task.kind} reached its time limit of ${Math.round(limitMs)} ms`,
      cause: new TimeLimitReached(),
    });
    const startedAt = clock.monotonic();
    const answer = await within(thread, limitMs, late, thread.run(packJob(task.kind, input)));
    if (!answer.ok) throw new AshlarError(answer.code, { detail: answer.detail });
    const tookMs = clock.monotonic() - startedAt;
    done?.(answer.result);
    task.resolve({ result: answer.result, tookMs });
  }

  /** What a thread keeps warm goes once nobody has asked for it for a while. */
  function keepForAWhile(slot: Slot): void {
    slot.cancelForgetting();
    if (slot.warm.isEmpty || closing !== null) return;
    slot.cancelForgetting = clock.after(KEPT_IDLE_MS, () => {
      if (slot.task !== null) return keepForAWhile(slot);
      slot.warm.empty();
      if (!slot.thread?.alive) return;
      slot.task = FORGET;
      void work(slot, FORGET);
    });
  }

  /** Ends the thread where `waited` takes too long. */
  async function within<Value>(
    thread: DocumentThread,
    timeoutMs: number,
    late: AshlarError,
    waited: Promise<Value>,
  ): Promise<Value> {
    let over = false;
    // An event loop that was busy itself sees the timer first: one turn more lets an answer in that was there in time.
    // biome-ignore lint/style/noRestrictedGlobals: a turn of the event loop is meant, not a time.
    const cancel = clock.after(timeoutMs, () => setImmediate(() => over || void thread.stop(late)));
    try {
      return await waited;
    } finally {
      over = true;
      cancel();
    }
  }

  return {
    async compact({ room = '', state, updates }, limits) {
      const { result, tookMs } = await submitTimed('compact', room, { state, updates }, limits);
      return { ...result, tookMs };
    },
    check: async ({ room = '', state, updates }) => ({
      ...(await submit('check', room, { state, updates })),
      limitMs: timeFor({ state, updates }),
    }),
    diff: ({ room = '', state, updates = [], stateVector }) => submit('diff', room, { state, updates, argument: stateVector }),
    novelDeletes: ({ room = '', state, updates, update }) => submit('novelDeletes', room, { state, updates, argument: update }),
    async vouch(job) {
      let limitMs = 0;
      const done = await queue('vouch', job.room, (warm) => {
        const begun = warm.begin(job);
        limitMs = begun?.limitMs ?? 0;
        return begun && { ...begun, done: (result) => begun.done((result as JobResults['vouch']).ms) };
      });
      return done && { ms: done.result.ms, limitMs };
    },
    vouchedUpTo: (room, log) => slots.map(({ warm }) => warm.seqOf(room, log)).find((seq) => seq !== null) ?? null,
    async quarantine({ room = '', state, updates }, limits = {}) {
      const pick = (indexes: readonly number[]) => indexes.map((index) => updates[index]!);
      const bad = await findCulprits(updates.length, {
        async passes(indexes) {
          try {
            await submit('check', room, { state, updates: pick(indexes) }, limits);
            return true;
          } catch (error) {
            const reason = AshlarError.from(error);
            if (reason.code !== 'document-damaged') throw error;
            if (limits.limitsCount === false && limitReached(reason) !== null) throw error;
            return false;
          }
        },
        async dependents(culprit, among) {
          const found = await submit('dependents', room, { state: null, updates: pick(among), culprit: among.indexOf(culprit) });
          return found.map((position) => among[position]!);
        },
      });
      return { bad };
    },
    async close() {
      closing ??= new AshlarError('server-closing');
      const reason = closing;
      for (const slot of slots) slot.cancelForgetting();
      for (const task of [...joins.drain(), ...background.drain()]) task.reject(reason);
      await Promise.all(slots.map(({ thread }) => thread?.stop(reason)));
    },
  };
}

function sizeOf({ state, updates, argument }: JobInput): number {
  return [state, argument, ...updates].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
}
