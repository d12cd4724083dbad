import * as Y from 'yjs';
import type { MemoryDisk } from '../../server/testing/memory-disk.ts';
import type { RoomName } from '../../shared/room-name.ts';

/** A document as the disk has it: snapshot, then the log, record by record. */
export function docOf(disk: MemoryDisk, room: RoomName): Y.Doc {
  const doc = new Y.Doc();
  const stored = disk.rooms.get(room);
  if (stored?.snapshot) Y.applyUpdate(doc, stored.snapshot.state);
  for (const { payload, seq } of stored?.records ?? []) if (seq > (stored?.snapshot?.seq ?? 0)) Y.applyUpdate(doc, payload);
  return doc;
}

/** What a reader sees of a document. */
export function readable(doc: Y.Doc): string {
  const map = Object.entries(doc.getMap('map').toJSON()).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ text: doc.getText('text').toString(), map, list: doc.getArray('list').toJSON() });
}

/**
 * What a document has and another lacks, in words; null: nothing.
 * @param writing a client id with edits that nobody else has yet: it, and deletions, are left out
 */
export function containedIn(doc: Y.Doc, other: Y.Doc, writing?: number): string | null {
  for (const [client, structs] of doc.store.clients) {
    if (client === writing) continue;
    const has = Y.getState(doc.store, client);
    const state = Y.getState(other.store, client);
    if (has > state) return `client ${client} has ${has}, there ${state}`;
    if (writing !== undefined) continue;
    for (const struct of structs) {
      if (!struct.deleted) continue;
      for (let clock = struct.id.clock; clock < struct.id.clock + struct.length; ) {
        const theirs = Y.getItem(other.store, Y.createID(client, clock));
        // Whoever reads a text takes formatting marks out that say nothing new, and tells it behind.
        const isMark = theirs instanceof Y.Item && theirs.content instanceof Y.ContentFormat;
        if (!theirs.deleted && !isMark) return `${client}/${clock} is deleted here alone`;
        clock = theirs.id.clock + theirs.length;
      }
    }
  }
  return null;
}

/** Whether two documents are the same in every struct and deletion; says what is not. */
export function difference(left: Y.Doc, right: Y.Doc): string | null {
  const [here, there] = [readable(left), readable(right)];
  if (here !== there) {
    let at = 0;
    while (here[at] === there[at]) at += 1;
    const around = (text: string) => `…${text.slice(Math.max(0, at - 30), at + 60)}…`;
    return `${around(here)} is not ${around(there)} (of ${here.length} and ${there.length})`;
  }
  return containedIn(left, right) ?? containedIn(right, left);
}
