import { AshlarError } from '../../shared/errors.ts';
import type { Position } from '../../shared/position.ts';
import type { Room } from '../rooms/room.ts';
import { encodeStateVector } from './admission/state-vector.ts';
import type { DocumentMember } from './document-member.ts';
import type { DocumentRoom } from './document-room.ts';
import { sharedTransferOf } from './shared-transfer.ts';

/** An update that holds nothing: no structs, no deletions. */
const EMPTY_UPDATE = new Uint8Array([0, 0]);

/** From this share of the snapshot on a client that lacks it gets all of the snapshot. */
const SHARED_FROM = 1 / 2;

let lastTransfer = 0;
const nextTransfer = (): number => ++lastTransfer;

/**
 * Answers a client's state vector with what it lacks of the newest snapshot, in chunks that it pulls; the records after the
 * snapshot follow from the log, then it is live. Joiners with nothing share the snapshot's bytes; the others' differences are made
 * off the event loop.
 */
export async function sendState(document: DocumentRoom, member: DocumentMember, stateVector: Uint8Array): Promise<void> {
  if (member.syncing || member.transfer !== null) return;
  member.syncing = true;
  const { room, ports } = document;
  document.working += 1;
  try {
    const snapshot = await document.snapshot();
    let bytes: Uint8Array = snapshot?.state ?? EMPTY_UPDATE;
    const empty = stateVector.length === 0 || (stateVector.length === 1 && stateVector[0] === 0);
    let whole = empty;
    if (snapshot !== null && !empty) {
      const lacking = await ports.workers.diff({ room: room.name, state: snapshot.state, stateVector });
      // What is nearly all of it comes from the bytes that everybody shares: what the client has already changes nothing.
      whole = lacking.length > snapshot.state.length * SHARED_FROM;
      if (!whole) bytes = lacking;
    }
    // Without a snapshot the log is read from its beginning, which a deletion moves up.
    const start = snapshot ?? (await beginningOf(room));
    if (member.gone) return;
    const shared = snapshot !== null && whole ? sharedTransferOf(snapshot, nextTransfer) : null;
    const release = shared === null ? ports.privateTransfers.hold(member.connection.user.id, bytes.length) : null;
    if (shared === null && release === null) throw new AshlarError('rate-limited', { detail: 'pull what was asked for before' });
    const count = Math.max(1, Math.ceil(bytes.length / ports.frameBytes));
    const id = shared?.id ?? nextTransfer();
    member.delivery = 'waiting';
    member.transfer = {
      id,
      shared,
      release,
      bytes,
      count,
      next: 0,
      snapshot: { seq: start.seq, epoch: start.epoch },
    };
    sendChunk(document, member, id, 0);
  } catch (error) {
    const { code, detail } = AshlarError.from(error, 'document-damaged');
    if (code === 'document-damaged') ports.compact(document);
    document.send(member, { type: 'refused', counter: 0, code, retryAfterMs: 2_000, detail: detail ?? '' });
  } finally {
    member.syncing = false;
    document.working -= 1;
  }
}

async function beginningOf(room: Room): Promise<Position> {
  const seq = room.trimmedTo;
  const epoch = seq === 0 ? null : await room.store.epochAt(room.name, seq);
  return { epoch: epoch ?? room.store.epoch, seq };
}

/** Sends the chunk that the client pulls. After the last one the member is served from the log. */
export function sendChunk(document: DocumentRoom, member: DocumentMember, transferId: number, index: number): void {
  const { transfer } = member;
  if (transfer === null || transfer.id !== transferId || transfer.next !== index) return;
  const { frameBytes } = document.ports;
  transfer.next += 1;
  // The server's own: the client finds by it what the server lacks.
  const stateVector = index === 0 ? encodeStateVector(document.writers.known) : new Uint8Array();
  const encode = () =>
    document.encode({
      type: 'state',
      transfer: transfer.id,
      index,
      count: transfer.count,
      epoch: document.seal(transfer.snapshot),
      seq: transfer.snapshot.seq,
      stateVector,
      bytes: transfer.bytes.subarray(index * frameBytes, (index + 1) * frameBytes),
    });
  const packet = transfer.shared === null ? encode() : transfer.shared.packet(index, stateVector, encode);
  if (!member.gone) member.connection.outbox.force(packet);
  if (transfer.next < transfer.count) return;
  member.sent = { epoch: transfer.snapshot.epoch, seq: transfer.snapshot.seq };
  member.endTransfer();
  member.delivery = 'catching-up';
  document.ports.catchUp(member);
}
