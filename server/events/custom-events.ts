import type { EventPorts } from './event-ports.ts';
import { eventRule } from './event-rule.ts';

/** The product's own events that clients may send: published by their delivery class, like ours. */
export function registerCustomEvents(ports: EventPorts, names: Iterable<string>): void {
  const { guard, catalog, rooms, publishOnce } = ports;
  for (const name of names) {
    const definition = catalog.get(name);
    if (definition === undefined || !definition.sentBy.includes('client')) continue;
    guard.handle(eventRule(definition), async ({ connection, user, room: roomName, payload, id }) => {
      // A request is answered by the product's own code: there is nothing to publish.
      if (definition.delivery.class === 'request') return {};
      const room = await rooms.open(roomName);
      const except = definition.delivery.class === 'ephemeral' ? connection.rooms.get(roomName) : undefined;
      const published = await publishOnce({ definition, room, payload, userId: user.id, id, except });
      return definition.delivery.class === 'log' ? { answer: published } : {};
    });
  }
}
