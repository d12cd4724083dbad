import type { RoomName } from '../../shared/room-name.ts';
import { readAfter } from '../rooms/catch-up.ts';
import type { Room } from '../rooms/room.ts';
import type { LogRecord, Snapshot } from '../storage/store.ts';
import type { DocumentRoom } from './document-room.ts';
import type { DocumentJob } from './worker/document-workers.ts';

/** A document's newest snapshot, and the records behind it. */
export interface DocumentTail {
  readonly room: RoomName;
  readonly before: Snapshot | null;
  /** The `seq` that the records follow. */
  readonly after: number;
  readonly records: readonly LogRecord[];
}

/** Reads what a document is made of, up to its head. */
export async function readTail(document: DocumentRoom): Promise<DocumentTail> {
  const { room } = document;
  const before = await document.snapshot();
  const after = before?.seq ?? room.trimmedTo;
  return { room: room.name, before, after, records: await readFrom(room, after) };
}

/** The records behind one, up to the head. @returns null where the log has a hole there: it was cut */
export async function readBehind({ room }: DocumentRoom, seq: number): Promise<readonly LogRecord[] | null> {
  const records = await readFrom(room, seq);
  return records.every((record, index) => record.seq === seq + 1 + index) ? records : null;
}

async function readFrom(room: Room, seq: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let after = seq; after < room.head.seq; ) {
    const page = await readAfter(room, after);
    const last = page[page.length - 1];
    if (last === undefined) break;
    records.push(...page);
    after = last.seq;
  }
  return records;
}

/** The job that a tail is to the workers. */
export function jobOf({ room, before, records }: Omit<DocumentTail, 'after'>): DocumentJob & { room: RoomName } {
  return { room, state: before?.state ?? null, updates: records.map(({ payload }) => payload) };
}

/** The document's newest snapshot and the updates after it: all that was taken before, committed by now. */
export async function loadDocument(document: DocumentRoom): Promise<DocumentJob & { room: RoomName }> {
  await document.room.settled();
  return jobOf(await readTail(document));
}
