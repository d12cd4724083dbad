import { describe, expect, expectTypeOf, test } from 'vitest';
import { AshlarError, ERRORS, type ErrorCode, invariant, type Retry, type WireError } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';

describe('the table', () => {
  test('holds stable codes: kebab-case words, each with a sentence of its own line and an HTTP status', () => {
    expect(Object.keys(HTTP_STATUS)).toEqual(Object.keys(ERRORS));
    for (const [code, { message }] of Object.entries(ERRORS)) {
      const status = HTTP_STATUS[code as ErrorCode];
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(message, code).toMatch(/^[A-Z][^\n]*[^.\n]$/);
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
    }
  });

  test('says of each code what to do', () => {
    const words: readonly Retry[] = ['never', 'later', 'new-token', 'rejoin'];
    for (const [code, { retry }] of Object.entries(ERRORS)) expect(words, code).toContain(retry);
    expectTypeOf<(typeof ERRORS)[ErrorCode]['retry']>().toEqualTypeOf<Retry>();
  });

  test('keeps the sentences that existing frontends compare', () => {
    expect(ERRORS['auth-required'].message).toBe('Authentication required');
    expect(ERRORS['invalid-token'].message).toBe('Invalid token');
    expect(ERRORS['token-expired'].message).toBe('Invalid token');
    expect(ERRORS['access-denied'].message).toBe('Access denied');
    expect(ERRORS['rate-limited'].message).toBe('Rate limit exceeded');
  });

  test('sends every 401 for a new token, and lets nobody wait for what will never be', () => {
    for (const [code, { retry }] of Object.entries(ERRORS)) {
      expect(retry === 'new-token', code).toBe(HTTP_STATUS[code as ErrorCode] === 401);
    }
  });
});

describe('an error', () => {
  const error = new AshlarError('rate-limited', {
    detail: 'chat',
    retryAfterMs: 250,
    room: 'chat:1',
    cause: new Error('secret'),
  });

  test('says its sentence, with the detail behind it, and keeps its cause to itself', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'AshlarError',
      code: 'rate-limited',
      retry: 'later',
      message: 'Rate limit exceeded: chat',
    });
    expect(new AshlarError('gone').message).toBe('This document was deleted');
    expect(JSON.stringify(error.toWire())).not.toContain('secret');
  });

  test('travels with the table’s sentence, and with what it has', () => {
    expect(error.toWire()).toEqual({
      code: 'rate-limited',
      message: 'Rate limit exceeded',
      retryAfterMs: 250,
      room: 'chat:1',
      detail: 'chat',
    });
    expect(new AshlarError('gone').toWire()).toEqual({ code: 'gone', message: 'This document was deleted' });
  });

  test('is the same at the other end', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const sent = new AshlarError(code, { detail: 'd', retryAfterMs: 0, room: 'r' });
      const read = AshlarError.fromWire(JSON.parse(JSON.stringify(sent.toWire())));
      expect(read.toWire()).toEqual(sent.toWire());
    }
  });

  test.each([
    null,
    undefined,
    'rate-limited',
    7,
    [],
    {},
    { code: 'quite-new' },
    { code: 'toString' },
    { code: '__proto__' },
    { code: 7, message: 'x' },
  ])('that nobody knows is an internal one: %j', (wire) => {
    expect(AshlarError.fromWire(wire)).toMatchObject({ code: 'internal', retry: 'later' });
  });

  test('takes no field of another type from the wire', () => {
    const read = AshlarError.fromWire({ code: 'gone', detail: 7, retryAfterMs: '5', room: {} });
    expect(read.toWire()).toEqual({ code: 'gone', message: 'This document was deleted' });
  });

  test('of any kind becomes one of ours, with its cause; ours stays itself', () => {
    const thrown = new TypeError('x is not a function');
    expect(AshlarError.from(thrown)).toMatchObject({ code: 'internal', cause: thrown });
    expect(AshlarError.from(thrown, 'invalid-token').code).toBe('invalid-token');
    expect(AshlarError.from('a string').cause).toBe('a string');
    expect(AshlarError.from(error)).toBe(error);
  });

  test('[8] has a code of the table', () => {
    // @ts-expect-error there is no such code
    expect(() => new AshlarError('no-such-code')).toThrow();
    expectTypeOf<WireError['code']>().toEqualTypeOf<ErrorCode>();
  });
});

test('a broken invariant is ours, with its facts; one that holds is silent and tells the compiler', () => {
  expect(() => invariant(false, 'a log has no gap', { seq: 3 })).toThrow('broken invariant: a log has no gap {"seq":3}');
  const find = (): number | undefined => 2;
  const found = find();
  invariant(found !== undefined, 'two is there');
  expectTypeOf(found).toEqualTypeOf<number>();
});
