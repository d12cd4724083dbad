import * as z from 'zod';
import { ACCESS_LEVELS, type Access, type AccessClaim } from '../../shared/access.ts';
import { parseRoomName, userRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';
import { passes } from '../passes.ts';
import { deriveColor } from './derive-color.ts';

/** Longest display name, in UTF-16 units. A longer one is cut. */
export const MAX_NAME = 200;
/** Most patterns in an `access` claim. */
export const MAX_PATTERNS = 1_000;
/** Longest pattern of an `access` claim, in bytes of UTF-8. */
export const MAX_PATTERN_BYTES = 256;
/** 9999-12-31T23:59:59Z, in Unix seconds: a later `exp` is a mistake or an attack. */
const LATEST_EXPIRY = 253_402_300_799;
const COLOR = /^#[0-9a-f]{6}$/i;

// Controls, lone surrogates, bidi controls, line separators and marks without a width. The joiners U+200C and U+200D stay:
// Persian names and emoji are written with them.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** A user id: what `user:<id>` can be made of, and what no object inherits as a property. */
const UserId = z
  .string()
  .min(1)
  .max(128)
  .refine((id) => passes(() => parseRoomName(id)) && passes(() => userRoom(id)), 'not usable as a user id');

/** Whether a value can be the id of a user. */
export function isUserId(value: unknown): boolean {
  return UserId.safeParse(value).success;
}

const labels = z.array(z.string().min(1).max(128)).max(100).default([]);

/**
 * An `access` claim. Built by hand into an object without a prototype: zod's record skips a key `__proto__` in silence, and a
 * claim that means something else than it says is refused here instead.
 */
const AccessClaimSchema = z.unknown().transform((value, context): AccessClaim => {
  const claim: Record<string, Access> = Object.create(null);
  const refuse = (message: string): AccessClaim => {
    context.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('an object of room patterns and levels');
  const entries = Object.entries(value);
  if (entries.length > MAX_PATTERNS) return refuse(`at most ${MAX_PATTERNS} patterns`);
  for (const [pattern, access] of entries) {
    const problem = patternProblem(pattern);
    if (problem !== undefined) return refuse(problem);
    if (!ACCESS_LEVELS.some((level) => level === access)) return refuse(`a level is one of ${ACCESS_LEVELS.join(', ')}`);
    claim[pattern] = access;
  }
  return Object.freeze(claim);
});

function patternProblem(pattern: string): string | undefined {
  if (pattern in {}) return 'a pattern is a reserved word';
  if (pattern === '' || Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) return `a pattern has 1 to ${MAX_PATTERN_BYTES} bytes`;
  if (pattern.slice(0, -1).includes('*')) return 'a pattern has one "*" at most, at its end';
  return undefined;
}

/** Whether a text can be a room pattern of an `access` claim: `dashboard`, `chat:*`, `*`. */
export function isRoomPattern(text: string): boolean {
  return patternProblem(text) === undefined;
}

const Claims = z
  .object({
    id: UserId.optional(),
    sub: UserId.optional(),
    exp: z.number().positive().max(LATEST_EXPIRY),
    name: z.string().optional(),
    // A colour that is none is replaced, not refused: nobody should be locked out for "red".
    color: z.unknown().optional(),
    roles: labels,
    permissions: labels,
    access: AccessClaimSchema.optional(),
  })
  .refine(({ id, sub }) => id !== undefined || sub !== undefined, { message: '"id" or "sub" is needed', path: ['id'] });

/** The outcome of reading claims; `expiresAt` in Unix ms. `problem` names the claim and the rule, never a value. */
export type ParsedClaims = { ok: true; user: User; expiresAt: number } | { ok: false; problem: string };

/**
 * Reads the verified payload of a token. `id` goes before `sub`; a missing name is the id; unknown claims are ignored.
 * @param payload anything that a signed token can hold
 */
export function parseClaims(payload: unknown): ParsedClaims {
  const result = Claims.safeParse(payload);
  if (!result.success) {
    const issue = result.error.issues[0];
    const claim = typeof issue?.path[0] === 'string' ? `claim "${issue.path[0]}": ` : '';
    return { ok: false, problem: `${claim}${issue?.message ?? 'unexpected claims'}` };
  }
  const { id: ownId, sub, exp, name, color, roles, permissions, access } = result.data;
  const id = (ownId ?? sub) as string;
  // Frozen, since it is handed to the product's callbacks.
  const user: User = Object.freeze({
    id,
    name: printableName(name) || id,
    color: typeof color === 'string' && COLOR.test(color) ? color.toLowerCase() : deriveColor(id),
    roles: Object.freeze(roles),
    permissions: Object.freeze(permissions),
    ...(access === undefined ? {} : { access }),
  });
  return { ok: true, user, expiresAt: exp * 1000 };
}

/** A name that can stand in a log line, a caret and a member list: one line, left as it reads. */
function printableName(name = ''): string {
  const clean = name.replace(UNPRINTABLE, '').normalize('NFC').trim();
  if (clean.length <= MAX_NAME) return clean;
  // Not through the middle of a surrogate pair.
  return clean
    .slice(0, MAX_NAME)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
}
