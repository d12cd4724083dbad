import { ACCESS_LEVELS, type Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { RoomName } from '../../shared/room-name.ts';
import { checkUserId } from './check-user-id.ts';

/**
 * Checks what is about to be stored about a user in a room.
 * @throws AshlarError `invalid-room` for a user's own room; `invalid-payload` for an id that no token can have, or an access that is none
 */
export function checkGrant(room: RoomName, userId: string, access: Access): void {
  if (room.startsWith('user:')) throw new AshlarError('invalid-room', { detail: 'a user: room is its owner’s alone', room });
  checkUserId(userId);
  if (!ACCESS_LEVELS.includes(access))
    throw new AshlarError('invalid-payload', { detail: `access: one of ${ACCESS_LEVELS.join(', ')}` });
}
