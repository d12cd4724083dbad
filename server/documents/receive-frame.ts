import { permits } from '../../shared/access.ts';
import type { ClientFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { BudgetKind } from '../guard/budgets.ts';
import { readAwareness } from './document-awareness.ts';
import { DocumentMember } from './document-member.ts';
import type { DocumentRoom } from './document-room.ts';
import { sendChunk, sendState } from './send-state.ts';
import { takeUpdate } from './take-update.ts';
import { UpdateParts } from './update-parts.ts';

/** Long enough for another update of the socket to become whole. */
const PARTS_RETRY_MS = 1_000;

/**
 * Takes one frame of a member. What is wrong with an update is told in a frame of its own, by its counter; anything else wrong is thrown.
 * @throws AshlarError
 */
export function receiveFrame(document: DocumentRoom, member: DocumentMember, frame: ClientFrame): void {
  switch (frame.type) {
    case 'sync':
      if (!maySync(document, member)) return;
      void sendState(document, member, frame.stateVector.slice());
      return;
    case 'pull':
      sendChunk(document, member, frame.transfer, frame.index);
      return;
    case 'update':
      // A copy: the frame is a view into the transport's buffer.
      takeUpdate(document, member, { counter: frame.counter, full: frame.full, update: frame.update.slice() });
      return;
    case 'part':
      takePart(document, member, frame);
      return;
    case 'awareness': {
      const { session } = member;
      if (session === null) throw new AshlarError('not-a-member', { detail: 'join with clientId and session to show something' });
      charge(member, 'awareness');
      document.showAwareness(member, session.clientId, readAwareness(frame.update, session.clientId));
      return;
    }
  }
}

function charge(member: DocumentMember, kind: BudgetKind): void {
  const taken = member.connection.budgets.take(kind);
  if (!taken.ok) throw new AshlarError('rate-limited', { retryAfterMs: taken.retryAfterMs, room: member.room.name });
}

// A few bytes ask for a whole document: they cost what a join costs. Refused in a frame, as the state would have come in one.
function maySync(document: DocumentRoom, member: DocumentMember): boolean {
  const budget = member.connection.budgets.take('joins');
  if (budget.ok) return true;
  const { retryAfterMs } = budget;
  document.send(member, { type: 'refused', counter: 0, code: 'rate-limited', retryAfterMs, detail: '' });
  return false;
}

function takePart(document: DocumentRoom, member: DocumentMember, frame: Extract<ClientFrame, { type: 'part' }>): void {
  try {
    mayKeep(document, member, frame.bytes.length);
    member.parts ??= new UpdateParts(document.ports.updateBytes);
    const update = member.parts.add(frame);
    if (update === null) return;
    member.parts = null;
    takeUpdate(document, member, { counter: frame.counter, full: frame.full, update });
  } catch (error) {
    const { code, detail, retryAfterMs = 0 } = AshlarError.from(error);
    document.send(member, { type: 'refused', counter: frame.counter, code, retryAfterMs, detail: detail ?? '' });
  }
}

// Parts wait in memory, for as long as their sender likes: only a writer's, and no more of one socket's than two of the largest updates.
function mayKeep(document: DocumentRoom, member: DocumentMember, bytes: number): void {
  if (member.session === null) throw new AshlarError('not-a-member', { detail: 'join with clientId and session to write' });
  if (!permits(member.access, 'write')) throw new AshlarError('read-only');
  let held = bytes;
  for (const other of member.connection.rooms.values()) if (other instanceof DocumentMember) held += other.parts?.bytes ?? 0;
  if (held <= 2 * document.ports.updateBytes) return;
  member.parts = null;
  throw new AshlarError('rate-limited', { retryAfterMs: PARTS_RETRY_MS });
}
