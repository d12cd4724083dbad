import { AshlarError } from '../../shared/errors.ts';
import { isUserId } from './claims.ts';

/**
 * Checks whom the product's backend means: `session?.userId` may be undefined, and would be everybody or nobody.
 * @throws AshlarError `invalid-payload` for an id that no token can have
 */
export function checkUserId(userId: unknown): void {
  if (!isUserId(userId)) throw new AshlarError('invalid-payload', { detail: 'userId: an id that a token can have' });
}
