import * as z from 'zod/mini';
import type { PayloadSchema } from './define-event.ts';
import { AshlarError } from './errors.ts';

/**
 * Checks a payload against a schema.
 * @returns the parsed payload (unknown keys gone)
 * @throws AshlarError `invalid-payload` with the path and the sentence of the first thing wrong
 */
export function parsePayload<Output>(schema: PayloadSchema<Output>, payload: unknown, what: string): Output {
  let result: ReturnType<typeof z.safeParse<PayloadSchema<Output>>>;
  try {
    result = z.safeParse(schema, payload);
  } catch (cause) {
    // A refinement that stumbles over what it was given, or one that answers later: nothing could wait for it in the order of a room.
    throw new AshlarError('invalid-payload', { detail: `${what}: its schema threw, or needs promises`, cause });
  }
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new AshlarError('invalid-payload', { detail: `${what}${path}: ${issue?.message ?? 'does not fit its schema'}` });
}
