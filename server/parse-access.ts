import { ACCESS_LEVELS, type Access, type AccessClaim } from '../shared/access.ts';

/**
 * Reads `pattern=level` pairs: `doc:*=write`. A pattern may itself hold `=`; the last one counts.
 * @returns the claim, and the pairs that are none
 */
export function parseAccess(pairs: readonly string[]): { claim: AccessClaim; wrong: readonly string[] } {
  const claim: Record<string, Access> = Object.create(null);
  const wrong: string[] = [];
  for (const pair of pairs) {
    const at = pair.lastIndexOf('=');
    const pattern = pair.slice(0, Math.max(at, 0)).trim();
    const level = ACCESS_LEVELS.find((one) => one === pair.slice(at + 1).trim());
    if (pattern === '' || level === undefined || pattern.slice(0, -1).includes('*')) wrong.push(pair);
    else claim[pattern] = level;
  }
  return { claim: { ...claim }, wrong };
}
