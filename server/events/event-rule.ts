import { type AnyEventDefinition, onlyRoom } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';
import { ClientMeta } from '../../shared/messages.ts';
import { parsePayload } from '../../shared/parse-payload.ts';
import type { Rule } from '../guard/guard.ts';
import { checkDepth } from './check-json.ts';

/** How an event from a client passes the guard: `emit(name, data, meta?)`. */
export function eventRule(definition: AnyEventDefinition): Rule<unknown> {
  return {
    name: definition.name,
    budget: 'events',
    needs: definition.delivery.class === 'request' ? 'read' : 'write',
    glance(args) {
      if (!definition.sentBy.includes('client'))
        throw new AshlarError('access-denied', { detail: `${definition.name} comes from the backend` });
      const [payload, rawMeta] = args;
      const meta = rawMeta === undefined || rawMeta === null ? {} : parsePayload(ClientMeta, rawMeta, 'meta');
      return { room: roomOf(definition, payload, meta.room), payload, id: meta.id };
    },
    parse(payload) {
      checkDepth(payload);
      return parsePayload(definition.input, payload, definition.name);
    },
  };
}

/**
 * The room of an event: as the payload says, as its sender says, or its only one.
 * @throws AshlarError `invalid-payload`, `wrong-room`
 */
export function roomOf(definition: AnyEventDefinition, payload: unknown, named: string | undefined): string {
  const { name } = definition;
  let found: string | undefined;
  if (definition.roomOf !== undefined) {
    // The payload is not validated yet, and whatever the function stumbles over is the sender's mistake.
    try {
      found = definition.roomOf(payload);
    } catch (error) {
      throw new AshlarError('invalid-payload', { detail: `${name}: no room in the payload`, cause: error });
    }
  } else {
    found = onlyRoom(definition);
  }
  if (found !== undefined && named !== undefined && found !== named)
    throw new AshlarError('wrong-room', { detail: `${name} belongs in ${found}` });
  const result = found ?? named;
  if (result === undefined) throw new AshlarError('invalid-payload', { detail: `${name}: name the room in meta.room` });
  return result;
}
