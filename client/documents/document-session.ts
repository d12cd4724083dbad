import type { Access } from '../../shared/access.ts';
import type { ServerFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { JoinAnswer } from '../../shared/messages.ts';
import type { Position } from '../../shared/position.ts';
import { type DocumentStatus, type ResetReason, SYNCED } from './document-status.ts';
import { FormerIds } from './former-ids.ts';
import { JoinRetry } from './join-retry.ts';
import { isWorthTelling, judgeJoinRefusal, judgeUpdateRefusal } from './judge-refusal.ts';
import { mergeInTree } from './merge-updates.ts';
import type { Outbox } from './outbox.ts';
import type { Place } from './place.ts';
import { readCommitted } from './read-committed.ts';
import type { SessionPorts } from './session-ports.ts';
import { assemble, isWhole, type StateFrame, type StateTransfer, takeChunk } from './state-transfer.ts';
import { UpdateSender } from './update-sender.ts';

type Phase = 'offline' | 'joining' | 'loading' | 'live' | 'waiting' | 'refused' | 'over';

const MAX_GAPS = 4;

/** One Y.Doc's conversation with the server: its identity, its place in the log, and what is not saved yet. */
export class DocumentSession {
  readonly #ports: SessionPorts;
  readonly #sender: UpdateSender;
  readonly #retry: JoinRetry;
  #secret: string;
  #clientId: number;
  #phase: Phase = 'offline';
  #refusal: AshlarError | null = null;
  #access: Access | null = null;
  #position: Position | null = null;
  /** A position that the server's log lost: shown at each join until all that was lost with it is saved. */
  #lost: Position | null = null;
  #incarnation: string | null = null;
  /** `seq` of the newest record at the last join: with it everything that others saved before is here. */
  #head = 0;
  /** The content was the server's at some time, in this session or in one that it goes on from. */
  everSynced = false;
  /** The content holds something that came neither from the server nor through the outbox. */
  #foreignContent: boolean;
  /** The server may lack what it once had: a full step follows the load. */
  #fullStepDue = false;
  /** The first sync under way: the server's state vector, and what came so far. */
  #firstSync: { stateVector: Uint8Array; updates: Uint8Array[] } | null = null;
  #transfer: StateTransfer | null = null;
  #join = 0;
  #gaps = 0;
  /** Of sessions whose content is here, and perhaps not on the server: kept offline, or another tab's. */
  readonly formerIds = new FormerIds();
  #cancelFlush: (() => void) | null = null;

  /** @param foreignContent the document held content before the session began */
  constructor(ports: SessionPorts, foreignContent: boolean) {
    this.#ports = ports;
    this.#retry = new JoinRetry(ports.env);
    this.#sender = new UpdateSender(ports, () => this.#flush());
    this.#secret = ports.drawSecret();
    this.#clientId = ports.replica.clientId;
    this.#foreignContent = foreignContent;
  }

  /** What is not on disk yet. */
  get outbox(): Outbox {
    return this.#sender.outbox;
  }

  get status(): DocumentStatus {
    if (this.#phase === 'offline') return { state: 'offline' };
    if (this.#phase === 'refused') return { state: 'refused', error: this.#refusal ?? new AshlarError('access-denied') };
    if (!this.inRoom) return { state: 'joining' };
    if (this.#phase === 'live' && this.#caughtUp && this.everSynced) return SYNCED;
    return { state: 'syncing', received: this.#transfer?.chunks.length ?? 0, total: this.#transfer?.first.count ?? 0 };
  }

  get access(): Access | null {
    return this.#access;
  }

  /** How far the content has come, where everything beyond it is in the outbox as it was edited: what a later session may go on from. */
  get place(): Place | null {
    const position = this.#mayLack ? this.#lost : this.#position;
    return position === null ? null : { ...position, incarnation: this.#incarnation };
  }

  /** The id that this session writes under, as the server knows it. */
  get clientId(): number {
    return this.#clientId;
  }

  /** Whether the session is in the room: awareness may be sent. */
  get inRoom(): boolean {
    return this.#phase === 'loading' || this.#phase === 'live';
  }

  /** The document holds what an earlier session left. Before the first join. @param place null: nobody knows how far that had come */
  resume(place: Place | null, hasContent: boolean): void {
    this.#foreignContent ||= hasContent && place === null;
    if (place === null) return;
    this.#position = { epoch: place.epoch, seq: place.seq };
    this.#incarnation = place.incarnation;
    this.everSynced = true;
  }

  connected(): void {
    if (this.#phase === 'over' || this.#phase === 'joining' || this.inRoom) return;
    this.#retry.startOver();
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
    if (!local && !this.everSynced) this.#foreignContent = true;
    this.outbox.add(update);
    // After the tick at the earliest: a burst of transactions becomes one update.
    this.#cancelFlush ??= this.#ports.env.after(this.#sender.restMs, () => this.#flush());
    this.#ports.edited();
  }

  /** The server told that the user's access changed. */
  accessChanged(access: Access): void {
    if (this.#phase === 'refused' && this.#refusal?.code === 'access-denied' && access !== 'none') this.#sendJoin();
    if (!this.inRoom) return;
    this.#access = access;
    if (access === 'none') this.#refuse(new AshlarError('access-denied'));
    else this.#ports.changed();
  }

  /** Takes a frame of the room's. Records come after the state is whole: before it there is no place for them. */
  frame(frame: ServerFrame): void {
    if (!this.inRoom) return;
    if (frame.type === 'state') this.#onState(frame);
    else if (frame.type === 'committed') this.#onCommitted(frame);
    else if (frame.type === 'saved') this.#onSaved(frame);
    else if (frame.type === 'refused') this.#onRefused(frame);
    else if (frame.type === 'gap') this.#onGap(frame);
    else if (frame.type === 'reset') this.fail(frame.reason);
  }

  /** The server does not count us a member any more. */
  rejoin(): void {
    if (this.inRoom) this.#rejoinAfterBackoff();
  }

  get #caughtUp(): boolean {
    return this.#position !== null && this.#position.seq >= this.#head;
  }

  /** The server may lack some of the content, and the outbox does not have it as it was edited. */
  get #mayLack(): boolean {
    return !this.#maySend || this.outbox.numbered.some(({ full }) => full);
  }

  /** Nothing is sent before the first sync is whole, nor before a full step that is due. */
  get #maySend(): boolean {
    return this.everSynced && !this.#fullStepDue;
  }

  #sendJoin(): void {
    this.#leaveRoom('joining');
    // A sync that was not whole starts over: what it brought is no ground to send from.
    if (!this.#maySend) this.#position = null;
    if (!this.#mayLack) this.#lost = null;
    if (this.#ports.replica.clientId !== this.#clientId) this.#newIdentity();
    const join = this.#join;
    const place = this.#lost ?? this.#position ?? {};
    const identity = { clientId: this.#clientId, session: this.#secret, ...this.formerIds.tell() };
    this.#ports.join({ ...place, ...identity }, (error, answer) => {
      if (join !== this.#join) return;
      if (error === null) this.#onJoined(answer as JoinAnswer);
      else this.#onJoinRefused(error);
    });
    this.#ports.changed();
  }

  #onJoined(answer: JoinAnswer): void {
    const incarnation = answer.incarnation ?? null;
    if (this.#incarnation !== null && incarnation !== this.#incarnation) {
      this.fail('replaced');
      return;
    }
    this.#incarnation = incarnation;
    this.#access = answer.access;
    // Told to be on disk, and gone: the log went back, though not beyond our position.
    const { lost } = this.#sender.start(answer.saved ?? 0);
    this.#gaps = 0;
    this.#head = answer.head;
    this.#fullStepDue ||= lost;
    if (lost && answer.recovered) {
      this.#sendJoin();
    } else if (answer.recovered) {
      this.#phase = 'live';
      this.#position = { epoch: answer.epoch, seq: answer.seq };
      this.#settle();
    } else {
      this.#phase = 'loading';
      // Beyond the log's beginning nobody can tell whether it went back: only an overflow is of this log for sure.
      this.#fullStepDue ||= this.everSynced && answer.reason !== 'overflow';
      if (answer.reason === 'epoch') this.#lost ??= this.#position;
      this.#ports.send({ type: 'sync', stateVector: this.#ports.replica.stateVector() });
    }
    this.#ports.changed();
  }

  #onJoinRefused(error: AshlarError): void {
    const verdict = judgeJoinRefusal(error, this.#ports.replica.hasOwnContent());
    if (verdict === 'reset') this.fail(error.code);
    if (verdict === 'refused') this.#refuse(error);
    if (verdict === 'new-id') this.#ports.replica.takeClientId(this.#ports.drawClientId());
    if (verdict === 'new-id' || verdict === 'retry') this.#rejoinAfterBackoff(error.retryAfterMs);
    if (verdict === 'retry' && isWorthTelling(error)) this.#ports.error(error);
  }

  #newIdentity(): void {
    this.#clientId = this.#ports.replica.clientId;
    this.#secret = this.#ports.drawSecret();
    this.#sender.startOver();
  }

  #refuse(error: AshlarError): void {
    this.#leaveRoom('refused');
    this.#refusal = error;
    this.#ports.error(error);
    this.#ports.changed();
  }

  #rejoinAfterBackoff(retryAfterMs = 0): void {
    this.#leaveRoom('waiting');
    this.#retry.after(retryAfterMs, () => this.#sendJoin());
    this.#ports.changed();
  }

  #leaveRoom(phase: Phase): void {
    this.#phase = phase;
    this.#join++;
    this.#transfer = null;
    this.#firstSync = null;
    this.#sender.stop();
    this.#retry.cancel();
    if (phase !== 'over') return;
    this.#cancelFlush?.();
    this.#cancelFlush = null;
  }

  /** Client and server cannot agree. */
  fail(reason: ResetReason): void {
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
    this.#settle();
  }

  #onCommitted(frame: Extract<ServerFrame, { type: 'committed' }>): void {
    if (this.#phase !== 'live') return;
    const before = this.#position?.seq ?? 0;
    const { acknowledged, updates, seq, contiguous } = readCommitted(frame, before);
    if (this.#sender.acknowledge(acknowledged)) this.#gaps = 0;
    if (updates.length > 0 && !this.#apply(updates)) return;
    this.#firstSync?.updates.push(...updates);
    if (seq > before) this.#position = { epoch: frame.epoch, seq };
    this.#proceed(contiguous);
  }

  #onSaved(frame: Extract<ServerFrame, { type: 'saved' }>): void {
    if (this.#phase !== 'live') return;
    if (this.#sender.acknowledge(frame.counter)) this.#gaps = 0;
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
      this.#retry.succeeded();
      if (this.#firstSync !== null && this.#mustTellFormerIds()) return;
      if (this.#firstSync !== null) this.#finishFirstSync(this.#firstSync);
      this.#firstSync = null;
    }
    // What is edited in a burst goes at its end.
    if (this.#cancelFlush === null || this.#sender.restMs === 0) this.#flush();
  }

  #finishFirstSync({ stateVector, updates }: { stateVector: Uint8Array; updates: readonly Uint8Array[] }): void {
    if (this.#fullStepDue || this.#foreignContent) {
      const missing = this.#ports.replica.missing(stateVector, mergeInTree(updates));
      this.outbox.replace(this.outbox.lastCounter + 1, missing);
    }
    this.everSynced = true;
    this.#fullStepDue = false;
  }

  // A full step brings what others' tabs wrote, too: the server must know them for this user's.
  #mustTellFormerIds(): boolean {
    if (this.formerIds.areUntold) this.#rejoinAfterBackoff();
    return !this.inRoom;
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
    // An observer may have left the room.
    if (replica.clientId === this.#clientId) return this.inRoom;
    // Yjs saw our id in use by someone else and took a new one. What we wrote under the old one and have not saved is theirs now.
    if (!this.outbox.isEmpty) {
      this.fail('foreign-client-id');
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
      if (isWorthTelling(error)) this.#ports.error(error);
      return;
    }
    if (!this.#sender.concernsLatest(counter)) return;
    const verdict = judgeUpdateRefusal(error);
    if (verdict === 'rejoin') this.#rejoinAfterBackoff();
    if (verdict === 'hold') this.#sender.hold(counter, code, retryAfterMs);
    if (isWorthTelling(error)) this.#ports.error(error);
    if (verdict === 'reset') this.fail(code);
  }

  #onGap({ counter, stateVector }: Extract<ServerFrame, { type: 'gap' }>): void {
    if (this.#phase !== 'live' || !this.#sender.concernsLatest(counter)) return;
    if (this.#mustTellFormerIds()) return;
    if (++this.#gaps > MAX_GAPS) {
      this.fail('invalid-update');
      return;
    }
    this.#sender.replace(counter, this.#ports.replica.missing(stateVector));
    this.#flush();
    this.#ports.changed();
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    if (this.#phase !== 'live' || !this.#maySend) return;
    if (this.#ports.replica.clientId !== this.#clientId) {
      // The application changed doc.clientID: the server must know the new one first.
      this.#rejoinAfterBackoff();
      return;
    }
    this.#sender.flush();
  }
}
