import { expect, vi } from 'vitest';
import { DocumentMember } from '../../server/documents/document-member.ts';
import type { DocumentPorts } from '../../server/documents/document-ports.ts';
import { DocumentRoom } from '../../server/documents/document-room.ts';
import type { Connection } from '../../server/rooms/connection.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Store } from '../../server/storage/store.ts';
import { openMemoryStore } from '../../server/testing/memory-store.ts';
import { parseRoomName } from '../../shared/room-name.ts';
import { documentPorts } from './document-ports.ts';

/** A document's room without a server around it. @param ports what of the house the test cares about. @param store default: an empty one in memory */
export async function openDocument(
  name: string,
  ports: Partial<DocumentPorts> & Pick<DocumentPorts, 'clock'>,
  store: Store = openMemoryStore(),
): Promise<{ room: Room; document: DocumentRoom }> {
  const whole = documentPorts(ports);
  const rooms = new Rooms({
    store,
    clock: whole.clock,
    soon: setImmediate,
    catchUp: whole.catchUp,
    createContent: (room, lease) => new DocumentRoom(room, lease, whole),
  });
  const room = await rooms.open(parseRoomName(name));
  return { room, document: room.content as DocumentRoom };
}

/** Lets a writer into an empty document, under the Yjs client id 7. Resolves once it is live. */
export async function joinAsWriter(room: Room, connection: Connection): Promise<DocumentMember> {
  const options = { epoch: 'e', seq: 0, clientId: 7, session: 'secret' };
  const { member, start } = await (room.content as DocumentRoom).join(connection, 'write', options);
  if (!(member instanceof DocumentMember)) throw new Error('no member of a document');
  room.members.set(connection, member);
  start();
  await vi.waitFor(() => expect(member.delivery).toBe('live'));
  return member;
}
