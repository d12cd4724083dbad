import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import { fits, type RemoteKeys, type TokenKey } from './token-keys.ts';

// How long keys are taken for current; a token of a kid not seen yet asks earlier.
const REFRESH_MS = 600_000;
// However many tokens name unknown keys, their issuer is asked this often at most.
const COOLDOWN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;
// An issuer that cannot be reached must not lock everyone out; nor may a key that it withdrew hold for ever.
const MOST_STALE_MS = 86_400_000;
const TIMEOUT_MS = 5_000;
const MOST_BYTES = 256_000;
const MOST_KEYS = 100;

const KeySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(MOST_KEYS) });
const PublicJwk = z.object({
  kid: z.string().min(1).max(256),
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.literal('sig').optional(),
  alg: z.enum(['RS256', 'ES256', 'EdDSA']).optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
});

export interface RemoteKeysOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export interface FetchedKeys extends RemoteKeys {
  /** Ends the timers, and a request under way. */
  close(): void;
}

/**
 * Where keys are fetched from: the URL that the operator wrote down, and no other, whatever a token's header says.
 * @throws AshlarError `invalid-options`: not https (or http of this machine itself), or with a user or password in it
 */
export function checkKeysUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const local = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && local);
  if (url === null || !secure || url.username !== '' || url.password !== '')
    throw new AshlarError('invalid-options', { detail: 'jwtJwksUrl: an https URL without a user in it' });
  return url;
}

/**
 * A JSON Web Key Set by URL, fetched in the background: at the start, every ten minutes, and when a token names a key that is not known
 * (twice a minute at most). A request that fails is tried again with backoff, while the keys known go on for a day. Redirects are not followed.
 */
export function createRemoteKeys({ url, clock, fetch, log }: RemoteKeysOptions): FetchedKeys {
  const { href } = checkKeysUrl(url);
  let keys: ReadonlyMap<string, TokenKey> = new Map();
  let succeededAt: number | null = null;
  let startedAt = clock.monotonic();
  let failures = 0;
  let running: AbortController | null = null;
  let closed = false;
  let cancel = () => {};

  const later = (ms: number) => {
    cancel();
    cancel = clock.after(ms, refresh);
  };
  const refresh = () => {
    if (closed || running !== null) return;
    cancel();
    const own = new AbortController();
    running = own;
    startedAt = clock.monotonic();
    const cancelTimeout = clock.after(TIMEOUT_MS, () => own.abort());
    readKeySet(fetch, href, own.signal)
      .then(
        (fetched) => {
          keys = fetched;
          succeededAt = clock.monotonic();
          failures = 0;
          log.info({ kids: [...fetched.keys()] }, 'auth:keys-fetched');
        },
        (error: unknown) => {
          failures += 1;
          if (!closed) log.warn({ failures, reason: reasonOf(error) }, 'auth:keys-failed');
        },
      )
      .finally(() => {
        cancelTimeout();
        running = null;
        if (!closed) later(failures === 0 ? REFRESH_MS : Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)));
      });
  };
  refresh();

  return {
    find(kid) {
      const now = clock.monotonic();
      const current = succeededAt !== null && now - succeededAt < MOST_STALE_MS;
      const known = current ? keys.get(kid) : undefined;
      if (known !== undefined) return known;
      if (running === null && failures === 0 && now - startedAt >= COOLDOWN_MS) refresh();
      return running !== null || !current ? 'pending' : undefined;
    },
    close() {
      closed = true;
      cancel();
      running?.abort();
    },
  };
}

async function readKeySet(
  fetch: RemoteKeysOptions['fetch'],
  url: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TokenKey>> {
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (!response.ok) {
    await response.body?.cancel();
    throw new AshlarError('internal', { detail: `status ${response.status}` });
  }
  const set = KeySet.safeParse(JSON.parse(await readBounded(response)));
  if (!set.success) throw new AshlarError('internal', { detail: 'not a JSON Web Key Set' });
  const keys = new Map<string, TokenKey>();
  for (const jwk of set.data.keys) {
    const key = readJwk(jwk);
    // The first of a kid counts; keys for other uses stand in the same set and are passed over.
    if (key !== null && !keys.has(key.kid)) keys.set(key.kid, key);
  }
  if (keys.size === 0) throw new AshlarError('internal', { detail: 'no key in it that signs with RS256, ES256 or EdDSA' });
  return keys;
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new AshlarError('internal', { detail: `more than ${MOST_BYTES} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const ALGORITHM_OF = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' } as const;

function readJwk(input: Record<string, unknown>): TokenKey | null {
  const parsed = PublicJwk.safeParse(input);
  if (!parsed.success) return null;
  const { kid, kty, crv, x, y, n, e, alg } = parsed.data;
  const algorithm = ALGORITHM_OF[kty];
  if (alg !== undefined && alg !== algorithm) return null;
  let key: KeyObject;
  try {
    // Only the public members: a set that shows a private key is not made use of.
    key = createPublicKey({ key: JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })), format: 'jwk' });
  } catch {
    return null;
  }
  return fits(algorithm, key) ? { kid, algorithm, key } : null;
}

function reasonOf(error: unknown): string {
  if (error instanceof AshlarError) return error.detail ?? error.code;
  if (error instanceof SyntaxError) return 'not JSON';
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error as Error).name;
}
