import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCESS_LEVELS, type Access, type AccessClaim, accessFromClaim, patternCovers, permits } from '../../shared/access.ts';

test('each level includes those before it, and no level those after it', () => {
  expect(ACCESS_LEVELS).toEqual(['none', 'read', 'write', 'admin']);
  const table = ACCESS_LEVELS.map((has) => ACCESS_LEVELS.filter((needed) => permits(has, needed)));
  expect(table).toEqual([['none'], ['none', 'read'], ['none', 'read', 'write'], ['none', 'read', 'write', 'admin']]);
});

describe('a pattern', () => {
  test.each([
    ['dashboard', 'dashboard', true],
    ['dashboard', 'dashboard2', false],
    ['dashboard', 'dash', false],
    ['chat:*', 'chat:1', true],
    ['chat:*', 'chat:', true],
    ['chat:*', 'chat', false],
    ['chat:*', 'xchat:1', false],
    ['doc:sales-*', 'doc:sales-2026', true],
    ['doc:sales-*', 'doc:sale', false],
    ['*', 'anything at all', true],
    ['', 'a', false],
    // One star, at the end: anywhere else it is a letter that no room name has.
    ['a*b', 'axb', false],
    ['**', 'a', false],
    ['.*', 'a', false],
    ['Dashboard', 'dashboard', false],
  ])('%j over %j: %s', (pattern, room, covered) => expect(patternCovers(pattern, room)).toBe(covered));

  test('is compared in linear time', () => {
    const room = 'a'.repeat(100_000);
    expect(patternCovers(`${'a'.repeat(99_999)}*`, room)).toBe(true);
    expect(patternCovers(`${'a*'.repeat(50_000)}b`, room)).toBe(false);
  });
});

describe('a claim', () => {
  const claim: AccessClaim = {
    '*': 'none',
    'doc:*': 'read',
    'doc:sales-*': 'write',
    'doc:sales-2026': 'none',
    'doc:sales-plan': 'admin',
  };

  test.each<[string, Access]>([
    ['dashboard', 'none'],
    ['doc:handbook', 'read'],
    ['doc:sales-2025', 'write'],
    ['doc:sales-plan', 'admin'],
    ['doc:sales-2026', 'none'],
    ['doc:sales-2026-draft', 'write'],
  ])('gives in %s the access of the longest literal prefix: %s', (room, access) => {
    expect(accessFromClaim(claim, room)).toBe(access);
  });

  test('says nothing where no pattern covers the room', () => {
    expect(accessFromClaim({ 'doc:*': 'admin' }, 'chat:1')).toBeUndefined();
    expect(accessFromClaim({}, 'chat:1')).toBeUndefined();
  });

  test('an exact name goes before a pattern of the same length, whichever comes first', () => {
    expect(accessFromClaim({ 'a*': 'write', a: 'read' }, 'a')).toBe('read');
    expect(accessFromClaim({ a: 'read', 'a*': 'write' }, 'a')).toBe('read');
  });

  test('the order of its patterns never matters', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*'), minLength: 1, maxLength: 4 });
    const entries = fc.uniqueArray(fc.tuple(pattern, fc.constantFrom(...ACCESS_LEVELS)), { selector: ([name]) => name });
    const room = fc.string({ unit: fc.constantFrom('a', 'b', ':'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(entries, room, (list, name) => {
        const forwards = accessFromClaim(Object.fromEntries(list), name);
        expect(accessFromClaim(Object.fromEntries([...list].reverse()), name)).toBe(forwards);
      }),
    );
  });
});
