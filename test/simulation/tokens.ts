import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { AccessClaim } from '../../shared/access.ts';
import { currentWorld } from './current-world.ts';

export const SECRET = 'a secret for the simulation, long enough';
// Of a text, jsonwebtoken first tries whether it is a private key: a tenth of a short seed's time.
const KEY = createSecretKey(SECRET, 'utf8');

/** A token by the simulated clock. */
export function tokenFor(id: string, access: AccessClaim, seconds = 86_400): string {
  const now = Math.floor(currentWorld().now() / 1_000);
  return jwt.sign({ id, name: `Name of ${id}`, access, iat: now, exp: now + seconds }, KEY);
}
