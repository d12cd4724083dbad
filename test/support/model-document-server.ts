import * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import type { ClientFrame, CommittedEntry, ServerFrame } from '../../shared/document-frame.ts';
import { AshlarError, type ErrorCode } from '../../shared/errors.ts';
import type { JoinAnswer, JoinOptions } from '../../shared/messages.ts';

/** A record of the model's log. */
interface ModelRecord {
  seq: number;
  epoch: string;
  update: Uint8Array;
  session: string;
  counter: number;
}

/** One socket's membership. */
export interface ModelMember {
  readonly user: string;
  readonly access: Access;
  deliver(frame: ServerFrame): void;
  session: string;
  clientId: number | undefined;
  live: boolean;
  /** Everything above this counter is refused until it comes again; null: nothing is. */
  blockedAt: number | null;
  transfer: { id: number; chunks: Uint8Array[]; frame: Omit<Extract<ServerFrame, { type: 'state' }>, 'index' | 'bytes'> } | null;
  parts: Uint8Array[];
}

/**
 * One document as docs/protocol.md has it, in memory and step by step: a test decides when a commit happens, what is refused,
 * and when the process crashes. Checks on the way that a counter never comes with other bytes.
 */
export class ModelDocumentServer {
  records: ModelRecord[] = [];
  epoch = 'epoch-1';
  incarnation = 'incarnation-1';
  chunkBytes = 40;
  /** A new joiner's state ends at a multiple of this. */
  snapshotEvery = 3;
  /** Decides about an update before admission; undefined: take it. */
  refuse: (member: ModelMember, counter: number) => { code: ErrorCode; retryAfterMs: number } | undefined = () => undefined;
  readonly members = new Set<ModelMember>();
  #epochs = 1;
  #transfers = 0;
  #queued: { record: Omit<ModelRecord, 'seq' | 'epoch'>; bytes: Uint8Array }[] = [];
  #idle: { member: ModelMember; counter: number }[] = [];
  /** Committed and queued content. */
  #doc = new Y.Doc();
  /** Bytes by session and counter, as long as the server did not say `gap` below or forget. */
  #bytes = new Map<string, Map<number, Uint8Array>>();

  join(member: ModelMember, options: JoinOptions): JoinAnswer {
    for (const other of this.members) {
      if (other === member || other.session !== options.session) continue;
      this.members.delete(other);
    }
    for (const other of this.members) {
      if (other !== member && options.clientId !== undefined && other.clientId === options.clientId)
        throw new AshlarError('id-in-use');
    }
    member.session = options.session ?? '';
    member.clientId = options.clientId;
    member.blockedAt = null;
    member.transfer = null;
    member.parts = [];
    this.members.add(member);
    const head = this.records.length;
    const base = {
      room: 'doc:model',
      access: member.access,
      head,
      saved: this.savedOf(member.session),
      incarnation: this.incarnation,
    };
    const { epoch, seq } = options;
    const valid = epoch !== undefined && seq !== undefined && (seq === 0 || this.records[seq - 1]?.epoch === epoch);
    if (valid) {
      member.live = true;
      const missed = this.records.slice(seq);
      this.#afterJoin.push(() => this.#sendCommitted(member, missed));
      return { ...base, recovered: true, epoch, seq };
    }
    member.live = false;
    return { ...base, recovered: false, reason: epoch === undefined ? 'new' : 'epoch', epoch: this.epoch, seq: head };
  }

  #afterJoin: (() => void)[] = [];

  /** To be called once the answer of a join is on its way: what follows it. */
  afterJoin(): void {
    const tasks = this.#afterJoin;
    this.#afterJoin = [];
    for (const task of tasks) task();
  }

  receive(member: ModelMember, frame: ClientFrame): void {
    if (!this.members.has(member)) return;
    switch (frame.type) {
      case 'sync':
        this.#startState(member, frame.stateVector);
        break;
      case 'pull':
        this.#sendChunk(member, frame.index);
        break;
      case 'update':
        this.#take(member, frame.counter, frame.update);
        break;
      case 'part':
        member.parts[frame.index] = frame.bytes;
        if (frame.index === frame.count - 1) {
          const update = Buffer.concat(member.parts);
          member.parts = [];
          this.#take(member, frame.counter, update);
        }
        break;
      case 'awareness':
        for (const other of this.members) if (other !== member) other.deliver(frame);
        break;
    }
  }

  /** Puts what is queued on disk, and tells everyone. */
  commit(): void {
    const from = this.records.length;
    for (const { record } of this.#queued) {
      this.records.push({ ...record, seq: this.records.length + 1, epoch: this.epoch });
    }
    this.#queued = [];
    const fresh = this.records.slice(from);
    for (const member of this.members) if (member.live) this.#sendCommitted(member, fresh);
    const idle = this.#idle;
    this.#idle = [];
    for (const { member, counter } of idle) {
      if (this.members.has(member)) member.deliver({ type: 'saved', counter, epoch: this.epoch, seq: this.records.length });
    }
  }

  /** kill -9 and a new process; `lost` records at the end are gone too (an old backup, a cut WAL). */
  crash(lost = 0): void {
    this.members.clear();
    this.#queued = [];
    this.#idle = [];
    this.#afterJoin = [];
    this.records = this.records.slice(0, Math.max(0, this.records.length - lost));
    this.epoch = `epoch-${++this.#epochs}`;
    this.#doc = new Y.Doc();
    for (const record of this.records) Y.applyUpdate(this.#doc, record.update);
    if (lost > 0) this.#bytes.clear();
  }

  leave(member: ModelMember): void {
    this.members.delete(member);
  }

  /** A document with exactly what is on disk. */
  committedDoc(): Y.Doc {
    const doc = new Y.Doc();
    for (const record of this.records) Y.applyUpdate(doc, record.update);
    return doc;
  }

  savedOf(session: string): number {
    return Math.max(
      0,
      ...this.records.filter((record) => record.session === session).map((record) => record.counter),
      this.#saved.get(session) ?? 0,
    );
  }

  /** Counters that were saved without a record, by session. Durable in the model. */
  readonly #saved = new Map<string, number>();

  #take(member: ModelMember, counter: number, update: Uint8Array): void {
    const { session } = member;
    if (member.access === 'read') {
      member.deliver({ type: 'refused', counter, code: 'read-only', retryAfterMs: 0, detail: '' });
      return;
    }
    const refuse = (code: ErrorCode, retryAfterMs: number): void =>
      member.deliver({ type: 'refused', counter, code, retryAfterMs, detail: '' });
    if (member.blockedAt !== null && counter > member.blockedAt) {
      refuse('counter-gap', 0);
      return;
    }
    // What was refused unread above may come again with other bytes; what was looked at may not.
    this.#checkBytes(session, counter, update);
    const refusal = this.refuse(member, counter);
    if (refusal !== undefined) {
      member.blockedAt = counter;
      refuse(refusal.code, refusal.retryAfterMs);
      return;
    }
    const queued = this.#queued.filter(({ record }) => record.session === session).map(({ record }) => record.counter);
    const last = Math.max(this.savedOf(session), ...queued);
    if (counter <= this.savedOf(session)) {
      member.deliver({ type: 'saved', counter, epoch: this.epoch, seq: this.records.length });
      return;
    }
    // Its first copy is still queued: acknowledged when that is committed.
    if (counter <= last) return;
    if (counter > last + 1) {
      refuse('counter-gap', 0);
      return;
    }
    const probe = new Y.Doc();
    Y.applyUpdate(probe, Y.encodeStateAsUpdate(this.#doc));
    let changes = false;
    probe.on('update', () => {
      changes = true;
    });
    Y.applyUpdate(probe, update);
    if (probe.store.pendingStructs !== null || probe.store.pendingDs !== null) {
      member.blockedAt = counter;
      for (const known of this.#bytes.get(session)?.keys() ?? []) if (known >= counter) this.#bytes.get(session)?.delete(known);
      member.deliver({ type: 'gap', counter, stateVector: Y.encodeStateVector(this.#doc) });
      return;
    }
    member.blockedAt = null;
    if (!changes) {
      if (this.#queued.length === 0) {
        this.#saved.set(session, counter);
        member.deliver({ type: 'saved', counter, epoch: this.epoch, seq: this.records.length });
        return;
      }
    }
    Y.applyUpdate(this.#doc, update);
    this.#queued.push({ record: { update: update.slice(), session, counter }, bytes: update });
  }

  #checkBytes(session: string, counter: number, update: Uint8Array): void {
    const known = this.#bytes.get(session) ?? new Map<number, Uint8Array>();
    this.#bytes.set(session, known);
    const before = known.get(counter);
    if (before !== undefined && !Buffer.from(before).equals(Buffer.from(update))) {
      throw new Error(`counter ${counter} of ${session} came with other bytes`);
    }
    known.set(counter, update.slice());
  }

  #startState(member: ModelMember, stateVector: Uint8Array): void {
    // Like a snapshot: the state may end anywhere before the newest record, and the rest follows as records.
    const seq = this.records.length - (this.records.length % this.snapshotEvery);
    const doc = new Y.Doc();
    for (const record of this.records.slice(0, seq)) Y.applyUpdate(doc, record.update);
    const state = Y.encodeStateAsUpdate(doc, stateVector);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < state.length; at += this.chunkBytes) chunks.push(state.slice(at, at + this.chunkBytes));
    const transfer = ++this.#transfers;
    member.transfer = {
      id: transfer,
      chunks,
      frame: {
        type: 'state',
        transfer,
        count: chunks.length,
        epoch: this.records[seq - 1]?.epoch ?? this.epoch,
        seq,
        // All that the server knows, queued updates included.
        stateVector: Y.encodeStateVector(this.#doc),
      },
    };
    this.#sendChunk(member, 0);
  }

  #sendChunk(member: ModelMember, index: number): void {
    const { transfer } = member;
    const bytes = transfer?.chunks[index];
    if (transfer === null || bytes === undefined) return;
    const stateVector = index === 0 ? transfer.frame.stateVector : new Uint8Array();
    member.deliver({ ...transfer.frame, stateVector, index, bytes });
    if (index < transfer.chunks.length - 1) return;
    member.live = true;
    this.#sendCommitted(member, this.records.slice(transfer.frame.seq));
  }

  #sendCommitted(member: ModelMember, records: readonly ModelRecord[]): void {
    let at = 0;
    while (at < records.length) {
      const { epoch } = records[at]!;
      const entries: CommittedEntry[] = [];
      for (; at < records.length && records[at]!.epoch === epoch; at++) {
        const { seq, session, counter, update } = records[at]!;
        entries.push(session === member.session ? { seq, counter } : { seq, update });
      }
      member.deliver({ type: 'committed', epoch, entries });
    }
  }
}
