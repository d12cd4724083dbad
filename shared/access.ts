/** What a user may do in a room: each level includes those before it. */
export type Access = 'none' | 'read' | 'write' | 'admin';

/** All levels, weakest first. */
export const ACCESS_LEVELS = ['none', 'read', 'write', 'admin'] as const satisfies readonly Access[];

/** Whether `has` includes `needed`. */
export function permits(has: Access, needed: Access): boolean {
  return ACCESS_LEVELS.indexOf(has) >= ACCESS_LEVELS.indexOf(needed);
}

/** Room pattern → access: `{ dashboard: 'read', 'chat:*': 'write', '*': 'none' }`. */
export type AccessClaim = Readonly<Record<string, Access>>;

/**
 * Whether a pattern covers a room name. A pattern is a literal name, or a literal prefix and one `*` at its end; `*` alone
 * covers every room. Linear in the name's length; no regular expressions.
 */
export function patternCovers(pattern: string, room: string): boolean {
  return pattern.endsWith('*') ? room.startsWith(pattern.slice(0, -1)) : pattern === room;
}

/**
 * The access a claim gives in a room: of the patterns that cover it the one with the longest literal prefix wins, an exact
 * name before a pattern of the same length.
 * @returns undefined where no pattern covers the room
 */
export function accessFromClaim(claim: AccessClaim, room: string): Access | undefined {
  let best: Access | undefined;
  let bestLength = -1;
  for (const [pattern, access] of Object.entries(claim)) {
    if (!patternCovers(pattern, room)) continue;
    const length = pattern.endsWith('*') ? pattern.length - 1 : pattern.length + 0.5;
    if (length > bestLength) {
      best = access;
      bestLength = length;
    }
  }
  return best;
}
