import type { AccessClaim } from '../../shared/access.ts';
import { ACCESS_LEVELS } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readConfig } from '../config.ts';
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

/** Signs a token that a server with these settings takes. */
export function signFor(settings: Settings, claims: TokenClaims, expiresInSeconds: number): string {
  return signToken(claims, settings.jwtSecret, {
    expiresInSeconds,
    algorithm: settings.jwtAlgorithms[0] ?? 'HS256',
    audience: settings.jwtAudience,
    issuer: settings.jwtIssuer,
  });
}

function readAccess(pairs: readonly string[]): AccessClaim {
  const { claim, wrong } = parseAccess(pairs);
  if (wrong.length === 0) return claim;
  throw new AshlarError('invalid-options', {
    detail: `--access is ${wrong.map((pair) => JSON.stringify(pair)).join(', ')}; allowed: pattern=level, such as 'doc:*=write'; levels: ${ACCESS_LEVELS.join(', ')}`,
  });
}
