import { permits } from '../../shared/access.ts';
import { AshlarError, type ErrorCode } from '../../shared/errors.ts';
import type { ClientClock } from '../storage/store.ts';
import { type Admission, admitUpdate, countStructs } from './admission/admit-update.ts';
import { PlaceMeter } from './admission/place-meter.ts';
import type { ScanProgress } from './admission/scan-update.ts';
import { encodeStateVector } from './admission/state-vector.ts';
import { MAX_UNVOUCHED } from './compaction-due.ts';
import type { DocumentMember } from './document-member.ts';
import { type DocumentRoom, UPDATE_KIND } from './document-room.ts';
import { loadDocument } from './load-document.ts';
import { tryUpdate } from './try-update.ts';
import type { WriterSession } from './writers.ts';

// A full step brings at once what a client would have sent over hours.
const FULL_STEP_FACTOR = 10;
// A struct may hold a table. A million values are about 100 MB in a thread that loads them, and a full step brings no more.
const VALUES_PER_STRUCT = 5;
// What an update costs on the wire beyond its own bytes: a packet around it, or around each of its parts.
const PACKETS_BEYOND = 1.01;
const PACKET_BYTES = 1_000;
const RETRY_BUSY_MS = 100;
const RETRY_GAP_MS = 20;
const RETRY_STORAGE_MS = 1_000;

/** A client's update, whole. */
export interface ClientUpdate {
  readonly counter: number;
  readonly full: boolean;
  readonly update: Uint8Array;
}

/**
 * Takes one update into the document, or tells its sender why not. Nothing else happens to a refused one: the session's counter
 * stays, so that everything above it is refused unread until it comes again.
 */
export function takeUpdate(document: DocumentRoom, member: DocumentMember, incoming: ClientUpdate): void {
  try {
    take(document, member, incoming);
  } catch (thrown) {
    const { code, detail, retryAfterMs } = AshlarError.from(thrown);
    refuse(document, member, incoming.counter, code, detail, retryAfterMs);
  }
}

function take(document: DocumentRoom, member: DocumentMember, incoming: ClientUpdate): void {
  const { session } = member;
  const { counter, full, update } = incoming;
  if (session === null) throw new AshlarError('not-a-member', { detail: 'join with clientId and session to write' });
  requireOpen(document, member);
  if (counter <= session.counter) {
    // A repeat is known by its counter, without looking inside. Where its first copy is still queued, that one's commit is its ack.
    if (counter <= session.saved) document.tellSaved(member, session);
    return;
  }
  if (session.busy) throw new AshlarError('counter-gap', { retryAfterMs: RETRY_BUSY_MS });
  if (counter !== session.counter + 1) throw new AshlarError('counter-gap', { retryAfterMs: RETRY_GAP_MS });
  if (update.length > document.ports.updateBytes) throw new AshlarError('too-large');
  const { budgets } = member.connection;
  // Its bytes were charged on arrival: a sender that owed some before them waits.
  const wait = budgets.waitForDebt('bytes', update.length * PACKETS_BEYOND + PACKET_BYTES);
  if (wait > 0) throw new AshlarError('rate-limited', { retryAfterMs: wait });
  const taken = budgets.take('structs', countStructs(update));
  if (!taken.ok) throw new AshlarError('rate-limited', { retryAfterMs: taken.retryAfterMs });
  const meter = new PlaceMeter(session.place);
  const progress = { structs: 0, values: 0 };
  const admission = admit(document, session, update, full, meter, progress);
  // Known only after a look inside: whoever brings many pays before the next ones.
  member.connection.budgets.spend('structs', progress.values);
  const deletes = admission.verdict === 'admitted' || admission.verdict === 'nothing' ? admission.deletes : 0;
  const withDeletes = full && deletes > 0;
  // A few bytes have the whole document loaded: that costs what a join costs.
  const asked = withDeletes ? member.connection.budgets.take('joins') : null;
  if (asked?.ok === false) throw new AshlarError('rate-limited', { retryAfterMs: asked.retryAfterMs });
  if (withDeletes || exceedsTrust(document, admission, meter)) {
    void takeOffTheLoop(document, member, session, incoming, withDeletes);
  } else {
    settle(document, member, session, incoming, admission, meter);
  }
}

/** Asked again of an update that was looked at off the event loop: access may be lost meanwhile, and the document closed for a quarantine. */
function requireOpen(document: DocumentRoom, member: DocumentMember): void {
  if (!permits(member.access, 'write')) throw new AshlarError('read-only');
  if (document.room.deleted) throw new AshlarError('gone');
  if (document.blocked) throw new AshlarError('document-damaged', { retryAfterMs: RETRY_STORAGE_MS });
  if (document.room.fenced) throw new AshlarError('storage-unavailable', { retryAfterMs: RETRY_STORAGE_MS });
}

function admit(
  document: DocumentRoom,
  session: WriterSession,
  update: Uint8Array,
  full: boolean,
  meter: PlaceMeter,
  progress?: ScanProgress,
): Admission {
  const { writers, ports } = document;
  return admitUpdate(update, {
    known: writers.known,
    ownerOf: (clientId) => writers.ownerOf(session, clientId),
    full,
    maxStructs: full ? ports.structsPerUpdate * FULL_STEP_FACTOR : ports.structsPerUpdate,
    maxValues: ports.structsPerUpdate * VALUES_PER_STRUCT,
    subdocuments: ports.subdocuments,
    places: meter,
    ...(progress && { progress }),
  });
}

function exceedsTrust(document: DocumentRoom, admission: Admission, meter: PlaceMeter): boolean {
  if (admission.verdict !== 'admitted') return false;
  return document.places.unvouched + meter.unvouched > MAX_UNVOUCHED || document.nesting.exceededBy(admission.levels);
}

/** What only the log can tell is found off the event loop; what the client sends meanwhile comes again. */
async function takeOffTheLoop(
  document: DocumentRoom,
  member: DocumentMember,
  session: WriterSession,
  incoming: ClientUpdate,
  withDeletes: boolean,
): Promise<void> {
  const { counter, full, update } = incoming;
  session.busy = true;
  document.working += 1;
  try {
    // A full step repeats every deletion there ever was: only those that are new go on.
    const novel = withDeletes ? await document.ports.workers.novelDeletes({ ...(await loadDocument(document)), update }) : update;
    // It may be vouching for what is there, and then there is room for more.
    await document.vouching.settled();
    // The room goes on meanwhile: what is new is judged by what is known then.
    const judge = () => {
      const meter = new PlaceMeter(session.place);
      const nothing: Admission = { verdict: 'nothing', structs: 0, deletes: 0 };
      return { meter, admission: novel === null ? nothing : admit(document, session, novel, full, meter) };
    };
    let { admission, meter } = judge();
    if (admission.verdict === 'admitted' && exceedsTrust(document, admission, meter)) {
      await tryUpdate(document, member, session, admission.update, { unvouched: meter.unvouched, levels: admission.levels });
      ({ admission, meter } = judge());
    }
    // The log may have been read anew meanwhile, and the session with it.
    if (counter !== session.counter + 1) throw new AshlarError('counter-gap');
    if (member.gone) return;
    requireOpen(document, member);
    settle(document, member, session, incoming, admission, meter);
  } catch (error) {
    const { code, detail, retryAfterMs } = AshlarError.from(error, 'document-damaged');
    if (code === 'document-damaged') document.ports.compact(document);
    refuse(document, member, counter, code, detail, retryAfterMs ?? (code === 'counter-gap' ? RETRY_GAP_MS : RETRY_STORAGE_MS));
  } finally {
    session.busy = false;
    document.working -= 1;
    document.writers.release(session);
  }
}

function settle(
  document: DocumentRoom,
  member: DocumentMember,
  session: WriterSession,
  { counter, full }: ClientUpdate,
  admission: Admission,
  meter: PlaceMeter,
): void {
  const { room, writers, ports } = document;
  if (admission.verdict === 'refused') {
    refuse(document, member, counter, admission.code, admission.detail);
    return;
  }
  if (admission.verdict === 'gap') {
    document.send(member, { type: 'gap', counter, stateVector: encodeStateVector(writers.known) });
    return;
  }
  const clocks: ClientClock[] =
    admission.verdict === 'admitted'
      ? admission.clocks.map((entry) => ({ ...entry, userId: writers.userFor(session, entry.clientId) }))
      : [];
  const fail = (error: AshlarError) => refuse(document, member, counter, error.code, '', error.retryAfterMs ?? RETRY_STORAGE_MS);
  try {
    room.submit({
      durable: true,
      ...(admission.verdict === 'admitted'
        ? {
            record: {
              at: ports.clock.now(),
              userId: session.userId,
              kind: UPDATE_KIND,
              payload: admission.update,
              version: 1,
              id: null,
              session: session.hash,
              counter,
            },
            clocks,
          }
        : {}),
      sessions: [{ session: session.hash, userId: session.userId, clientId: session.clientId, counter }],
      leave: (record) => {
        if (record === null) document.nothingCommitted(session, counter);
        else document.updateCommitted(record);
      },
      fail,
    });
  } catch (error) {
    fail(AshlarError.from(error));
    return;
  }
  session.counter = counter;
  session.place = meter.last;
  document.places.add(meter.unvouched);
  if (admission.verdict === 'admitted') document.deepen(admission.levels);
  writers.take(clocks);
  if (full || clocks.some(({ clientId }) => clientId === session.clientId)) writers.settle(session);
}

function refuse(
  document: DocumentRoom,
  member: DocumentMember,
  counter: number,
  code: ErrorCode,
  detail = '',
  retryAfterMs = 0,
): void {
  document.send(member, { type: 'refused', counter, code, retryAfterMs, detail });
}
