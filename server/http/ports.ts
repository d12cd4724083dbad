import type { User } from '../../shared/user.ts';

/** What the HTTP API needs from the platform. Everything thrown is an `AshlarError`; its code decides the status. */
export interface HttpPorts {
  /**
   * The guard's HTTP entrance: verifies the bearer token, charges budgets, authorizes. A publish asks twice: before its body is
   * read (cost 1), and again for the other events once they are counted, so that no stranger makes us parse anything.
   * @throws AshlarError `auth-required`, `invalid-token`, `token-expired`, `access-denied`, `rate-limited`
   */
  admit(request: AdmitRequest): Promise<User>;
  /**
   * Publishes all or none: everything is checked before anything is taken. Resolves when each delivery class's promise holds.
   * @param idempotencyKey committed together with its effect: a repeat gets the first answer, also after a restart; a concurrent
   *   repeat waits
   * @returns one answer per event, in order
   * @throws AshlarError `idempotency-conflict` where the key was used with other events
   */
  publish(user: User, events: readonly PublishRequest[], idempotencyKey: string | undefined): Promise<readonly PublishAnswer[]>;
  /** Who is connected, and how many members each room has. */
  stats(): ServerStats;
  /** What Prometheus reads. */
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  /** Proves that the store can write. @throws AshlarError */
  ready(): Promise<void>;
}

export interface AdmitRequest {
  readonly token: string | undefined;
  readonly action: 'publish' | 'stats';
  /** Events to charge. */
  readonly cost: number;
  /** The sender's network address. */
  readonly address: string;
}

/** An event of the backend. Neither `room` nor `userId`: broadcast. */
export interface PublishRequest {
  readonly event: string;
  readonly data: unknown;
  readonly room?: string;
  readonly userId?: string;
}

/** Where an event went; `seq` and `epoch` for what was logged. */
export interface PublishAnswer {
  readonly event: string;
  readonly room: string;
  readonly seq?: number;
  readonly epoch?: string;
}

export interface ServerStats {
  readonly totalConnections: number;
  readonly totalUsers: number;
  /** Room → members. */
  readonly rooms: Readonly<Record<string, number>>;
}
