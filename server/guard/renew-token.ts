import { AshlarError } from '../../shared/errors.ts';
import { userRoom } from '../../shared/room-name.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../rooms/connection.ts';
import { type Authenticate, monotonicEnd } from './authenticate.ts';
import type { Guard } from './guard.ts';

/**
 * `auth:renew(token, ack)`: a fresh token on the open connection, for the same user. No room is lost.
 * @param renewed told afterwards: the expiry timer is set anew, and membership follows the new claims
 */
export function registerRenewal(
  guard: Guard,
  authenticate: Authenticate,
  clock: Clock,
  renewed: (connection: Connection) => void,
): void {
  guard.handle(
    {
      name: 'auth:renew',
      budget: 'joins',
      needs: 'nothing',
      glance: ([token], user) => ({ room: userRoom(user.id), payload: token }),
      parse: (token) => authenticate(token),
    },
    ({ connection, user, payload }) => {
      if (payload.user.id !== user.id) throw new AshlarError('invalid-token', { detail: 'the token is another user’s' });
      connection.user = payload.user;
      connection.expiresAt = payload.expiresAt;
      connection.endsAt = monotonicEnd(payload, clock);
      connection.access.setUser(payload.user);
      return { answer: { expiresAt: payload.expiresAt }, after: () => renewed(connection) };
    },
  );
}
