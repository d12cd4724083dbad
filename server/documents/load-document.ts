import type { RoomName } from '../../shared/room-name.ts';
import { readAfter } from '../rooms/catch-up.ts';
import type { DocumentRoom } from './document-room.ts';

/** The document's newest snapshot and the updates after it, all that is committed. */
export async function loadDocument(
  document: DocumentRoom,
): Promise<{ room: RoomName; state: Uint8Array | null; updates: Uint8Array[] }> {
  await document.room.settled();
  const snapshot = await document.snapshot();
  const updates: Uint8Array[] = [];
  for (let after = snapshot?.seq ?? document.room.trimmedTo; ; ) {
    const records = await readAfter(document.room, after);
    const last = records[records.length - 1];
    if (last === undefined) return { room: document.room.name, state: snapshot?.state ?? null, updates };
    for (const record of records) updates.push(record.payload);
    after = last.seq;
  }
}
