import { AshlarError } from '../../shared/errors.ts';
import type { DocumentRoom } from './document-room.ts';
import { jobOf, readBehind, readTail } from './load-document.ts';
import type { DocumentJob } from './worker/document-workers.ts';
import type { Vouched, VouchJob } from './worker/warm-slot.ts';

// What a vouching that failed counts as, ms: about its limit.
const FAILED_MS = 625;

/** What came of it. */
export interface Vouching {
  readonly vouched: boolean;
  /** What it took of a thread, ms. */
  readonly ms: number;
  /** What does not apply, or not in time. */
  readonly failure: AshlarError | null;
  /** Where it was read whole: for whoever asks more of it. */
  readonly log: (DocumentJob & { readonly room: string }) | null;
}

/**
 * Applies the log, and what is on trial behind it, as members have it: in a thread that keeps the document warm, so that a fast writer
 * costs what it writes and not what there is. Where that fails, or takes too long, it is no verdict: a whole check decides.
 * @param trial an admitted update; null: the log alone
 * @throws AshlarError where the log cannot be read or the threads do not work
 */
export async function vouch(document: DocumentRoom, trial: Uint8Array | null): Promise<Vouching> {
  const { places, room, logIdentity } = document;
  const nothing: Vouching = { vouched: false, ms: 0, failure: null, log: null };
  if (places.needProof) return nothing;
  const { added } = places;
  await room.settled();
  let log: Vouching['log'] = null;
  let done: Vouched | null;
  try {
    done = await goOn(document, trial);
    if (done === null) {
      const tail = await readTail(document);
      log = jobOf(tail);
      const { state, updates } = log;
      done = await document.ports.workers.vouch({
        ...(await logOf(document, logIdentity)),
        whole: { state },
        after: tail.after,
        updates,
        trial,
      });
    }
  } catch (error) {
    const failure = AshlarError.from(error);
    if (failure.code !== 'document-damaged') throw failure;
    if (trial === null) places.cannotVouch();
    return { vouched: false, ms: FAILED_MS, failure, log };
  }
  if (document.logIdentity !== logIdentity) return { ...nothing, log };
  const inTime = done !== null && done.ms <= done.limitMs;
  if (inTime) places.vouchedFor(added);
  else if (done === null || trial === null) places.cannotVouch();
  return { vouched: inTime, ms: done?.ms ?? 0, failure: null, log };
}

/** With what came since the last time alone. @returns null: no thread has the rest of it */
async function goOn(document: DocumentRoom, trial: Uint8Array | null): Promise<Vouched | null> {
  const { room, logIdentity, ports } = document;
  const after = ports.workers.vouchedUpTo(room.name, logIdentity);
  if (after === null) return null;
  const records = await readBehind(document, after);
  if (records === null) return null;
  const updates = records.map(({ payload }) => payload);
  return ports.workers.vouch({ ...(await logOf(document, logIdentity)), after, updates, trial });
}

async function logOf(document: DocumentRoom, log: object): Promise<Pick<VouchJob, 'room' | 'log' | 'snapshot'>> {
  const snapshot = await document.snapshot();
  return { room: document.room.name, log, snapshot: { seq: snapshot?.seq ?? 0, bytes: snapshot?.state.length ?? 0 } };
}
