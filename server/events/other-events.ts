import type { EventPorts } from './event-ports.ts';
import { eventRule } from './event-rule.ts';

/**
 * The events that have no feature of their own: published by their delivery class. Those that come from the backend alone are refused
 * by their rule, which says so.
 */
export function registerOtherEvents(ports: EventPorts): void {
  const { guard, catalog, rooms, publishOnce, hooks } = ports;
  for (const definition of catalog.values()) {
    if (guard.handles(definition.name)) continue;
    guard.handle(eventRule(definition), async ({ connection, user, room: roomName, payload, id }) => {
      const tell = () => hooks.emit('client:event', { user, room: roomName, event: definition.name, data: payload });
      // A request is answered by the product's own code: there is nothing to publish.
      if (definition.delivery.class === 'request') return { after: tell };
      const room = await rooms.open(roomName);
      const except = definition.delivery.class === 'ephemeral' ? connection.rooms.get(roomName) : undefined;
      const published = await publishOnce({ definition, room, payload, userId: user.id, id, except });
      const { data, meta, isRepeat } = published;
      // The product hears of an event once, however often its ack was lost.
      const after = isRepeat ? {} : { after: tell };
      return definition.delivery.class === 'log' ? { answer: { data, meta }, ...after } : after;
    });
  }
}
