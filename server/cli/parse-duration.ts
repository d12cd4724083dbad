import { AshlarError } from '../../shared/errors.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `12h` → 43,200 (seconds). @throws AshlarError `invalid-options` */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit ?? ''] ?? 0);
  if (seconds > 0) return seconds;
  throw new AshlarError('invalid-options', {
    detail: `--expires is ${JSON.stringify(text)}; allowed: such as 90s, 30m, 12h, 7d`,
  });
}
