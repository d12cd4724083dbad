import jwt from 'jsonwebtoken';
import { AshlarError } from '../../shared/errors.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import { parseClaims } from './claims.ts';
import { secretKey } from './secret-key.ts';

/** The algorithms that may be pinned: one shared secret signs and verifies. */
export type TokenAlgorithm = 'HS256' | 'HS384' | 'HS512';

/** Longest token, in characters. */
export const MAX_TOKEN = 8_192;

export interface AuthenticatorOptions {
  /** HMAC secret, at least 32 bytes. */
  readonly secret: string;
  /** The algorithms accepted, and no others, whatever a token's header says. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** Required `aud`. */
  readonly audience?: string | undefined;
  /** Required `iss`. */
  readonly issuer?: string | undefined;
  readonly clock: Clock;
}

/** What a token says: who, and until when. */
export interface Principal {
  readonly user: User;
  /** Unix ms. */
  readonly expiresAt: number;
}

/**
 * Tells who a token speaks for.
 * @param token what the handshake's `auth.token` or the bearer header held
 * @throws AshlarError `auth-required` where there is none, `token-expired`, `invalid-token` for all else. None of them holds
 *   any part of the token: no cause, and a detail from a fixed list of sentences.
 */
export type Authenticate = (token: unknown) => Principal;

/**
 * Makes the first step of the guard. Pure but for the clock.
 * @throws AshlarError `invalid-options` where the secret is too short or a required claim is empty
 */
export function createAuthenticator({ secret, algorithms, audience, issuer, clock }: AuthenticatorOptions): Authenticate {
  // jsonwebtoken takes an empty option for none: everyone's tokens would pass.
  if (algorithms.length === 0) throw new AshlarError('invalid-options', { detail: 'jwtAlgorithms: at least one' });
  if (audience === '') throw new AshlarError('invalid-options', { detail: 'jwtAudience: not empty' });
  if (issuer === '') throw new AshlarError('invalid-options', { detail: 'jwtIssuer: not empty' });
  const key = secretKey(secret);
  const options: jwt.VerifyOptions & { complete: true } = {
    algorithms: [...algorithms],
    complete: true,
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
  };

  return (token) => {
    if (token === undefined || token === null || token === '') throw new AshlarError('auth-required');
    if (typeof token !== 'string') throw invalid('a token is a string');
    if (token.length > MAX_TOKEN) throw invalid(`a token has at most ${MAX_TOKEN} characters`);
    let verified: jwt.Jwt;
    try {
      // In fractions of a second, so that a token is over exactly when `expiresAt` says; jsonwebtoken takes 0 for "no clock given".
      verified = jwt.verify(token, key, { ...options, clockTimestamp: Math.max(clock.now() / 1000, Number.MIN_VALUE) });
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw new AshlarError('token-expired');
      throw invalid(describe(error));
    }
    // RFC 7515, 4.1.11: whoever does not understand a critical extension must refuse. Ashlar understands none.
    if (Object.hasOwn(verified.header, 'crit')) throw invalid('critical header extensions are not understood');
    const claims = parseClaims(verified.payload);
    if (!claims.ok) throw invalid(claims.problem);
    return { user: claims.user, expiresAt: claims.expiresAt };
  };
}

function invalid(detail: string): AshlarError {
  return new AshlarError('invalid-token', { detail });
}

/** jsonwebtoken's reasons in our words: its own may quote the options, and a parser's error quotes the token. */
function describe(error: unknown): string {
  if (error instanceof jwt.NotBeforeError) return 'not valid yet';
  const message = error instanceof jwt.JsonWebTokenError ? error.message : '';
  if (message.startsWith('jwt audience')) return 'made for another audience';
  if (message.startsWith('jwt issuer')) return 'made by another issuer';
  if (message === 'invalid algorithm') return 'its algorithm is not accepted';
  if (message === 'invalid signature' || message === 'jwt signature is required') return 'its signature does not fit';
  if (message === 'invalid exp value') return 'claim "exp": a number of seconds';
  if (message === 'invalid nbf value') return 'claim "nbf": a number of seconds';
  return 'malformed';
}
