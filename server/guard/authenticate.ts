import { AshlarError } from '../../shared/errors.ts';
import type { User } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';
import { parseClaims } from './claims.ts';
import { secretKey } from './secret-key.ts';
import { type KeySetting, type RemoteKeys, readKeys, type SECRET_ALGORITHMS, type TokenKey } from './token-keys.ts';
import { peekHeader, verifySignature } from './verify-signature.ts';

/** The algorithms that may be pinned for the one shared secret. */
export type TokenAlgorithm = (typeof SECRET_ALGORITHMS)[number];

/** Longest token, in characters. */
export const MAX_TOKEN = 8_192;

export interface AuthenticatorOptions {
  /** HMAC secret, at least 32 bytes: for tokens that name no key, or none of those below. */
  readonly secret?: string | undefined;
  /** The algorithms accepted with the secret, and no others, whatever a token's header says. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** Keys that tokens name by `kid`, each with its one algorithm. */
  readonly keys?: readonly KeySetting[];
  /** Keys that are fetched. */
  readonly remote?: RemoteKeys | undefined;
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
 * @throws AshlarError `auth-required` where there is none, `token-expired`, `keys-pending` where its key is being fetched, `invalid-token`
 *   for all else. None of them holds any part of the token: no cause, and a detail from a fixed list of sentences.
 */
export type Authenticate = (token: unknown) => Principal;

/** When a token that is good now ends, in ms of the monotonic clock. */
export function monotonicEnd({ expiresAt }: Principal, clock: Pick<Clock, 'now' | 'monotonic'>): number {
  return clock.monotonic() + expiresAt - clock.now();
}

const KEYS_RETRY_MS = 1_000;

/**
 * Makes the first step of the guard. Pure but for the clock and the keys that are fetched.
 * @throws AshlarError `invalid-options` where there is no key, one is too short, or a required claim is empty
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { secret, algorithms, remote, audience, issuer, clock } = options;
  // Empty must not come to mean none: everyone's tokens would pass.
  if (algorithms.length === 0) throw new AshlarError('invalid-options', { detail: 'jwtAlgorithms: at least one' });
  if (audience === '') throw new AshlarError('invalid-options', { detail: 'jwtAudience: not empty' });
  if (issuer === '') throw new AshlarError('invalid-options', { detail: 'jwtIssuer: not empty' });
  const shared = secret === undefined ? null : secretKey(secret);
  const keys = readKeys(options.keys ?? []);
  if (shared === null && keys.size === 0 && remote === undefined)
    throw new AshlarError('invalid-options', { detail: 'one of jwtSecret, jwtKeys and jwtJwksUrl is needed' });

  const findKey = (token: string): { key: TokenKey['key']; algorithms: readonly TokenKey['algorithm'][] } => {
    const header = keys.size === 0 && remote === undefined ? null : peekHeader(token);
    const kid = header?.kid;
    if (typeof kid === 'string') {
      // Those of the settings first: nobody who holds the fetched ones can stand in for them.
      const found = keys.get(kid) ?? (isSymmetric(header?.alg) ? undefined : remote?.find(kid));
      if (found === 'pending') throw new AshlarError('keys-pending', { retryAfterMs: KEYS_RETRY_MS });
      if (found !== undefined) return { key: found.key, algorithms: [found.algorithm] };
    }
    if (shared !== null) return { key: shared, algorithms };
    throw invalid(kid === undefined ? 'it names no key (kid)' : 'its key is not known');
  };

  return (token) => {
    if (token === undefined || token === null || token === '') throw new AshlarError('auth-required');
    if (typeof token !== 'string') throw invalid('a token is a string');
    if (token.length > MAX_TOKEN) throw invalid(`a token has at most ${MAX_TOKEN} characters`);
    const { key, algorithms: accepted } = findKey(token);
    const { header, payload } = verifySignature(token, key, accepted);
    // RFC 7515, 4.1.11: whoever does not understand a critical extension must refuse. Ashlar understands none.
    if (Object.hasOwn(header, 'crit')) throw invalid('critical header extensions are not understood');
    const claims = parseClaims(payload);
    if (!claims.ok) throw invalid(claims.problem);
    checkRegistered(payload as RegisteredClaims, claims.expiresAt, { now: clock.now(), audience, issuer });
    return { user: claims.user, expiresAt: claims.expiresAt };
  };
}

interface RegisteredClaims {
  readonly nbf?: unknown;
  readonly aud?: unknown;
  readonly iss?: unknown;
}

/** RFC 7519, 4.1. A token is over exactly when `expiresAt` says. */
function checkRegistered(
  { nbf, aud, iss }: RegisteredClaims,
  expiresAt: number,
  { now, audience, issuer }: { now: number; audience: string | undefined; issuer: string | undefined },
): void {
  if (nbf !== undefined && (typeof nbf !== 'number' || !Number.isFinite(nbf))) throw invalid('claim "nbf": a number of seconds');
  if (nbf !== undefined && nbf * 1000 > now) throw invalid('not valid yet');
  if (expiresAt <= now) throw new AshlarError('token-expired');
  if (audience !== undefined && aud !== audience && !(Array.isArray(aud) && aud.includes(audience)))
    throw invalid('made for another audience');
  if (issuer !== undefined && iss !== issuer) throw invalid('made by another issuer');
}

function isSymmetric(algorithm: unknown): boolean {
  return typeof algorithm === 'string' && algorithm.startsWith('HS');
}

function invalid(detail: string): AshlarError {
  return new AshlarError('invalid-token', { detail });
}
