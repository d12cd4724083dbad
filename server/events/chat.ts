import type * as z from 'zod/mini';
import { permits } from '../../shared/access.ts';
import { chatMessage, chatTyping } from '../../shared/catalog.ts';
import * as facts from '../../shared/catalog-facts.ts';
import { AshlarError } from '../../shared/errors.ts';
import { ChatHistoryQuery } from '../../shared/messages.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';
import type { Rule } from '../guard/guard.ts';
import { asObject } from '../guard/read-arguments.ts';
import type { Connection } from '../rooms/connection.ts';
import { logMeta } from '../rooms/fan-out.ts';
import type { EventPorts } from './event-ports.ts';
import { eventRule } from './event-rule.ts';
import { prepareChatMessage } from './prepare-chat-message.ts';
import { readPayload } from './read-payload.ts';
import type { Typing } from './typing.ts';

/** Chat: messages with id, sender and time from the server, history in pages, typing that ends by itself. */
export function registerChat(ports: EventPorts, typing: Typing): void {
  const { guard, catalog, clock, rooms, membership, hooks, publishOnce } = ports;

  // Existing frontends send without ever joining: writing into a session joins it.
  async function joinedRoom(connection: Connection, name: RoomName, access: 'write' | 'admin') {
    await membership.ensure(connection, name, access);
    const held = connection.rooms.get(name)?.access ?? 'none';
    if (!permits(held, 'write')) throw new AshlarError('access-denied', { room: name });
    return rooms.open(name);
  }

  guard.handle(eventRule(chatMessage) as Rule<z.output<typeof chatMessage.input>>, async (message) => {
    const { connection, user, payload, id } = message;
    const room = await joinedRoom(connection, message.room, message.access as 'write');
    const prepared = prepareChatMessage(payload, user, clock);
    const { data, meta, isRepeat } = await publishOnce({ definition: chatMessage, room, payload: prepared, userId: user.id, id });
    return {
      answer: { data, meta },
      after: () => {
        // A repeat got the first answer: the product hears of a message once.
        if (isRepeat) return;
        const { sessionId, content, timestamp } = prepared;
        hooks.emit('chat:message', {
          user,
          sessionId,
          message: { id: prepared.id, content, timestamp },
          seq: meta.seq ?? 0,
        });
      },
    };
  });

  guard.handle(eventRule(chatTyping) as Rule<z.output<typeof chatTyping.input>>, async (message) => {
    const { connection, user, payload } = message;
    await joinedRoom(connection, message.room, message.access as 'write');
    if (!connection.closed) typing.set(message.room, user, connection.id, payload.isTyping);
    return {};
  });

  guard.handle(
    {
      name: 'chat:history',
      budget: 'joins',
      needs: 'read',
      glance: ([query]) => ({
        room: facts.chatMessage.roomOf(asObject(query, 'chat:history') as { sessionId: string }),
        payload: query,
      }),
      parse: (query) => parsePayload(ChatHistoryQuery, query, 'chat:history'),
    },
    async ({ connection, payload }) => {
      const room = await rooms.open(parseRoomName(`chat:${payload.sessionId}`));
      // One more than asked for says whether there are others before them.
      const records = await connection.readInTurn(() =>
        room.store.read(room.name, {
          before: payload.before ?? room.head.seq + 1,
          limit: payload.limit + 1,
          from: 'newest',
          kind: chatMessage.name,
        }),
      );
      const page = records.slice(-payload.limit);
      return {
        answer: {
          messages: page.map((record) => ({ data: readPayload(catalog, record), meta: logMeta(room, record) })),
          hasMore: records.length > page.length,
        },
        content: room.name,
      };
    },
  );
}
