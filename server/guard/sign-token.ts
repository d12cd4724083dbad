import jwt from 'jsonwebtoken';
import type { AccessClaim } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { MAX_TOKEN, type TokenAlgorithm } from './authenticate.ts';
import { parseClaims } from './claims.ts';
import { secretKey } from './secret-key.ts';

/** What a token can say about its user. Other claims may stand beside these. */
export interface TokenClaims {
  /** The user's id; `sub` does as well. */
  readonly id?: string;
  readonly sub?: string;
  readonly name?: string;
  /** `#rrggbb` */
  readonly color?: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Room pattern → access. Left out: the server's `defaultAccess`. */
  readonly access?: AccessClaim;
}

export interface SignTokenOptions {
  readonly expiresInSeconds: number;
  /** Default: `HS256`. */
  readonly algorithm?: TokenAlgorithm;
  readonly audience?: string | undefined;
  readonly issuer?: string | undefined;
  /** Names the key (`kid`), for a server that has several. */
  readonly keyId?: string | undefined;
  /** When it is signed, Unix ms. Default: jsonwebtoken reads the wall clock. */
  readonly now?: number;
}

/**
 * Signs a token that the guard takes: for the CLI, for development and for tests. A product's backend may use any JWT library.
 * @param secret at least 32 bytes
 * @throws AshlarError `invalid-options`, naming what the guard would refuse
 */
export function signToken(claims: TokenClaims, secret: string, options: SignTokenOptions): string {
  if (typeof (options as unknown) !== 'object') throw refuse('signToken(claims, secret, options): options with expiresInSeconds');
  const { expiresInSeconds, algorithm = 'HS256', audience, issuer, keyId, now } = options;
  if (!(expiresInSeconds > 0 && Number.isFinite(expiresInSeconds))) throw refuse('expiresInSeconds: a number more than 0');
  const key = secretKey(secret);
  const token = jwt.sign({ ...claims, ...(now === undefined ? {} : { iat: Math.floor(now / 1000) }) }, key, {
    algorithm,
    expiresIn: Math.ceil(expiresInSeconds),
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(keyId === undefined ? {} : { keyid: keyId }),
  });
  // What was signed is read back by the guard's own rules, so that a wrong claim fails here and not at somebody's login.
  const parsed = parseClaims(jwt.decode(token));
  if (!parsed.ok) throw refuse(parsed.problem);
  if (token.length > MAX_TOKEN) throw refuse(`the token would have more than ${MAX_TOKEN} characters`);
  return token;
}

function refuse(detail: string): AshlarError {
  return new AshlarError('invalid-options', { detail });
}
