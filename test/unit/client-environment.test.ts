import { expect, test, vi } from 'vitest';
import { platformEnvironment, randomWord } from '../../client/environment.ts';

test('a random word holds nothing that an address or a file name could not', () => {
  const every = { ...platformEnvironment(), randomBytes: (count: number) => Uint8Array.from({ length: count }, (_, at) => at) };
  const last = { ...every, randomBytes: (count: number) => new Uint8Array(count).fill(0xff) };
  for (const env of [every, last, platformEnvironment()]) {
    for (const length of [1, 22, 32, 256]) expect(randomWord(env, length)).toMatch(new RegExp(`^[\\w-]{${length}}$`));
  }
});

test('what is far away is not due at once: beyond 24 days a platform’s timer would be', () => {
  const set = vi.spyOn(globalThis, 'setTimeout');
  try {
    const cancel = platformEnvironment().after(60 * 86_400_000, () => {});
    const ms = set.mock.calls.at(-1)?.[1];
    cancel();
    expect(ms).toBe(2 ** 31 - 1);
  } finally {
    set.mockRestore();
  }
});
