import type { JobInput } from './jobs.ts';

/** What is to be vouched for: applied as members have it, in time. */
export interface VouchJob {
  readonly room: string;
  /** Stands for the log while what was read of it holds: another object once records were taken out of it or numbers given anew. */
  readonly log: object;
  /** The newest one; 0 and 0: none. */
  readonly snapshot: { readonly seq: number; readonly bytes: number };
  /** The snapshot's state (null: none), where the job brings the log whole. */
  readonly whole?: { readonly state: Uint8Array | null };
  /** The record that `updates` follow, without a hole. */
  readonly after: number;
  readonly updates: readonly Uint8Array[];
  /** Applied behind them; null: nothing is on trial. */
  readonly trial: Uint8Array | null;
}

/** How long applying the whole log took, and the most that it may take, ms. */
export interface Vouched {
  readonly ms: number;
  readonly limitMs: number;
}

/** What a thread holds of a log, as a warm document. */
interface HeldLog {
  readonly id: number;
  readonly room: string;
  readonly log: object;
  /** The snapshot that it began with, 0: none. */
  readonly snapshotSeq: number;
  /** The last record in it. */
  readonly seq: number;
  readonly bytes: number;
  readonly ms: number;
  /** Applied behind its last record, though the log may never get it. */
  readonly trial: Uint8Array | null;
}

/** A job for the thread. */
export interface BegunVouch {
  readonly input: JobInput;
  readonly limitMs: number;
  /** It was done in this time, all told. */
  done(ms: number): void;
}

/**
 * Most bytes of a document that a thread keeps, with those of the job beside it: both share the thread's heap, and what is
 * kept must not be what a job lacks.
 */
export const MAX_WARM_BYTES = 4_000_000;

// A check applies the log about four times over, and may take half of its time before anybody asks what took it.
const SHARE_OF_CHECK = 1 / 8;

// One series for all pools: a thread that holds another one's document says so.
let lastId = 0;

/** What one thread keeps warm, as the pool knows it: decides what the thread needs to vouch for a log. */
export class WarmSlot {
  readonly #checkMs: (bytes: number) => number;
  #held: HeldLog | null = null;

  /** @param checkMs most time of a check of so many bytes, ms */
  constructor(checkMs: (bytes: number) => number) {
    this.#checkMs = checkMs;
  }

  get isEmpty(): boolean {
    return this.#held === null;
  }

  /** The last record that the thread holds of a log; null: it holds nothing of it. */
  seqOf(room: string, log: object): number | null {
    return this.#held?.room === room && this.#held.log === log ? this.#held.seq : null;
  }

  /** Nothing is kept any more. */
  empty(): void {
    this.#held = null;
  }

  /** Another job for the thread. What is kept goes where both may be too much. */
  beside(input: JobInput): JobInput {
    const { state, updates, argument } = input;
    const bytes = bytesOf(updates) + (state?.length ?? 0) + (argument?.length ?? 0);
    if (this.#held !== null && this.#held.bytes + bytes > MAX_WARM_BYTES) this.#held = null;
    return { ...input, warm: this.#held?.id ?? 0 };
  }

  /** Until it is done, the thread holds nothing. @returns null: nothing begins, as the thread lacks more than the job brings, or the log is too large to keep */
  begin(job: VouchJob): BegunVouch | null {
    return job.whole === undefined ? this.#goOn(this.#held, job) : this.#beginAnew(job, job.whole.state);
  }

  #beginAnew(job: VouchJob, state: Uint8Array | null): BegunVouch | null {
    const updates = job.trial === null ? job.updates : [...job.updates, job.trial];
    const bytes = bytesOf(updates) + (state?.length ?? 0);
    if (bytes > MAX_WARM_BYTES) return null;
    lastId += 1;
    const begun = { id: lastId, bytes, snapshotSeq: job.snapshot.seq };
    return this.#begun(job, begun, this.#limitMs(bytes), { state, updates, warm: lastId });
  }

  #goOn(held: HeldLog | null, job: VouchJob): BegunVouch | null {
    if (held?.room !== job.room || held.log !== job.log) return null;
    if (held.seq < job.after || held.seq > job.after + job.updates.length) return null;
    let updates = job.updates.slice(held.seq - job.after);
    if (held.trial !== null) {
      // The log may have gone on without it.
      if (updates[0] === undefined || Buffer.compare(updates[0], held.trial) !== 0) return null;
      updates = updates.slice(1);
    }
    if (job.trial !== null) updates = [...updates, job.trial];
    const added = bytesOf(updates);
    const bytes = held.bytes + added;
    if (bytes > MAX_WARM_BYTES) return null;
    // Behind a newer snapshot the log is smaller than what is held: it may not take the time of what is gone, and is faster anew.
    const isShorter = job.snapshot.seq !== held.snapshotSeq;
    const limitMs = this.#limitMs(isShorter ? job.snapshot.bytes + added : bytes);
    if (isShorter && held.ms > limitMs / 2) return null;
    const { id, snapshotSeq } = held;
    return this.#begun(job, { id, snapshotSeq, bytes }, limitMs, { state: null, updates, goesOn: true, warm: id });
  }

  #begun(
    { room, log, after, updates, trial }: VouchJob,
    begun: Pick<HeldLog, 'id' | 'snapshotSeq' | 'bytes'>,
    limitMs: number,
    input: JobInput,
  ): BegunVouch {
    this.#held = null;
    const done = (ms: number) => {
      if (ms <= limitMs) this.#held = { ...begun, room, log, seq: after + updates.length, ms, trial };
    };
    return { input, limitMs, done };
  }

  #limitMs(bytes: number): number {
    return this.#checkMs(bytes) * SHARE_OF_CHECK;
  }
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
