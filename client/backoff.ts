export interface Backoff {
  /** Most that the first wait may take, ms. */
  baseMs: number;
  /** Most that any wait may take, ms. */
  capMs: number;
}

export const RECONNECT: Backoff = { baseMs: 500, capMs: 20_000 };

/**
 * Exponential backoff with full jitter: anything from 0 to the bound, so that clients cut off together do not come back together.
 * @param attempt from 1
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, random: number, { baseMs, capMs }: Backoff = RECONNECT): number {
  return Math.round(random * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30)));
}

/** A wait that someone else asked for: never shorter, up to half as long again, so that those told together come apart. */
export function jittered(ms: number, random: number): number {
  return Math.round(ms * (1 + random / 2));
}
