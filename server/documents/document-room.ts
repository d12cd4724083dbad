import type { Access } from '../../shared/access.ts';
import { encodeFrame, type ServerFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { JoinOptions } from '../../shared/messages.ts';
import type { Position } from '../../shared/position.ts';
import type { Connection } from '../rooms/connection.ts';
import { fallBehind } from '../rooms/fan-out.ts';
import { byEpoch, isSameRun } from '../rooms/log-run.ts';
import type { Member } from '../rooms/member.ts';
import { positionOf, recover } from '../rooms/recover.ts';
import type { Joined, Room, RoomContent } from '../rooms/room.ts';
import { SmallMap } from '../small-map.ts';
import { type EncodedPacket, encodeEvent } from '../sockets/encode-packet.ts';
import type { ClientClock, LogRecord, RoomLease, Snapshot } from '../storage/store.ts';
import { countLevels } from './admission/admit-update.ts';
import { BackgroundVouching } from './background-vouching.ts';
import { committedFrame } from './committed-frame.ts';
import { compactionDue } from './compaction-due.ts';
import { DocumentAwareness, encodeAwareness } from './document-awareness.ts';
import { DocumentMember } from './document-member.ts';
import { DocumentNesting } from './document-nesting.ts';
import { DocumentPlaces } from './document-places.ts';
import type { DocumentPorts } from './document-ports.ts';
import { SharedPackets } from './shared-packets.ts';
import { ShownAwareness } from './shown-awareness.ts';
import type { Untried } from './try-update.ts';
import { type WriterSession, Writers } from './writers.ts';

/** The kind of a document's records. */
export const UPDATE_KIND = 'doc:update';

const BLOCKED_RETRY_MS = 1_000;

/** A room whose content is a Yjs document: it relays and stores updates as bytes and holds no Y.Doc. */
export class DocumentRoom implements RoomContent {
  readonly room: Room;
  readonly ports: DocumentPorts;
  readonly writers: Writers;
  readonly awareness = new DocumentAwareness();
  readonly #shown: ShownAwareness;
  snapshotSeq: number;
  readonly places = new DocumentPlaces();
  readonly vouching = new BackgroundVouching();
  /** Stands for the log: another one once records were taken out of it or it was read anew. */
  logIdentity: object = {};
  /** How deep its Y types are nested. */
  readonly nesting: DocumentNesting;
  /** Too slow by itself for trials of what is added to it. */
  untried: Untried | null = null;
  /** Records are being set aside: nobody joins and nothing is taken until that is done. */
  blocked = false;
  compacting = false;
  /** A compaction, a look at the log or a server-side edit is under way. */
  working = 0;
  #snapshot: Promise<Snapshot | null> | null = null;
  /** What the commit that is being taken in has brought. */
  #group: LogRecord[] = [];
  /** Acks of updates that changed nothing, in the order of their entries. */
  #acks: { session: WriterSession; counter: number }[] = [];
  #tailBytes = 0;
  /** Its tail comes from an earlier process: nobody knows whether it applies. */
  #isUnproven: boolean;
  /** A compaction was asked for because nobody had measured the nesting. */
  #measuring = false;
  /** Sessions whose user lost access while updates of theirs were being saved, and who is told when they are. */
  readonly #dismissed = new SmallMap<WriterSession, Connection>();
  readonly #catchUps = new SharedPackets();
  /** What the commit under way brings to those who did not write it; a writer is told its counters, by a packet of its own. */
  #prepared: { readonly records: readonly LogRecord[]; readonly packet: EncodedPacket } | null = null;

  constructor(room: Room, lease: RoomLease, ports: DocumentPorts) {
    this.room = room;
    this.ports = ports;
    this.#shown = new ShownAwareness(room, ports.clock, (entries) =>
      this.encode({ type: 'awareness', update: encodeAwareness(entries) }),
    );
    this.writers = new Writers(room.name, lease.clocks, ports);
    this.snapshotSeq = lease.snapshotSeq;
    this.nesting = new DocumentNesting(lease.head === 0 && lease.snapshotSeq === 0);
    this.#isUnproven = lease.head > lease.snapshotSeq && lease.headEpoch !== room.store.epoch;
  }

  get busy(): boolean {
    return this.working > 0;
  }

  async join(connection: Connection, access: Access, options: JoinOptions): Promise<Joined> {
    const { room, ports } = this;
    if (room.deleted) throw new AshlarError('gone', { room: room.name });
    if (this.blocked) throw new AshlarError('document-damaged', { retryAfterMs: BLOCKED_RETRY_MS, room: room.name });
    const shown = positionOf(options);
    const { position, isGenuine } = shown === null ? { position: null, isGenuine: false } : ports.wentBack.seal.open(room, shown);
    const hash = options.session === undefined ? null : ports.hashSecret(options.session);
    const verdict = await recover(room, position, ports.overflowRecords);
    if (verdict === 'epoch' && position !== null && isGenuine) await ports.wentBack.show(room, position);
    // Last, because a session whose updates are being saved is in memory until they are, and only then on disk.
    const known = hash === null ? undefined : this.writers.find(hash);
    const stored = hash === null || known !== undefined ? null : await room.store.findSession(room.name, hash);
    if (connection.closed) throw new AshlarError('not-connected');
    if (room.deleted) throw new AshlarError('gone', { room: room.name });
    if (this.blocked) throw new AshlarError('document-damaged', { retryAfterMs: BLOCKED_RETRY_MS, room: room.name });

    // Whoever could not go on has been sent nothing yet: a position that says more would be believed at the next join, content or not.
    const member = new DocumentMember(connection, room, access, { epoch: room.store.epoch, seq: 0 });
    if (hash !== null && options.clientId !== undefined) {
      const session = this.writers.claim(connection.user, options.clientId, hash, stored, options.formerIds);
      const ghost = session.member;
      session.member = member;
      this.#dismissed.delete(session);
      member.session = session;
      // The same client's old socket, which the transport has not yet noticed to be dead.
      if (ghost !== null) ports.evict(ghost);
    }
    if (this.#isUnproven) ports.compact(this);
    this.#isUnproven = false;
    const recovered = verdict === 'recovered' && position !== null;
    if (recovered) member.sent = position;
    return {
      member,
      answer: {
        room: room.name,
        access,
        recovered,
        ...(verdict === 'recovered' ? {} : { reason: verdict }),
        epoch: this.seal(member.sent),
        seq: member.sent.seq,
        head: room.head.seq,
        saved: member.session?.saved ?? 0,
        incarnation: room.incarnation,
      },
      start: () => {
        this.#shown.sendTo(member, this.awareness.entries());
        if (!recovered) return;
        member.delivery = 'catching-up';
        ports.catchUp(member);
      },
    };
  }

  /** The epoch of a position as clients get it. */
  seal(position: Position): string {
    return this.ports.wentBack.seal.seal(this.room, position);
  }

  /** Sends one frame to one member, in the order of all that it is sent. */
  send(member: Member, frame: ServerFrame): void {
    if (frame.type === 'refused') this.ports.refused(member, frame.code);
    if (!member.gone) member.connection.outbox.force(this.encode(frame));
  }

  encode(frame: ServerFrame): EncodedPacket {
    return encodeEvent(['document', this.room.name, encodeFrame(frame)], this.room.name);
  }

  /** Notes a committed update for the frame that leaves after its group. */
  updateCommitted(record: LogRecord): void {
    this.#group.push(record);
    // The server's own edits are not looked at before they are taken.
    if (record.session === null) this.deepen(countLevels(record.payload));
  }

  /** An update was taken that may nest types so many levels deeper. Where nobody has measured how deep they are, a compaction does. */
  deepen(levels: number): void {
    this.nesting.add(levels);
    if (levels === 0 || this.nesting.measured || this.#measuring) return;
    this.#measuring = true;
    this.ports.compact(this);
  }

  /** Notes the ack of an update without a record of its own. */
  nothingCommitted(session: WriterSession, counter: number): void {
    this.#acks.push({ session, counter });
  }

  underWay(records: readonly LogRecord[]): void {
    if (this.room.members.size > 1) this.#prepared = { records, packet: this.#committed(records, null) };
  }

  flushed(): void {
    const [group, acks] = [this.#group, this.#acks];
    this.#group = [];
    this.#acks = [];
    if (group.length > 0) {
      this.#sendGroup(group);
      for (const record of group) this.#tailBytes += record.payload.length;
      this.ports.changed(this.room, group);
      this.#askForSnapshot();
      this.vouching.ask(this);
    }
    for (const { session, counter } of acks) this.#ack(session, counter);
  }

  #askForSnapshot(): void {
    const records = this.room.head.seq - this.snapshotSeq;
    const due = compactionDue({ records, bytes: this.#tailBytes, proofDue: this.places.proofDue }, this.ports);
    // Once the one that is being made is there, less is due.
    if (due !== 'no' && !this.compacting) this.ports.compact(this, due === 'can wait');
  }

  sendRecords(member: Member, records: readonly LogRecord[]): void {
    const session = member instanceof DocumentMember ? member.session : null;
    for (const run of byEpoch(records)) this.#sendRange(member, run, session);
  }

  #sendRange(member: Member, records: readonly LogRecord[], session: WriterSession | null): void {
    const isOwn = session !== null && records.some((record) => record.session === session.hash);
    const packet = isOwn ? this.#committed(records, session) : this.#catchUps.of(records, () => this.#committed(records, null));
    if (!member.gone) member.connection.outbox.force(packet);
  }

  sendState(): void {}

  async reopened(lease: RoomLease): Promise<void> {
    this.#group = [];
    this.#acks = [];
    this.#dismissed.clear();
    this.#snapshot = null;
    this.logIdentity = {};
    this.snapshotSeq = lease.snapshotSeq;
    await this.writers.reset(lease.clocks, (hash) => this.room.store.findSession(this.room.name, hash));
  }

  /** Its updates that were admitted before are acknowledged as ever. */
  dismissed(member: Member): void {
    if (!(member instanceof DocumentMember) || member.session === null) return;
    const { session } = member;
    // What was taken back out of its queue may have told it.
    if (session.saved > 0) this.#tellDismissed(member.connection, session);
    if (session.counter > session.saved) this.#dismissed.set(session, member.connection);
  }

  erased(userId: string): void {
    this.#catchUps.forget();
    this.writers.forgetUser(userId);
    for (const session of this.#dismissed.keys()) if (session.userId === userId) this.#dismissed.delete(session);
  }

  left(member: Member): void {
    if (!(member instanceof DocumentMember)) return;
    member.endTransfer();
    const { session } = member;
    if (session === null) return;
    if (session.member === member) {
      session.member = null;
      this.showAwareness(member, session.clientId, null);
      this.writers.release(session);
    }
  }

  /** Sets or takes back what a member shows, and sends it to the others. */
  showAwareness(member: DocumentMember, clientId: number, state: object | null): void {
    const entry = this.awareness.set(clientId, state, member.connection.user, this.ports.clock.now());
    if (entry !== null) this.#shown.add(entry);
  }

  /** The newest snapshot: read once, shared by all who need it. */
  snapshot(): Promise<Snapshot | null> {
    if (this.#snapshot === null) {
      const reading = this.room.store.readSnapshot(this.room.name);
      this.#snapshot = reading;
      // A failed load is tried again by the next joiner, and never taken for an empty document.
      reading.catch(() => {
        if (this.#snapshot === reading) this.#snapshot = null;
      });
    }
    return this.#snapshot;
  }

  /** The document was deleted: its members are told, and nothing of it is kept. */
  deleted(): void {
    const { room } = this;
    room.deleted = true;
    this.#forget();
    this.nesting.clear();
    room.trimmedTo = room.head.seq;
    for (const member of [...room.members.values()]) {
      this.send(member, { type: 'reset', reason: 'gone' });
      this.ports.evict(member);
    }
  }

  /**
   * Records were set aside, durably: what is left stands as a snapshot at the head, and everyone starts over from it.
   * @param clocks of what is left
   */
  quarantined(snapshot: Snapshot, clocks: readonly ClientClock[], incarnation: string): void {
    const { room } = this;
    this.#forget();
    this.writers.take(clocks);
    this.#snapshot = Promise.resolve(snapshot);
    this.snapshotSeq = snapshot.seq;
    room.head = { epoch: snapshot.epoch, seq: snapshot.seq };
    room.trimmedTo = snapshot.seq;
    room.incarnation = incarnation;
    for (const member of [...room.members.values()]) {
      this.send(member, { type: 'reset', reason: 'quarantined' });
      this.ports.evict(member);
    }
  }

  /** The document was created, or its name opened again. */
  created(incarnation: string): void {
    const { room } = this;
    if (room.deleted) this.#forget();
    room.deleted = false;
    room.incarnation = incarnation;
  }

  #forget(): void {
    this.#group = [];
    this.#snapshot = null;
    this.snapshotSeq = 0;
    this.#tailBytes = 0;
    this.places.clear();
    this.logIdentity = {};
    this.#catchUps.forget();
    this.room.recent.clear();
    this.room.reads.clear();
    this.writers.clear();
    this.ports.wentBack.forget(this.room.name);
  }

  /** A new snapshot is on disk. */
  compacted(snapshot: Snapshot, tailBytes: number): void {
    this.#snapshot = Promise.resolve(snapshot);
    this.snapshotSeq = snapshot.seq;
    this.#tailBytes = tailBytes;
    this.places.compacted();
    this.#askForSnapshot();
  }

  // One frame for all members, and one of its own for each writer: it is told its counters in place of its bytes.
  #sendGroup(group: readonly LogRecord[]): void {
    const last = group[group.length - 1] as LogRecord;
    const position = { epoch: last.epoch, seq: last.seq };
    const writers = new Map<Member, WriterSession>();
    for (const record of group) {
      const session = record.session === null ? undefined : this.writers.find(record.session);
      if (session === undefined) continue;
      session.saved = Math.max(session.saved, record.counter);
      if (session.member !== null) writers.set(session.member, session);
      else this.#savedForNobody(session);
    }
    const prepared = this.#prepared;
    this.#prepared = null;
    let shared = prepared !== null && isSameRun(prepared.records, group) ? prepared.packet : null;
    for (const member of this.room.members.values()) {
      if (member.delivery !== 'live') continue;
      const session = writers.get(member);
      if (session === undefined) shared ??= this.#committed(group, null);
      const packet = session === undefined ? (shared as EncodedPacket) : this.#committed(group, session);
      if (member.connection.outbox.offer(packet) === 'sent') member.sent = position;
      else fallBehind(member, this.ports.catchUp);
    }
  }

  #ack(session: WriterSession, counter: number): void {
    session.saved = Math.max(session.saved, counter);
    if (session.member !== null) this.tellSaved(session.member, session);
    else this.#savedForNobody(session);
  }

  #savedForNobody(session: WriterSession): void {
    const connection = this.#dismissed.get(session);
    if (connection !== undefined) {
      this.#tellDismissed(connection, session);
      if (session.saved === session.counter) this.#dismissed.delete(session);
    }
    this.writers.release(session);
  }

  #tellDismissed(connection: Connection, session: WriterSession): void {
    if (connection.closed) return;
    connection.outbox.force(this.encode({ type: 'saved', counter: session.saved, epoch: this.room.store.epoch, seq: 0 }));
  }

  /** Tells a writer how far its updates are on disk. Its position stays where it is. */
  tellSaved(member: Member, session: WriterSession): void {
    this.send(member, { type: 'saved', counter: session.saved, epoch: this.seal(member.sent), seq: member.sent.seq });
  }

  #committed(records: readonly LogRecord[], session: WriterSession | null): EncodedPacket {
    return this.encode(committedFrame(records, session, (last) => this.seal(last)));
  }
}
