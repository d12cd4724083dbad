import { AshlarError } from '../../shared/errors.ts';
import type { LogRecord } from '../storage/store.ts';
import { sendStaleStates } from './fan-out.ts';
import type { Member } from './member.ts';
import type { Room } from './room.ts';

const CHUNK_RECORDS = 500;
const CHUNK_BYTES = 256 * 1024;

/** Committed records after `seq`: from memory where it reaches back, else from the store. */
export async function readAfter(room: Room, seq: number, limit = CHUNK_RECORDS): Promise<readonly LogRecord[]> {
  if (seq >= room.head.seq) return [];
  const recent = room.recent.after(seq, limit);
  if (recent !== null && recent.length > 0) return recent;
  // A hundred who join at once after a restart read the same records: once, for all of them.
  const key = `${seq} ${limit}`;
  const known = room.reads.get(key);
  if (known !== undefined) return known;
  const reading = readFromStore(room, seq, limit).finally(() => room.reads.delete(key));
  room.reads.set(key, reading);
  return reading;
}

async function readFromStore(room: Room, after: number, limit: number): Promise<readonly LogRecord[]> {
  const { cleared } = room.recent;
  const records = await room.store.read(room.name, { after, limit, maxBytes: CHUNK_BYTES });
  // A deletion moves the trim mark, an erasure rewrites records: what was read before is no longer anybody's.
  const current = cleared === room.recent.cleared && !room.fenced && !room.deleted && (records[0]?.seq ?? 0) > room.trimmedTo;
  if (current) room.recent.prepend(records, room.head.seq);
  return records;
}

/**
 * Makes the function that brings a member from its position to the room's head, as fast as its queue drains, and then makes it
 * live. One routine for reconnects, for documents after their state, and for receivers that were too slow.
 * @param onStopped told when a catch-up cannot go on: the member must join again
 */
export function createCatchUp(onStopped: (member: Member, error: AshlarError) => void): (member: Member) => void {
  async function pump(member: Member): Promise<void> {
    const { room, connection } = member;
    try {
      while (isCatchingUp(member)) {
        if (member.unread.length === 0 && member.sent.seq >= room.head.seq) {
          // Nothing may come between this comparison and the first live frame: no await in here.
          member.delivery = 'live';
          sendStaleStates(member);
          return;
        }
        // One room at a time: a socket in a hundred rooms, which reads nothing, holds one portion's memory.
        await connection.readInTurn(async () => {
          if (isBehind(member)) await drained(member);
          if (!isCatchingUp(member)) return;
          if (member.unread.length > 0) sendUnread(member);
          else await sendLogged(member);
        });
      }
    } finally {
      // In the turn in which it stops: whoever starts the next one must not take this one for running.
      member.pumping = false;
    }
  }

  return (member) => {
    if (member.pumping || member.gone || member.delivery !== 'catching-up') return;
    member.pumping = true;
    member.room.tally.caughtUp();
    pump(member).catch((error: unknown) => onStopped(member, AshlarError.from(error)));
  };
}

function isCatchingUp(member: Member): boolean {
  return !member.gone && member.delivery === 'catching-up';
}

async function sendLogged(member: Member): Promise<void> {
  const { room, connection } = member;
  const from = member.sent;
  const records = firstOf(await readAfter(room, from.seq), connection.outbox.portionBytes);
  // It asked for the state meanwhile, and goes on from there.
  if (!isCatchingUp(member) || member.sent !== from) return;
  const first = records[0];
  if (first === undefined || first.seq !== from.seq + 1) {
    throw new AshlarError('not-a-member', { detail: 'the log was cut: join again', room: room.name });
  }
  room.content.sendRecords(member, records);
  const last = records[records.length - 1] as LogRecord;
  member.sent = { epoch: last.epoch, seq: last.seq };
}

function sendUnread(member: Member): void {
  const records = firstOf(member.unread, member.connection.outbox.portionBytes);
  member.unread = member.unread.slice(records.length);
  // The last one brings the client up to where the log goes on.
  member.room.content.sendRecords(member, records, member.unread.length === 0 ? member.sent : undefined);
}

/** As many records as so many bytes hold, and one at least. */
function firstOf(records: readonly LogRecord[], maxBytes: number): readonly LogRecord[] {
  let bytes = 0;
  const end = records.findIndex(({ payload }, index) => {
    bytes += payload.length;
    return bytes > maxBytes && index > 0;
  });
  return end === -1 ? records : records.slice(0, end);
}

function isBehind({ connection: { outbox } }: Member): boolean {
  return outbox.queuedBytes > outbox.portionBytes;
}

function drained(member: Member): Promise<void> {
  return new Promise((resolve) => member.connection.outbox.whenDrained(resolve));
}
