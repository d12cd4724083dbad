import { AshlarError } from '../../shared/errors.ts';
import type { DocumentMember } from './document-member.ts';
import { MAX_NESTING } from './document-nesting.ts';
import type { DocumentRoom } from './document-room.ts';
import { loadDocument } from './load-document.ts';
import { vouch } from './vouch.ts';
import { type DocumentJob, limitReached } from './worker/document-workers.ts';
import type { WriterSession } from './writers.ts';

// Beyond this share of the time that a document may take to load, an update has to show that it is not what takes it.
const SLOW_SHARE = 1 / 2;
// The most of that time that one update may add to a slow document.
const OWN_SHARE = 1 / 4;
const MAX_TRIALS = 3;
const RETRY_TRIAL_MS = 2_000;
// A document that is slow by itself is not loaded again for each update of the next minute.
const UNTRIED_FOR_MS = 60_000;
// Items that one user may add to it meanwhile: a jump of the caret is one.
const UNTRIED_PER_USER = 60;
// A failed trial keeps a thread for seconds: what it costs its sender, in structs per ms of it.
const STRUCTS_PER_MS = 10;
// What a trial that failed counts as: about its limit.
const FAILED_MS = 5_000;

/** A document that is known to be too slow by itself for trials of what is added to it. */
export interface Untried {
  /** By the monotonic clock. */
  readonly until: number;
  /** Items that each user has added untried. */
  readonly byUser: Map<string, number>;
}

/** What an update brings that the bytes do not vouch for. */
export interface Doubts {
  /** Items whose places in their lists only the log knows. */
  readonly unvouched: number;
  /** By how much it may deepen the nesting of Y types, at most. */
  readonly levels: number;
}

interface Trial {
  readonly ms: number;
  readonly limitMs: number;
  /** How deep Y types were nested. */
  readonly nesting: number;
  /** Null: everything applies, in time. */
  readonly failure: AshlarError | null;
}

/**
 * Applies an update with all that came before it, before anyone gets it. What the document takes by itself is nobody's fault who comes after:
 * then a little of each user is taken untried, and a compaction is asked for. On a machine that is busy with other
 * things an honest update may take too long: it comes again, twice.
 * @throws AshlarError `rate-limited`, then `invalid-update`, where the update takes too long or does not apply; `invalid-update` where it
 * nests Y types too deep
 */
export async function tryUpdate(
  document: DocumentRoom,
  member: DocumentMember,
  session: WriterSession,
  update: Uint8Array,
  doubts: Doubts,
): Promise<void> {
  if (document.untried !== null && document.untried.until > document.ports.clock.monotonic()) {
    return takeUntried(document.untried, session, doubts);
  }
  const [items, levels] = [document.places.added, document.nesting.added];
  const first = doubts.levels > 0 ? null : await vouch(document, update);
  if (first?.vouched) {
    session.failedTrials = 0;
    return;
  }
  const log = first?.log ?? (await loadDocument(document));
  const whole = await attempt(document, { ...log, updates: [...log.updates, update] });
  if (whole.failure !== null || whole.ms > whole.limitMs * SLOW_SHARE) {
    const alone = await attempt(document, log);
    if (isToBlame(alone, whole)) {
      document.untried = { until: document.ports.clock.monotonic() + UNTRIED_FOR_MS, byUser: new Map() };
      document.ports.compact(document);
      return takeUntried(document.untried, session, doubts);
    }
    const extraMs = whole.failure === null ? whole.ms - alone.ms : Number.POSITIVE_INFINITY;
    if (extraMs > whole.limitMs * OWN_SHARE) {
      member.connection.budgets.spend('structs', (whole.ms + (first?.ms ?? 0)) * STRUCTS_PER_MS);
      session.failedTrials += 1;
      const cause = whole.failure ?? undefined;
      if (session.failedTrials < MAX_TRIALS) throw new AshlarError('rate-limited', { retryAfterMs: RETRY_TRIAL_MS, cause });
      throw new AshlarError('invalid-update', { detail: cause?.detail ?? 'it makes the document too slow to load', cause });
    }
  }
  session.failedTrials = 0;
  if (doubts.levels > 0 && whole.failure === null && whole.nesting > MAX_NESTING) {
    const alone = await attempt(document, log);
    // A document that its backend made too deep still takes what does not deepen it.
    if (alone.failure === null && whole.nesting > alone.nesting) {
      member.connection.budgets.spend('structs', whole.ms * STRUCTS_PER_MS);
      throw new AshlarError('invalid-update', { detail: `types nested deeper than ${MAX_NESTING}` });
    }
  }
  document.places.provenFor(items);
  if (whole.failure === null) document.nesting.measure(whole.nesting, levels);
}

/** Whether the log as it stands is what fails: it does by itself, or it takes so long that anything more would. */
function isToBlame(alone: Trial, whole: Trial): boolean {
  if (alone.failure !== null) return true;
  return whole.failure !== null && limitReached(whole.failure) === 'time' && alone.ms > alone.limitMs * SLOW_SHARE;
}

async function attempt(document: DocumentRoom, job: DocumentJob): Promise<Trial> {
  try {
    return { ...(await document.ports.workers.check(job)), failure: null };
  } catch (thrown) {
    const failure = AshlarError.from(thrown);
    if (failure.code !== 'document-damaged') throw failure;
    return { ms: FAILED_MS, limitMs: FAILED_MS, nesting: 0, failure };
  }
}

function takeUntried({ byUser }: Untried, { userId }: WriterSession, { unvouched, levels }: Doubts): void {
  const taken = (byUser.get(userId) ?? 0) + Math.max(unvouched, levels);
  if (taken > UNTRIED_PER_USER) throw new AshlarError('rate-limited', { retryAfterMs: RETRY_TRIAL_MS });
  byUser.set(userId, taken);
}
