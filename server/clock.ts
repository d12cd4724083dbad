/** Time and chance, as arguments: so that a test runs an hour in a millisecond. */
export interface Clock {
  /** Unix ms: for people and for records. May jump. */
  now(): number;
  /** Monotonic ms: for limits, leases and timeouts. */
  monotonic(): number;
  /** Runs `task` once after `ms`; beyond 24.8 days it is re-armed in steps. The returned function cancels. */
  after(ms: number, task: () => void): () => void;
  /** `bytes` random bytes, for epochs, ids and secrets. */
  randomBytes(bytes: number): Uint8Array;
}
