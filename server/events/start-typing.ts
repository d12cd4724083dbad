import { chatTyping } from '../../shared/catalog.ts';
import type { Connection } from '../rooms/connection.ts';
import type { EventPorts } from './event-ports.ts';
import { createTyping, type Typing } from './typing.ts';

/**
 * Typing in chats: told to the others of the session, never to the socket that types.
 * @param connectionOf finds the socket that typed, while it is connected
 */
export function startTyping(ports: EventPorts, connectionOf: (id: string) => Connection | undefined): Typing {
  const { clock, settings, rooms, publish } = ports;
  return createTyping({
    clock,
    timeoutMs: settings.typingTimeoutMs,
    changed({ room: name, user, isTyping, socketId }) {
      const room = rooms.peek(name);
      if (room === undefined) return;
      const payload = { sessionId: name.slice('chat:'.length), isTyping, userId: user.id, name: user.name };
      const except = connectionOf(socketId)?.rooms.get(name);
      publish({ definition: chatTyping, room, payload, userId: user.id, except }).catch(() => {});
    },
  });
}
