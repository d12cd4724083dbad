import { expect, test } from 'vitest';
import { parseDuration } from '../../server/cli/parse-duration.ts';

test.each([
  ['90s', 90],
  ['30m', 1_800],
  ['12h', 43_200],
  ['7d', 604_800],
  ['999999d', 86_399_913_600],
])('%s are %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each(['', '12', 'h', '0h', '-1h', '1.5h', '12H', '12hours', '1h30m', '1y', ' 1h', '1h ', '1w', '1000000s', '1e3s', '٣h'])(
  '%j is no duration, and what is one is said',
  (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ code: 'invalid-options', detail: expect.stringContaining('allowed: such as 90s, 30m, 12h, 7d') }),
    );
  },
);
