import type { AnyEventDefinition } from '../../shared/define-event.ts';
import { AshlarError } from '../../shared/errors.ts';

/**
 * Under which key a state event's value is kept; empty for other events.
 * @throws AshlarError `invalid-payload` where it is no string, or holds half of a surrogate pair: as it is stored, it would be another value's key as well
 */
export function valueKey({ name, delivery }: AnyEventDefinition, payload: unknown): string {
  const key = delivery.class === 'state' ? delivery.key(payload) : '';
  if (typeof key !== 'string') throw new AshlarError('invalid-payload', { detail: `${name}: its key is no string` });
  if (!key.isWellFormed()) throw new AshlarError('invalid-payload', { detail: `${name}: its key holds half of a character` });
  return key;
}
