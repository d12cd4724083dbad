import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { AshlarError } from '../../shared/errors.ts';
import { secretKey } from './secret-key.ts';

/** Algorithms of a shared secret. */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
/** Algorithms of a public key. */
export const PUBLIC_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

/** One key of several, as a setting. Its algorithm is pinned: a token's header cannot choose another for it. */
export const KeySetting = z.strictObject({
  kid: z.string().min(1).max(256),
  algorithm: z.enum([...SECRET_ALGORITHMS, ...PUBLIC_ALGORITHMS]),
  secret: z.string().min(32, 'at least 32 bytes').optional(),
  publicKey: z.string().optional(),
});
export type KeySetting = z.output<typeof KeySetting>;

/** A key that verifies tokens, with the one algorithm that it is used for. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: KeySetting['algorithm'];
  readonly key: KeyObject;
}

/** Keys that come from elsewhere and change. */
export interface RemoteKeys {
  /** `pending`: not known, and somebody is being asked: the same token may pass a moment later. */
  find(kid: string): TokenKey | 'pending' | undefined;
}

/** @throws AshlarError `invalid-options`: two keys of one `kid`, or a key that its algorithm cannot use */
export function readKeys(settings: readonly KeySetting[]): ReadonlyMap<string, TokenKey> {
  const keys = new Map<string, TokenKey>();
  for (const setting of settings) {
    if (keys.has(setting.kid)) throw refuse(setting.kid, 'two keys have this kid');
    keys.set(setting.kid, readKey(setting));
  }
  return keys;
}

function readKey({ kid, algorithm, secret, publicKey }: KeySetting): TokenKey {
  if (SECRET_ALGORITHMS.some((one) => one === algorithm)) {
    if (secret === undefined || publicKey !== undefined) throw refuse(kid, `${algorithm} takes a "secret", and nothing else`);
    return { kid, algorithm, key: secretKey(secret) };
  }
  if (publicKey === undefined || secret !== undefined) throw refuse(kid, `${algorithm} takes a "publicKey", and nothing else`);
  // A private key would do as well, and would then lie in a place where nobody expects one.
  if (publicKey.includes('PRIVATE KEY')) throw refuse(kid, 'this is a private key: give the public one');
  let key: KeyObject;
  try {
    key = createPublicKey(publicKey);
  } catch {
    throw refuse(kid, 'not a public key in PEM form (-----BEGIN PUBLIC KEY-----)');
  }
  if (!fits(algorithm, key)) throw refuse(kid, `the key does not fit ${algorithm}`);
  return { kid, algorithm, key };
}

/** Whether a public key is one that the algorithm can be used with, and long enough. */
export function fits(algorithm: TokenKey['algorithm'], key: KeyObject): boolean {
  switch (algorithm) {
    case 'RS256':
      return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048;
    case 'ES256':
      return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    case 'EdDSA':
      return key.asymmetricKeyType === 'ed25519';
    default:
      return false;
  }
}

function refuse(kid: string, problem: string): AshlarError {
  return new AshlarError('invalid-options', { detail: `jwtKeys, kid ${JSON.stringify(kid)}: ${problem}` });
}
