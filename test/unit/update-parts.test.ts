import { expect, test } from 'vitest';
import { type UpdatePart, UpdateParts } from '../../server/documents/update-parts.ts';
import type { AshlarError } from '../../shared/errors.ts';

const part = (index: number, changes: Partial<UpdatePart> = {}): UpdatePart => ({
  counter: 1,
  full: false,
  index,
  count: 3,
  bytes: Uint8Array.of(index, index),
  ...changes,
});

function codeOf(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    return (error as AshlarError).code;
  }
  return 'taken';
}

test('an update is whole with its last part, and nothing of it is held then', () => {
  const parts = new UpdateParts(6);
  const buffer = Uint8Array.of(0, 0);
  expect(parts.add(part(0, { bytes: buffer }))).toBeNull();
  buffer.fill(9);
  expect(parts.add(part(1))).toBeNull();
  expect(parts.bytes).toBe(4);
  expect(parts.add(part(2)), 'the transport’s buffer may be used again').toEqual(Uint8Array.of(0, 0, 1, 1, 2, 2));
  expect(parts.bytes).toBe(0);
});

test.each<[string, UpdatePart, string]>([
  ['one that is missing', part(2), 'counter-gap'],
  ['one of another update', part(1, { counter: 2 }), 'counter-gap'],
  ['one that says that the update is full', part(1, { full: true }), 'counter-gap'],
  ['one that counts otherwise', part(1, { count: 2 }), 'counter-gap'],
  ['one that is too much', part(1, { bytes: new Uint8Array(5) }), 'too-large'],
])('with %s all of it is let go, and it may begin again', (_, wrong, code) => {
  const parts = new UpdateParts(6);
  parts.add(part(0));
  expect(codeOf(() => parts.add(wrong))).toBe(code);
  expect(parts.bytes).toBe(0);
  expect(codeOf(() => parts.add(part(1)))).toBe('counter-gap');
  for (const index of [0, 1]) parts.add(part(index));
  expect(parts.add(part(2))).toHaveLength(6);
});

test('a first part lets go of an update that was begun before it', () => {
  const parts = new UpdateParts(6);
  parts.add(part(0, { counter: 1 }));
  parts.add(part(0, { counter: 2, full: true, count: 2 }));
  expect(parts.add(part(1, { counter: 2, full: true, count: 2 }))).toHaveLength(4);
});
