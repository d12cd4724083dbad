import type { ErrorCode } from '../../../shared/errors.ts';
import type { CompactedState } from './compact.ts';

/** What a document worker answers, by kind of job. */
export interface JobResults {
  compact: CompactedState;
  /** As `compact`, but only the time that it took, ms, and the nesting come back. */
  check: { readonly ms: number; readonly nesting: number };
  diff: Uint8Array;
  novelDeletes: Uint8Array | null;
  dependents: readonly number[];
  /** What all that the warm document holds took to apply, ms. */
  vouch: { readonly ms: number };
  /** Drops the warm document. */
  forget: null;
}

export type JobKind = keyof JobResults;

/** A job, before it is packed. */
export interface JobInput {
  readonly state: Uint8Array | null;
  readonly updates: readonly Uint8Array[];
  /** `diff`: the state vector; `novelDeletes`: the update. */
  readonly argument?: Uint8Array;
  /** `dependents`: index of the update that goes. */
  readonly culprit?: number;
  /** `vouch`: the warm document that `updates` go on; default: `state` and `updates` make it anew. */
  readonly goesOn?: boolean;
  /** The warm document that the thread may keep beside the job, and that `vouch` leaves behind; the thread drops any other. Default 0: none. */
  readonly warm?: number;
}

/** A job as it travels: everything in one buffer, which is handed over. */
export interface JobRequest {
  readonly kind: JobKind;
  readonly bytes: Uint8Array;
  /** Of state, argument and each update; -1: absent. */
  readonly lengths: Float64Array;
  readonly culprit: number;
  readonly goesOn: boolean;
  readonly warm: number;
}

export type JobAnswer =
  | { readonly ok: true; readonly result: JobResults[JobKind] }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

/** What a thread says: once that it has started, then an answer per job. */
export type ThreadMessage = 'ready' | JobAnswer;

/**
 * Copies a job into one buffer of its own. A pooled Buffer that is posted as it is takes its whole ArrayBuffer along, and
 * thousands of small ones cost more than one copy.
 */
export function packJob(
  kind: JobKind,
  { state, updates, argument, culprit = -1, goesOn = false, warm = 0 }: JobInput,
): JobRequest {
  const parts = [state, argument ?? null, ...updates];
  const lengths = Float64Array.from(parts, (part) => part?.length ?? -1);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let offset = 0;
  for (const part of parts) {
    if (part === null) continue;
    bytes.set(part, offset);
    offset += part.length;
  }
  return { kind, bytes, lengths, culprit, goesOn, warm };
}

/** The job again, as views of the one buffer. */
export function unpackJob({ bytes, lengths, culprit, goesOn, warm }: JobRequest): JobInput {
  let offset = 0;
  const parts = Array.from(lengths, (length) => {
    if (length < 0) return null;
    offset += length;
    return bytes.subarray(offset - length, offset);
  });
  const [state = null, argument = null, ...updates] = parts;
  return {
    state,
    updates: updates.filter((update) => update !== null),
    ...(argument === null ? {} : { argument }),
    culprit,
    goesOn,
    warm,
  };
}

/** Bytes alone in their buffer, so that it can be handed over. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const alone = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return alone ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
