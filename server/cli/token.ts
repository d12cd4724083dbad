import type { AccessClaim } from '../../shared/access.ts';
import { ACCESS_LEVELS } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readConfig } from '../config.ts';
import type { TokenAlgorithm } from '../guard/authenticate.ts';
import { signToken, type TokenClaims } from '../guard/sign-token.ts';
import type { Settings } from '../options.ts';
import { parseAccess } from '../parse-access.ts';
import { developmentSecret } from './development-secret.ts';
import { parseDuration } from './parse-duration.ts';

export interface TokenFlags {
  id: string;
  name?: string;
  role?: string[];
  permission?: string[];
  access?: string[];
  expires: string;
  dataDir?: string;
}

/** Prints a token, and nothing else, so that a shell can take it: `TOKEN=$(ashlar token --id anna)`. */
export function printToken(flags: TokenFlags): void {
  const expiresInSeconds = parseDuration(flags.expires);
  const claims: TokenClaims = {
    id: flags.id,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.role === undefined ? {} : { roles: flags.role }),
    ...(flags.permission === undefined ? {} : { permissions: flags.permission }),
    ...(flags.access === undefined ? {} : { access: readAccess(flags.access) }),
  };
  const { settings } = readConfig(processEnv(), { dataDir: flags.dataDir }, { developmentSecret });
  process.stdout.write(`${signFor(settings, claims, expiresInSeconds)}\n`);
}

/**
 * Signs a token that a server with these settings takes.
 * @throws AshlarError `invalid-options` where they hold no secret, only public keys
 */
export function signFor(settings: Settings, claims: TokenClaims, expiresInSeconds: number): string {
  const { jwtSecret, jwtAlgorithms, jwtKeys, jwtAudience: audience, jwtIssuer: issuer } = settings;
  if (jwtSecret !== undefined)
    return signToken(claims, jwtSecret, { expiresInSeconds, algorithm: jwtAlgorithms[0] ?? 'HS256', audience, issuer });
  // The newest key stands first, by habit of those who rotate them.
  for (const { kid, algorithm, secret } of jwtKeys) {
    if (secret === undefined) continue;
    return signToken(claims, secret, {
      expiresInSeconds,
      algorithm: algorithm as TokenAlgorithm,
      audience,
      issuer,
      keyId: kid,
    });
  }
  throw new AshlarError('invalid-options', { detail: 'tokens are signed elsewhere: these settings hold public keys alone' });
}

/** Whether these settings hold a secret to sign with. */
export function canSign({ jwtSecret, jwtKeys }: Settings): boolean {
  return jwtSecret !== undefined || jwtKeys.some(({ secret }) => secret !== undefined);
}

function readAccess(pairs: readonly string[]): AccessClaim {
  const { claim, wrong } = parseAccess(pairs);
  if (wrong.length === 0) return claim;
  throw new AshlarError('invalid-options', {
    detail: `--access is ${wrong.map((pair) => JSON.stringify(pair)).join(', ')}; allowed: pattern=level, such as 'doc:*=write'; levels: ${ACCESS_LEVELS.join(', ')}`,
  });
}
