import type { ClientFrame } from '../../shared/document-frame.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { backoffMs, jittered } from '../backoff.ts';
import type { Environment } from '../environment.ts';
import { type Numbered, Outbox } from './outbox.ts';

export interface SenderPorts {
  send(frame: ClientFrame): void;
  readonly env: Pick<Environment, 'now' | 'random' | 'after'>;
}

// Updates under way at once: enough for a round trip of 200 ms at 150 updates/s, and little enough that what waits is merged.
const MAX_IN_FLIGHT = 32;
const MAX_IN_FLIGHT_BYTES = 1_000_000;
// One update is merged from at most this much, so that it stays one or a few frames.
const MAX_MERGED_BYTES = 200_000;
// Faster than anybody types or drags: what follows an update within this time is a burst.
const BURST_MS = 10;
const RESEND = { baseMs: 200, capMs: 30_000 };

/** Sends a session's updates by their counters: several under way, from the right one on after a refusal, each answer counted once. */
export class UpdateSender {
  readonly outbox = new Outbox();
  readonly #ports: SenderPorts;
  /** Asked to send again after a hold. */
  readonly #onReady: () => void;
  #acknowledged = 0;
  /** The counter to send next. */
  #next = 1;
  /** Copies sent in this membership and not answered, by counter, oldest first. The server answers in order. */
  readonly #unanswered = new Map<number, Numbered[]>();
  #sentAt = 0;
  #refusals = 0;
  #holdUntil = 0;
  #cancelHold: (() => void) | null = null;
  /** It holds for nothing but an update before: once that is taken, it is over. */
  #waitsForTurn = false;

  constructor(ports: SenderPorts, onReady: () => void) {
    this.#ports = ports;
    this.#onReady = onReady;
  }

  /**
   * A join was answered: what is saved leaves the outbox, the rest goes again.
   * @returns whether the server lost what it had acknowledged
   */
  start(saved: number): { lost: boolean } {
    const lost = saved < this.#acknowledged;
    this.outbox.acknowledge(saved);
    const first = this.outbox.numbered[0]?.counter ?? this.outbox.lastCounter + 1;
    if (first !== saved + 1) this.outbox.countFrom(saved);
    this.#acknowledged = saved;
    this.#next = saved + 1;
    return { lost };
  }

  /** Out of the room: nothing under way will be answered. */
  stop(): void {
    this.#unanswered.clear();
    this.#endHold();
  }

  /** The server will count a new session's updates: from 1. */
  startOver(): void {
    this.#acknowledged = 0;
    this.outbox.countFrom(0);
  }

  /** @returns false where that was known */
  acknowledge(counter: number): boolean {
    if (counter <= this.#acknowledged) return false;
    this.#acknowledged = counter;
    this.#refusals = 0;
    this.outbox.acknowledge(counter);
    // Nothing was sent from there on since: what was refused was so for what is saved now.
    if (this.#waitsForTurn && this.#next === counter + 1) this.#endHold();
    this.#next = Math.max(this.#next, counter + 1);
    for (const answered of this.#unanswered.keys()) if (answered <= counter) this.#unanswered.delete(answered);
    return true;
  }

  /**
   * Takes note that the oldest copy under a counter was answered, and tells whether that decides: not where the update is saved
   * or was replaced since (a second answer to a `gap` would send other bytes under a counter that the server may have taken), nor
   * where another copy is on its way.
   */
  concernsLatest(counter: number): boolean {
    const copies = this.#unanswered.get(counter);
    const answered = copies?.shift();
    return answered !== undefined && copies?.length === 0 && answered === this.outbox.at(counter);
  }

  /**
   * Sends nothing for a while, then from `counter` on again: sooner where all that is refused waits for its turn (`counter-gap`) and that comes.
   * @param retryAfterMs 0: the server leaves it to us
   */
  hold(counter: number, code: ErrorCode, retryAfterMs: number): void {
    this.#waitsForTurn = code === 'counter-gap' && (this.#waitsForTurn || this.#cancelHold === null);
    this.#next = Math.min(this.#next, counter);
    const random = this.#ports.env.random();
    const wait = retryAfterMs > 0 ? jittered(retryAfterMs, random) : 20 + backoffMs(++this.#refusals, random, RESEND);
    const until = this.#ports.env.now() + wait;
    // Several updates under way are refused one after the other: the longest wait counts.
    if (until <= this.#holdUntil) return;
    this.#holdUntil = until;
    this.#cancelHold?.();
    this.#cancelHold = this.#ports.env.after(wait, () => {
      this.#endHold();
      this.#onReady();
    });
  }

  #endHold(): void {
    this.#holdUntil = 0;
    this.#cancelHold?.();
    this.#cancelHold = null;
  }

  /** Puts a full step under `counter`, for it and all above. What is numbered below stays: the server may have it queued. */
  replace(counter: number, update: Uint8Array | null): void {
    this.outbox.replace(counter, update);
    this.#next = Math.min(this.#next, counter);
  }

  /** How long, ms, what is edited now had better wait for what is edited next: 0 but in a burst of which something is under way. */
  get restMs(): number {
    const since = this.#ports.env.now() - this.#sentAt;
    // Negative where the clock was put back.
    return this.#unanswered.size > 0 && since >= 0 ? Math.max(0, BURST_MS - since) : 0;
  }

  /** Sends what may go now. */
  flush(): void {
    if (this.#cancelHold !== null) return;
    for (;;) {
      const inFlight = this.outbox.numbered.filter((entry) => entry.counter < this.#next);
      const bytes = inFlight.reduce((sum, entry) => sum + entry.update.length, 0);
      if (inFlight.length >= MAX_IN_FLIGHT || bytes >= MAX_IN_FLIGHT_BYTES) return;
      const entry = this.outbox.at(this.#next) ?? this.outbox.number(MAX_MERGED_BYTES);
      if (entry === undefined) return;
      this.#next = entry.counter + 1;
      this.#unanswered.set(entry.counter, [...(this.#unanswered.get(entry.counter) ?? []), entry]);
      this.#sentAt = this.#ports.env.now();
      this.#ports.send({ type: 'update', counter: entry.counter, full: entry.full, update: entry.update });
    }
  }
}
