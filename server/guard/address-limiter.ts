import type { Clock } from '../clock.ts';
import type { Limits } from '../options.ts';
import { addressKey } from './client-address.ts';
import { createTokenBucket, type Taken, type TokenBucket } from './token-bucket.ts';

/** Addresses whose refused handshakes are remembered at once. */
const MAX_ADDRESSES = 10_000;

/**
 * Limits before anyone is known: by address (IPv6: by /64). Refused handshakes cost; accepted ones are free, so that an office
 * behind one address is not locked out by coming in together.
 */
export interface AddressLimiter {
  /** Whether a handshake may go on: neither too many refusals lately, nor too many open connections, its own among them. Counts nothing. */
  check(address: string): Taken;
  /** Counts a refused handshake. */
  refused(address: string): void;
  /** Counts an open connection, until the returned function is called (again: nothing). */
  opened(address: string): () => void;
  /** Addresses held in memory: those with an open connection, and those refused lately (10,000 at most). */
  readonly size: number;
}

/** Too many connections have no time at which they end; the client's own backoff takes over from here. */
const CONNECTIONS_RETRY_MS = 10_000;

/** Makes the limiter. @param maxAddresses refusals remembered; beyond it the address refused longest ago is forgiven */
export function createAddressLimiter(
  limits: Pick<Limits, 'handshakesPerMinute' | 'connectionsPerAddress'>,
  clock: Pick<Clock, 'monotonic'>,
  maxAddresses = MAX_ADDRESSES,
): AddressLimiter {
  const { handshakesPerMinute, connectionsPerAddress } = limits;
  /** By the latest refusal, oldest first. */
  const refusals = new Map<string, TokenBucket>();
  const open = new Map<string, number>();

  return {
    check(address) {
      const key = addressKey(address);
      if ((open.get(key) ?? 0) > connectionsPerAddress) return { ok: false, retryAfterMs: CONNECTIONS_RETRY_MS };
      const retryAfterMs = refusals.get(key)?.wait(1) ?? 0;
      return retryAfterMs === 0 ? { ok: true } : { ok: false, retryAfterMs };
    },
    refused(address) {
      const key = addressKey(address);
      const bucket =
        refusals.get(key) ?? createTokenBucket({ ratePerSecond: handshakesPerMinute / 60, burst: handshakesPerMinute }, clock);
      bucket.spend(1);
      refusals.delete(key);
      refusals.set(key, bucket);
      // Oldest first: those that have paid off go, and beyond the cap the oldest whatever it owes. Two steps per refusal keep the
      // map as small as it can be, at a constant price.
      let steps = 0;
      for (const [oldest, owing] of refusals) {
        if (oldest === key || (refusals.size <= maxAddresses && (steps === 2 || !owing.full))) break;
        refusals.delete(oldest);
        steps++;
      }
    },
    opened(address) {
      const key = addressKey(address);
      open.set(key, (open.get(key) ?? 0) + 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      };
    },
    get size() {
      return open.size + refusals.size;
    },
  };
}
