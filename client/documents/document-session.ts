import type { Access } from '../../shared/access.ts';
import type { ClientFrame, ServerFrame } from '../../shared/document-frame.ts';
import { AshlarError, ERRORS } from '../../shared/errors.ts';
import type { JoinAnswer, JoinOptions } from '../../shared/messages.ts';
import type { Position } from '../../shared/position.ts';
import { backoffMs, jittered } from '../backoff.ts';
import type { DocumentStatus, ResetReason } from './document-status.ts';
import { mergeInTree } from './merge-updates.ts';
import { type Numbered, Outbox } from './outbox.ts';
import type { Replica } from './replica.ts';
import { assemble, isWhole, type StateFrame, type StateTransfer, takeChunk } from './state-transfer.ts';

/** What a session needs of the world. No sockets, no clock of its own. */
export interface SessionPorts {
  readonly replica: Replica;
  /** Joins the room; the answer is given before any frame that the server sent after it. */
  join(options: JoinOptions, onAnswer: (error: AshlarError | null, answer: unknown) => void): void;
  send(frame: ClientFrame): void;
  now(): number;
  random(): number;
  after(ms: number, task: () => void): () => void;
  /** A fresh secret, and a fresh Yjs client id. */
  drawSecret(): string;
  drawClientId(): number;
  /** Status, access or the outbox changed. */
  changed(): void;
  /** The server refused something; what to do about it is decided here. */
  error(error: AshlarError): void;
  /** Client and server cannot agree: the session is over. */
  failed(reason: ResetReason): void;
}

type Phase = 'offline' | 'joining' | 'loading' | 'live' | 'waiting' | 'refused' | 'over';

// Updates under way at once: enough for a round trip of 200 ms at 150 updates/s, and little enough that what waits is merged.
const MAX_IN_FLIGHT = 32;
const MAX_IN_FLIGHT_BYTES = 1_000_000;
// One update is merged from at most this much, so that it stays one or a few frames.
const MAX_MERGED_BYTES = 200_000;
const JOIN_RETRY = { baseMs: 1_000, capMs: 30_000 };
const RESEND = { baseMs: 200, capMs: 30_000 };
const MAX_GAPS = 4;

/** One Y.Doc's conversation with the server: its identity, its place in the log, and what is not saved yet. */
export class DocumentSession {
  readonly outbox = new Outbox();
  readonly #ports: SessionPorts;
  #secret: string;
  #clientId: number;
  #phase: Phase = 'offline';
  #refusal: AshlarError | null = null;
  #access: Access | null = null;
  #position: Position | null = null;
  #incarnation: string | null = null;
  /** `seq` of the newest record at the last join: with it everything that others saved before is here. */
  #head = 0;
  #everSynced = false;
  /** The content holds something that came neither from the server nor through the outbox. */
  #foreignContent: boolean;
  /** The server may lack what it once had: a full step follows the load. */
  #fullStepDue = false;
  /** The first sync under way: the server's state vector, and what came so far. */
  #firstSync: { stateVector: Uint8Array; updates: Uint8Array[] } | null = null;
  #transfer: StateTransfer | null = null;
  /** Frames that came before the state was whole. */
  #early: ServerFrame[] = [];
  #acknowledged = 0;
  /** The counter to send next. */
  #next = 1;
  /** Copies sent in this membership and not answered, by counter, oldest first. The server answers in order. */
  readonly #unanswered = new Map<number, Numbered[]>();
  #join = 0;
  #joinFailures = 0;
  #refusals = 0;
  #gaps = 0;
  #holdUntil = 0;
  #cancelHold: (() => void) | null = null;
  #cancelFlush: (() => void) | null = null;
  #cancelJoin: (() => void) | null = null;

  /** @param foreignContent the document held content before the session began */
  constructor(ports: SessionPorts, foreignContent: boolean) {
    this.#ports = ports;
    this.#secret = ports.drawSecret();
    this.#clientId = ports.replica.clientId;
    this.#foreignContent = foreignContent;
  }

  get status(): DocumentStatus {
    switch (this.#phase) {
      case 'offline':
        return { state: 'offline' };
      case 'loading':
        return { state: 'syncing', received: this.#transfer?.chunks.length ?? 0, total: this.#transfer?.first.count ?? 0 };
      case 'live':
        return this.#caughtUp && this.#everSynced ? { state: 'synced' } : { state: 'syncing', received: 0, total: 0 };
      case 'refused':
        return { state: 'refused', error: this.#refusal ?? new AshlarError('access-denied') };
      default:
        return { state: 'joining' };
    }
  }

  get access(): Access | null {
    return this.#access;
  }

  get position(): Position | null {
    return this.#position;
  }

  /** The id that this session writes under, as the server knows it. */
  get clientId(): number {
    return this.#clientId;
  }

  /** Whether the session is in the room: awareness may be sent. */
  get inRoom(): boolean {
    return this.#phase === 'loading' || this.#phase === 'live';
  }

  connected(): void {
    if (this.#phase === 'over' || this.#phase === 'joining' || this.inRoom) return;
    this.#joinFailures = 0;
    this.#sendJoin();
  }

  disconnected(): void {
    if (this.#phase === 'over') return;
    this.#leaveRoom('offline');
    this.#ports.changed();
  }

  /** Ends the session: nothing is sent or taken from here on. */
  close(): void {
    this.#leaveRoom('over');
  }

  /** @param local false: the update came from another provider on the same document */
  localUpdate(update: Uint8Array, local: boolean): void {
    if (this.#phase === 'over') return;
    if (!local && !this.#everSynced) this.#foreignContent = true;
    this.outbox.add(update);
    // After the tick: a burst of transactions becomes one update.
    this.#cancelFlush ??= this.#ports.after(0, () => {
      this.#cancelFlush = null;
      this.#flush();
    });
    this.#ports.changed();
  }

  /** The server told that the user's access changed. */
  accessChanged(access: Access): void {
    if (!this.inRoom) return;
    this.#access = access;
    if (access === 'none') {
      this.#refuse(new AshlarError('access-denied'));
      return;
    }
    this.#ports.changed();
  }

  frame(frame: ServerFrame): void {
    if (!this.inRoom) return;
    if (this.#phase === 'loading' && (frame.type === 'committed' || frame.type === 'saved')) {
      this.#early.push(frame);
      return;
    }
    switch (frame.type) {
      case 'state':
        this.#onState(frame);
        break;
      case 'committed':
        this.#onCommitted(frame);
        break;
      case 'saved':
        this.#onSaved(frame);
        break;
      case 'refused':
        this.#onRefused(frame);
        break;
      case 'gap':
        this.#onGap(frame);
        break;
      case 'reset':
        this.#fail(frame.reason);
        break;
      case 'awareness':
        break;
    }
  }

  /** The server does not count us a member any more. */
  rejoin(): void {
    if (this.inRoom) this.#rejoinAfterBackoff();
  }

  get #caughtUp(): boolean {
    return this.#position !== null && this.#position.seq >= this.#head;
  }

  /** Nothing is sent before the first sync is whole, nor before a full step that is due. */
  get #maySend(): boolean {
    return this.#everSynced && !this.#fullStepDue;
  }

  #sendJoin(): void {
    this.#leaveRoom('joining');
    // A sync that was not whole starts over: what it brought is no ground to send from.
    if (!this.#maySend) this.#position = null;
    if (this.#ports.replica.clientId !== this.#clientId) this.#newIdentity();
    const join = this.#join;
    const place = this.#position === null ? {} : { epoch: this.#position.epoch, seq: this.#position.seq };
    this.#ports.join({ ...place, clientId: this.#clientId, session: this.#secret }, (error, answer) => {
      if (join !== this.#join) return;
      if (error === null) this.#onJoined(answer as JoinAnswer);
      else this.#onJoinRefused(error);
    });
    this.#ports.changed();
  }

  #onJoined(answer: JoinAnswer): void {
    const incarnation = answer.incarnation ?? null;
    if (this.#incarnation !== null && incarnation !== this.#incarnation) {
      this.#fail('replaced');
      return;
    }
    this.#incarnation = incarnation;
    this.#access = answer.access;
    const saved = answer.saved ?? 0;
    // Told to be on disk, and gone: the log went back, though not beyond our position.
    const lost = saved < this.#acknowledged;
    this.outbox.acknowledge(saved);
    const first = this.outbox.numbered[0]?.counter ?? this.outbox.lastCounter + 1;
    if (first !== saved + 1) this.outbox.countFrom(saved);
    this.#acknowledged = saved;
    this.#next = saved + 1;
    this.#gaps = 0;
    this.#head = answer.head;
    if (lost) this.#fullStepDue = true;
    if (lost && answer.recovered) {
      this.#sendJoin();
      return;
    }
    if (answer.recovered) {
      this.#phase = 'live';
      this.#position = { epoch: answer.epoch, seq: answer.seq };
      this.#settle();
    } else {
      this.#phase = 'loading';
      this.#fullStepDue ||= this.#everSynced && answer.reason !== 'expired' && answer.reason !== 'overflow';
      this.#ports.send({ type: 'sync', stateVector: this.#ports.replica.stateVector() });
    }
    this.#ports.changed();
  }

  #onJoinRefused(error: AshlarError): void {
    switch (error.code) {
      case 'not-connected':
        return;
      case 'gone':
        this.#fail('gone');
        return;
      case 'id-in-use':
      case 'foreign-client-id':
        if (this.#ports.replica.hasOwnContent()) this.#fail(error.code);
        else this.#takeNewId();
        return;
      default:
        if (error.retry === 'later' || error.retry === 'rejoin') {
          this.#rejoinAfterBackoff(error.retryAfterMs);
          if (error.code !== 'rate-limited') this.#ports.error(error);
        } else this.#refuse(error);
    }
  }

  // Nothing was written under the old id, so changing it in place leaves nothing behind.
  #takeNewId(): void {
    this.#ports.replica.takeClientId(this.#ports.drawClientId());
    this.#rejoinAfterBackoff();
  }

  #newIdentity(): void {
    this.#clientId = this.#ports.replica.clientId;
    this.#secret = this.#ports.drawSecret();
    this.#acknowledged = 0;
    this.outbox.countFrom(0);
  }

  #refuse(error: AshlarError): void {
    this.#leaveRoom('refused');
    this.#refusal = error;
    this.#ports.error(error);
    this.#ports.changed();
  }

  #rejoinAfterBackoff(retryAfterMs = 0): void {
    this.#leaveRoom('waiting');
    const failures = this.#joinFailures++;
    // The first time at once: one lost frame should not show.
    const backoff = failures === 0 ? 0 : backoffMs(failures, this.#ports.random(), JOIN_RETRY);
    const wait = Math.max(backoff, jittered(retryAfterMs, this.#ports.random()));
    this.#cancelJoin = this.#ports.after(wait, () => this.#sendJoin());
    this.#ports.changed();
  }

  #leaveRoom(phase: Phase): void {
    this.#phase = phase;
    this.#join++;
    this.#transfer = null;
    this.#firstSync = null;
    this.#early = [];
    this.#unanswered.clear();
    this.#holdUntil = 0;
    this.#cancelHold?.();
    this.#cancelHold = null;
    this.#cancelJoin?.();
    this.#cancelJoin = null;
    if (phase !== 'over') return;
    this.#cancelFlush?.();
    this.#cancelFlush = null;
  }

  #fail(reason: ResetReason): void {
    this.#leaveRoom('over');
    this.#ports.failed(reason);
  }

  #onState(frame: StateFrame): void {
    if (this.#phase !== 'loading') return;
    const transfer = takeChunk(this.#transfer, frame);
    if (transfer === null) return;
    this.#transfer = transfer;
    if (isWhole(transfer)) this.#load(transfer);
    else this.#ports.send({ type: 'pull', transfer: transfer.first.transfer, index: transfer.chunks.length });
    this.#ports.changed();
  }

  #load(transfer: StateTransfer): void {
    const state = assemble(transfer);
    const { first } = transfer;
    this.#transfer = null;
    if (state.length > 0 && !this.#apply([state])) return;
    this.#position = { epoch: first.epoch, seq: first.seq };
    this.#phase = 'live';
    if (!this.#maySend) this.#firstSync = { stateVector: first.stateVector, updates: state.length > 0 ? [state] : [] };
    const early = this.#early;
    this.#early = [];
    for (const frame of early) this.frame(frame);
    this.#settle();
  }

  #onCommitted(frame: Extract<ServerFrame, { type: 'committed' }>): void {
    const updates: Uint8Array[] = [];
    let seq = this.#position?.seq ?? 0;
    let contiguous = true;
    for (const entry of frame.entries) {
      if ('counter' in entry) this.#acknowledge(entry.counter);
      if (entry.seq <= seq) continue;
      contiguous = entry.seq === seq + 1;
      if (!contiguous) break;
      seq = entry.seq;
      if ('update' in entry) updates.push(entry.update);
    }
    if (updates.length > 0 && !this.#apply(updates)) return;
    this.#firstSync?.updates.push(...updates);
    if (seq > (this.#position?.seq ?? 0)) this.#position = { epoch: frame.epoch, seq };
    this.#proceed(contiguous);
  }

  #onSaved(frame: Extract<ServerFrame, { type: 'saved' }>): void {
    this.#acknowledge(frame.counter);
    // It has no record of its own: its position is the one that we have, unless something was lost on the way.
    this.#proceed(frame.seq <= (this.#position?.seq ?? 0));
  }

  #proceed(contiguous: boolean): void {
    if (this.#phase !== 'live') return;
    if (contiguous) {
      this.#settle();
      this.#ports.changed();
    } else {
      this.#rejoinAfterBackoff();
    }
  }

  /** After something came: a first sync may be whole now, and what waits may go. */
  #settle(): void {
    if (this.#phase === 'live' && this.#caughtUp) {
      this.#joinFailures = 0;
      if (this.#firstSync !== null) this.#finishFirstSync(this.#firstSync);
      this.#firstSync = null;
    }
    this.#flush();
  }

  #finishFirstSync({ stateVector, updates }: { stateVector: Uint8Array; updates: readonly Uint8Array[] }): void {
    if (this.#fullStepDue || this.#foreignContent) {
      const missing = this.#ports.replica.missing(stateVector, mergeInTree(updates));
      this.outbox.replace(this.outbox.lastCounter + 1, missing);
    }
    this.#everSynced = true;
    this.#fullStepDue = false;
  }

  #acknowledge(counter: number): void {
    if (counter <= this.#acknowledged) return;
    this.#acknowledged = counter;
    this.#refusals = 0;
    this.#gaps = 0;
    this.outbox.acknowledge(counter);
    this.#next = Math.max(this.#next, counter + 1);
    for (const answered of this.#unanswered.keys()) if (answered <= counter) this.#unanswered.delete(answered);
  }

  /** @returns false where the session could not go on: it waits, joins again or is over */
  #apply(updates: readonly Uint8Array[]): boolean {
    const { replica } = this.#ports;
    try {
      replica.apply(updates);
    } catch (cause) {
      this.#ports.error(new AshlarError('document-damaged', { cause }));
      this.#rejoinAfterBackoff();
      return false;
    }
    if (replica.clientId === this.#clientId) return true;
    // Yjs saw our id in use by someone else and took a new one. What we wrote under the old one and have not saved is theirs now.
    if (!this.outbox.isEmpty) {
      this.#fail('foreign-client-id');
      return false;
    }
    this.#rejoinAfterBackoff();
    return false;
  }

  #onRefused({ counter, code, retryAfterMs, detail }: Extract<ServerFrame, { type: 'refused' }>): void {
    const error = new AshlarError(code, { retryAfterMs, detail: detail === '' ? undefined : detail });
    if (counter === 0) {
      if (error.retry === 'rejoin' || (this.#phase === 'loading' && error.retry === 'later'))
        this.#rejoinAfterBackoff(retryAfterMs);
      if (code !== 'rate-limited') this.#ports.error(error);
      return;
    }
    if (!this.#concernsLatest(counter)) return;
    if (code === 'not-a-member') this.#rejoinAfterBackoff();
    else if (ERRORS[code].retry === 'later') {
      this.#hold(counter, retryAfterMs);
      if (code !== 'rate-limited' && code !== 'counter-gap') this.#ports.error(error);
    } else {
      if (code === 'read-only') this.#access = 'read';
      this.#ports.error(error);
      this.#fail(code);
    }
  }

  /**
   * Takes note that the oldest copy under a counter was answered, and tells whether that decides: not where the update is saved
   * or was replaced since (a second answer to a `gap` would send other bytes under a counter that the server may have taken), nor
   * where another copy is on its way.
   */
  #concernsLatest(counter: number): boolean {
    const copies = this.#unanswered.get(counter);
    const answered = copies?.shift();
    return answered !== undefined && copies?.length === 0 && answered === this.outbox.at(counter);
  }

  #hold(counter: number, retryAfterMs: number): void {
    this.#next = Math.min(this.#next, counter);
    const random = this.#ports.random();
    const wait = retryAfterMs > 0 ? jittered(retryAfterMs, random) : 20 + backoffMs(++this.#refusals, random, RESEND);
    const until = this.#ports.now() + wait;
    // Several updates under way are refused one after the other: the longest wait counts.
    if (until <= this.#holdUntil) return;
    this.#holdUntil = until;
    this.#cancelHold?.();
    this.#cancelHold = this.#ports.after(wait, () => {
      this.#cancelHold = null;
      this.#holdUntil = 0;
      this.#flush();
    });
  }

  #onGap({ counter, stateVector }: Extract<ServerFrame, { type: 'gap' }>): void {
    if (this.#phase !== 'live' || !this.#concernsLatest(counter)) return;
    if (++this.#gaps > MAX_GAPS) {
      this.#fail('invalid-update');
      return;
    }
    // What is numbered below is under way and stays as it is: the server may have it queued.
    this.outbox.replace(counter, this.#ports.replica.missing(stateVector));
    this.#next = Math.min(this.#next, counter);
    this.#flush();
    this.#ports.changed();
  }

  #flush(): void {
    if (this.#phase !== 'live' || !this.#maySend || this.#cancelHold !== null) return;
    if (this.#ports.replica.clientId !== this.#clientId) {
      // The application changed doc.clientID: the server must know the new one first.
      this.#rejoinAfterBackoff();
      return;
    }
    for (;;) {
      const inFlight = this.outbox.numbered.filter((entry) => entry.counter < this.#next);
      const bytes = inFlight.reduce((sum, entry) => sum + entry.update.length, 0);
      if (inFlight.length >= MAX_IN_FLIGHT || bytes >= MAX_IN_FLIGHT_BYTES) return;
      const entry = this.outbox.at(this.#next) ?? this.outbox.number(MAX_MERGED_BYTES);
      if (entry === undefined) return;
      this.#next = entry.counter + 1;
      this.#unanswered.set(entry.counter, [...(this.#unanswered.get(entry.counter) ?? []), entry]);
      this.#ports.send({ type: 'update', counter: entry.counter, full: entry.full, update: entry.update });
    }
  }
}
