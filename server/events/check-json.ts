import { MAX_DEPTH } from '../../shared/catalog-facts.ts';
import { AshlarError } from '../../shared/errors.ts';
import { payloadDepth } from '../guard/payload-depth.ts';

/** @throws AshlarError `invalid-payload` where a payload nests deeper than a schema, a store or a client can be asked to follow */
export function checkDepth(payload: unknown): void {
  if (payloadDepth(payload, MAX_DEPTH) > MAX_DEPTH)
    throw new AshlarError('invalid-payload', { detail: `at most ${MAX_DEPTH} levels` });
}

/**
 * A payload as it is stored and sent. What comes from the process itself was no JSON before, and what a schema made of a client's need not be.
 * @throws AshlarError `invalid-payload` where it can be none: a BigInt, a cycle, a `toJSON` that throws, nothing at all
 */
export function toJson(payload: unknown, what: string): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    cause = error;
  }
  if (text === undefined) throw new AshlarError('invalid-payload', { detail: `${what}: JSON cannot hold it`, cause });
  return text;
}
