import { describe, expect, expectTypeOf, test } from 'vitest';
import { AshlarError } from '../../shared/errors.ts';
import {
  documentName,
  documentRoom,
  isDocumentRoom,
  MAX_ROOM_NAME,
  parseRoomName,
  type RoomName,
  userRoom,
} from '../../shared/room-name.ts';

function refusal(value: unknown): AshlarError {
  try {
    parseRoomName(value);
  } catch (error) {
    if (error instanceof AshlarError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(value)} was taken`);
}

describe('a room name', () => {
  test.each([
    'a',
    'dashboard',
    'chat:42',
    'doc:Jahresbericht 2026',
    'doc:a/b',
    'doc:a.b',
    'user:ada@example.com',
    'doc:議事録',
    'doc:🧱',
    // Of one form in NFC, though compatible with others.
    'doc:½ Ǆ ﬁ Ⅷ',
    'doc:',
  ])('may be %j', (name) => expect(parseRoomName(name)).toBe(name));

  test('may be as long as 128 UTF-16 units, and no longer', () => {
    expect(MAX_ROOM_NAME).toBe(128);
    expect(parseRoomName('x'.repeat(128))).toHaveLength(128);
    expect(refusal('x'.repeat(129)).detail).toContain('128');
    expect(refusal('🧱'.repeat(65)).code).toBe('invalid-room');
  });

  test.each([
    ['nothing', ''],
    ['white space at its start', ' a'],
    ['white space at its end', 'a\u3000'],
    ['a line feed', 'a\nb'],
    ['a NUL', 'a\0'],
    ['a C1 control', 'a\u0085b'],
    ['a right-to-left override', 'doc:\u202efdp'],
    ['a bidi isolate', 'a\u2066b'],
    ['an Arabic letter mark', 'a\u061cb'],
    ['a shaping mark that nobody sees', 'a\u206bb'],
    ['a zero-width space', 'a\u200bb'],
    ['a word joiner', 'a\u2060b'],
    ['a byte order mark', 'a\ufeffb'],
    ['a line separator', 'a\u2028b'],
    ['half of a surrogate pair', 'a\ud83e'],
    ['a letter and an accent that are one in NFC', 'doc:cafe\u0301'],
    ['two dots', 'doc:../etc'],
    ['a star', 'doc:*'],
    ['what every object has', '__proto__'],
    ['what every object has, too', 'constructor'],
  ])('may not hold or be %s', (_what, name) => {
    expect(refusal(name)).toMatchObject({ code: 'invalid-room', message: expect.stringContaining('Invalid room name') });
  });

  test.each([undefined, null, 7, {}, ['a'], Symbol.iterator])('is a string: %s', (value) => {
    expect(refusal(value)).toMatchObject({ code: 'invalid-room', detail: 'a room name is a string' });
  });

  test('is a type of its own, which only the check makes', () => {
    expectTypeOf(parseRoomName('a')).toEqualTypeOf<RoomName>();
    expectTypeOf<RoomName>().toExtend<string>();
    expectTypeOf<string>().not.toExtend<RoomName>();
  });
});

test('a document’s room and its name lead to each other', () => {
  const room = documentRoom('handbook');
  expect(room).toBe('doc:handbook');
  expect(isDocumentRoom(room)).toBe(true);
  expect(documentName(room)).toBe('handbook');
  expect(documentName(documentRoom('doc:nested'))).toBe('doc:nested');
  expect(() => documentRoom('a*')).toThrow('Invalid room name');
  expect(() => documentRoom('x'.repeat(125))).toThrow('Invalid room name');
});

test('a document has a name: `doc:` alone is a plain room', () => {
  for (const room of ['doc:', 'docs:a', 'chat:doc:a', 'doc']) expect(isDocumentRoom(room), room).toBe(false);
});

test('a user’s room is made of the user’s id', () => {
  expect(userRoom('ada')).toBe('user:ada');
  expect(() => userRoom('a\nb')).toThrow('Invalid room name');
});
