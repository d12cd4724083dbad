import type { EncodedPacket } from './encode-packet.ts';

/**
 * One receiver's bounded queue: everything that is pushed to a socket goes through here, acks too.
 * Bytes count from `offer` until the kernel has taken them.
 */
export interface Outbox {
  /**
   * Queues a packet. `full`: nothing was queued; conflate a state event, catch a log event up from the log, drop an ephemeral one.
   * Order is the order of the calls.
   */
  offer(packet: EncodedPacket): 'sent' | 'full';
  /** As `offer`, beyond the cap: for acks, refusals and the like, which are bounded by what the client asked for. */
  force(packet: EncodedPacket): void;
  /** Bytes that wait for the kernel, ours and the transport's. */
  readonly queuedBytes: number;
  /** Calls once when the queue has room again (below half of its cap). */
  whenDrained(task: () => void): void;
  readonly closed: boolean;
}
