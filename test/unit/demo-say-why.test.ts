import { expect, test } from 'vitest';
import { sayWhen, sayWhy } from '../../demo/web/shared/say-why.ts';
import { AshlarError, ERRORS } from '../../shared/errors.ts';

test('the demo’s words for an error are its own, and one that it has none for is named by its code', () => {
  expect(sayWhy('rate-limited')).toBe('you are sending too fast');
  expect(sayWhy('unknown-event')).toBe('something went wrong (unknown-event)');
  expect(sayWhy('constructor')).toBe('something went wrong (constructor)');
  for (const [code, { message }] of Object.entries(ERRORS)) expect(sayWhy(code)).not.toContain(message);
});

test('when to try again is told in seconds where the server said so, and not at all where it would be in vain', () => {
  const limited = (retryAfterMs?: number) => new AshlarError('rate-limited', { retryAfterMs });
  expect(sayWhen([limited(2_100), limited(400)])).toBe('Try again in 3 seconds.');
  expect(sayWhen([limited(900)])).toBe('Try again in 1 second.');
  expect(sayWhen([limited()])).toBe('Try again in a moment.');
  expect(sayWhen([new AshlarError('too-large')])).toBe('');
  expect(sayWhen([new AshlarError('too-large'), limited(2_000)])).toBe('Try again in 2 seconds.');
});
