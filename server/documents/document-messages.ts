import { decodeClientFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import { isDocumentRoom } from '../../shared/room-name.ts';
import type { Guard } from '../guard/guard.ts';
import { asBytes } from '../guard/read-arguments.ts';
import { DocumentMember } from './document-member.ts';
import type { DocumentRoom } from './document-room.ts';
import { receiveFrame } from './receive-frame.ts';

/** `document(room, frame)`: everything that travels in a document's room. Its cost is charged by bytes and structs, not by messages. */
export function registerDocumentMessages(guard: Guard): void {
  guard.handle(
    {
      name: 'document',
      budget: null,
      needs: 'membership',
      glance: ([room, frame]) => ({ room, payload: frame }),
      parse: (frame) => {
        const bytes = asBytes(frame);
        if (bytes === null) throw new AshlarError('malformed-frame', { detail: 'a frame is binary' });
        return decodeClientFrame(bytes);
      },
    },
    ({ connection, room, payload }) => {
      const member = connection.rooms.get(room);
      if (!isDocumentRoom(room) || !(member instanceof DocumentMember)) throw new AshlarError('not-a-member', { room });
      receiveFrame(member.room.content as DocumentRoom, member, payload);
      return undefined;
    },
  );
}
