import type { AshlarError, ErrorCode } from 'ashlar/client';

/** What a code means to the person at hand: the errors' own sentences are for developers. */
const WORDS: { readonly [Code in ErrorCode | 'other-user' | 'replaced']?: string } = {
  'access-denied': 'you may not do this',
  'auth-required': 'you are not signed in',
  'invalid-token': 'your sign-in does not hold any more',
  'other-user': 'somebody else is signed in now',
  'not-loaded': 'a part of this app did not load, it is asked for again',
  'protocol-too-new': 'the server is older than this page',
  'protocol-too-old': 'this page is older than the server, load it again',
  'queue-full': 'too much is waiting to be sent',
  'rate-limited': 'you are sending too fast',
  'read-only': 'you may only read here',
  'server-closing': 'the server is restarting',
  'storage-full': 'the server has no room left',
  'storage-unavailable': 'the server cannot save anything now',
  'token-expired': 'your sign-in is over',
  'too-large': 'it is too long',
  gone: 'it was deleted',
  replaced: 'all of it was replaced meanwhile',
  timeout: 'the server did not answer',
};
const BY_CODE: ReadonlyMap<string, string> = new Map(Object.entries(WORDS));

/** Why something failed, in words that go on after a colon. @param code as an `AshlarError` or a reset has it */
export function sayWhy(code: string): string {
  return BY_CODE.get(code) ?? `something went wrong (${code})`;
}

/** When what failed may be tried again, as a sentence. Empty: it would fail again. */
export function sayWhen(errors: readonly Pick<AshlarError, 'retry' | 'retryAfterMs'>[]): string {
  if (errors.every(({ retry }) => retry === 'never')) return '';
  const seconds = Math.ceil(Math.max(0, ...errors.map(({ retryAfterMs = 0 }) => retryAfterMs)) / 1_000);
  if (seconds === 0) return 'Try again in a moment.';
  return `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}
