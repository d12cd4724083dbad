import type { Logger } from 'pino';
import type { Access } from '../shared/access.ts';
import type { AshlarError, ErrorCode } from '../shared/errors.ts';
import type { Clock } from './clock.ts';
import { createTokenBucket, type TokenBucket } from './guard/token-bucket.ts';
import type { Connection } from './rooms/connection.ts';
import type { Erasure } from './storage/store.ts';

// One socket's refusals, however many it provokes: the rest is counted, and the count stands in the next line.
const REFUSALS_PER_MINUTE = 60;

/** What a refusal says about who may do what. The other codes are about form and amount, and are counted by the metrics. */
const ABOUT_ACCESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'access-denied',
  'access-check-failed',
  'foreign-client-id',
  'invalid-token',
  'origin-refused',
  'read-only',
  'token-expired',
]);

/** Who changed access: a user over a socket, or the backend's own code. */
export type ChangedBy = Connection | 'backend';

/**
 * The audit log: who came in, who was refused, who gave and took access. One record each, at level `info` whatever the level of the rest, with
 * a stable name (`audit:…`, listed in docs/security.md). Ids, rooms, levels and codes only: never a token, a secret, a payload or an error's detail.
 */
export class Audit {
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #refusals = new WeakMap<Connection, { readonly bucket: TokenBucket; suppressed: number }>();

  constructor(log: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#log = log.level === 'silent' ? log : log.child({ audit: true }, { level: 'info' });
    this.#clock = clock;
  }

  /** A socket was accepted. */
  connected(connection: Connection, address: string): void {
    this.#log.info({ ...who(connection), address, expiresAt: connection.expiresAt }, 'audit:connected');
  }

  /** A handshake was refused. Those that only came too often are not: they would be the attacker's to multiply. */
  handshakeRefused(address: string, { code }: AshlarError): void {
    if (code !== 'rate-limited') this.#log.info({ address, code }, 'audit:handshake-refused');
  }

  /** A token was replaced on the open connection. */
  renewed(connection: Connection): void {
    this.#log.info({ ...who(connection), expiresAt: connection.expiresAt }, 'audit:token-renewed');
  }

  /** A token ended, and its connection with it. */
  expired(connection: Connection): void {
    this.#log.info(who(connection), 'audit:token-expired');
  }

  join(connection: Connection, room: string, access: Access): void {
    this.#log.info({ ...who(connection), room, access }, 'audit:join');
  }

  /** A membership ended, whatever ended it. */
  leave(connection: Connection, room: string): void {
    this.#log.info({ ...who(connection), room }, 'audit:leave');
  }

  /** A message was refused. `message`: its name. */
  refused(connection: Connection, message: string, code: ErrorCode, room: string | undefined): void {
    if (!ABOUT_ACCESS.has(code)) return;
    const own = this.#refusals.get(connection) ?? { bucket: this.#bucket(), suppressed: 0 };
    this.#refusals.set(connection, own);
    if (!own.bucket.take(1).ok) {
      own.suppressed += 1;
      return;
    }
    const { suppressed } = own;
    own.suppressed = 0;
    this.#log.info({ ...who(connection), message, room, code, ...(suppressed > 0 ? { suppressed } : {}) }, 'audit:refused');
  }

  /** An HTTP request was refused before its body was read. */
  httpRefused(address: string, action: string, { code }: AshlarError, userId: string | undefined): void {
    if (ABOUT_ACCESS.has(code) || code === 'auth-required')
      this.#log.info({ address, action, userId, code }, 'audit:http-refused');
  }

  /** Access was stored (or could not be: then what it took away stays away, and what it gave was not given). */
  changed(by: ChangedBy, change: { room: string; userId: string; access: Access; stored: boolean }): void {
    const fields = { by: by === 'backend' ? null : by.user.id, ...change };
    this.#log.info(fields, change.access === 'none' ? 'audit:revoke' : 'audit:grant');
  }

  /** A user was erased. The one record that must name the user still: it says what to do again after an older backup was put back. */
  erased(userId: string, erasure: Erasure): void {
    this.#log.info({ userId, erasure }, 'audit:erased');
  }

  #bucket(): TokenBucket {
    return createTokenBucket({ ratePerSecond: REFUSALS_PER_MINUTE / 60, burst: REFUSALS_PER_MINUTE }, this.#clock);
  }
}

function who(connection: Connection): { userId: string; socketId: string } {
  return { userId: connection.user.id, socketId: connection.id };
}
