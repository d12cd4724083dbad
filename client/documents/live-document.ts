import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { decodeServerFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import { type Environment, randomWord } from '../environment.ts';
import type { ClientCore } from '../event-client.ts';
import { sameJson } from '../readable.ts';
import { AwarenessSync } from './awareness-sync.ts';
import type { DocumentFace, DocumentStart } from './document-face.ts';
import { DocumentSession } from './document-session.ts';
import { bindingStatus, type DocumentStatus, type ResetReason } from './document-status.ts';
import { holdDoc } from './hold-doc.ts';
import { joinUpdates } from './join-updates.ts';
import type { Keeping, KeptDocument } from './keeper.ts';
import { mergeInTree } from './merge-updates.ts';
import { createReplica } from './replica.ts';
import { ResetPace } from './reset-pace.ts';
import { Restoration } from './restoration.ts';
import { notRestoredError, Savers, stoppedError } from './savers.ts';
import { mayRestore } from './unsaved.ts';
import { Upload } from './upload.ts';

/** What keeps a document in step with the server. Survives resets: each gives it a fresh Y.Doc and session. */
export class LiveDocument implements KeptDocument {
  readonly room: string;
  /** What resets could not save; null: nothing. */
  unsaved: Uint8Array | null = null;
  readonly origin = {};
  readonly keptOrigins = new Set<unknown>();
  readonly merge = joinUpdates;
  readonly #keeping: Keeping | null;
  /** Whose document it is; undefined: nobody was named yet. */
  #userId: string | undefined;
  /** What its handles see of it. */
  readonly #face: DocumentFace;
  readonly #core: ClientCore;
  readonly #env: Environment;
  readonly #ownDoc: boolean;
  readonly #upload: Upload;
  #doc!: Y.Doc;
  #awareness!: AwarenessSync;
  #session!: DocumentSession;
  #unmount: () => void = () => {};
  #connection: SessionAnnouncement | null = null;
  #wanted = false;
  #stopped: ResetReason | null = null;
  readonly #restoration = new Restoration();
  /** As last told. */
  #savedThrough = 0;
  readonly #savers = new Savers();
  readonly #pace: ResetPace;
  #closed = false;

  constructor(face: DocumentFace, start: DocumentStart, core: ClientCore) {
    this.room = face.room;
    this.#face = face;
    this.#core = core;
    this.#env = core.env;
    this.#pace = new ResetPace(core.env);
    this.#ownDoc = start.own;
    this.#upload = new Upload({
      send: (frame) => core.connector.send('document', [face.room, frame]),
      backlogBytes: () => core.connector.backlogBytes(),
      frameBytes: () => this.#connection?.limits.frameBytes ?? 100_000,
      env: core.env,
    });
    this.#mount(start);
    const onLoaded = (): void => {
      this.#enter();
      this.#count();
    };
    this.#userId = start.userId;
    this.#keeping = start.keep?.(this, onLoaded) ?? null;
    this.#keeping?.load();
  }

  /** Resolves once what was kept is in the document, or nothing can be for now. */
  get whenLoaded(): Promise<void> {
    return this.#keeping?.whenLoaded ?? Promise.resolve();
  }

  get session(): DocumentSession {
    return this.#session;
  }

  get doc(): Y.Doc {
    return this.#doc;
  }

  get awareness(): Awareness {
    return this.#awareness.awareness;
  }

  /** Whether anything would be lost if the document were dropped now. */
  get hasUnsaved(): boolean {
    return this.#stopped === null && this.#face.unsavedChanges.get() > 0;
  }

  /** Whether somebody wants the document to be in its room. */
  want(wanted: boolean): void {
    if (this.#closed || (this.#wanted === wanted && this.#stopped === null)) return;
    this.#wanted = wanted;
    if (wanted && this.#stopped !== null && this.#ownDoc) this.#replace(this.#stopped);
    else if (wanted) this.#start();
    else this.#leave();
  }

  /** Present again after the local state was taken away. */
  show(): void {
    this.#awareness.reappear(this.#connection?.user ?? null);
  }

  connected(connection: SessionAnnouncement): void {
    this.#connection = connection;
    this.#enter();
  }

  disconnected(): void {
    this.#connection = null;
    this.#stop();
  }

  frame(bytes: Uint8Array): void {
    const frame = decodeServerFrame(bytes);
    if (frame.type === 'awareness') this.#awareness.receive(frame.update);
    else this.#session.frame(frame);
  }

  accessChanged(access: Access): void {
    this.#session.accessChanged(access);
  }

  notAMember(): void {
    this.#session.rejoin();
  }

  /** Resolves once everything edited before the call is on disk. */
  whenSaved(): Promise<void> {
    if (this.#face.unsavedChanges.get() === 0) return Promise.resolve();
    if (this.#stopped !== null) return Promise.reject(stoppedError(this.#stopped));
    if (this.#restoration.hasFailed) return Promise.reject(notRestoredError());
    return this.#savers.wait(this.#restoration.isDue ? null : this.#session.outbox.added);
  }

  /** The user has the unsaved bytes of the last reset, or does not want them. */
  forgetUnsaved(): void {
    // What is kept and not loaded yet, nobody has seen.
    if (this.unsaved !== null) this.#keeping?.forgetUnsaved();
    this.unsaved = null;
    if (!this.#restoration.hasFailed) return;
    this.#restoration.drop();
    this.#count();
  }

  keepingFailed(cause: unknown): void {
    const detail = 'this browser keeps the document no longer';
    this.#face.tell('error', new AshlarError('storage-unavailable', { room: this.room, detail, cause }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    this.#unmount();
    this.#keeping?.close();
    this.#savers.rejectAll(new AshlarError('client-closed'));
    if (this.#ownDoc) this.#doc.destroy();
  }

  #mount({ doc, awareness, hadContent, edits }: Pick<DocumentStart, 'doc' | 'awareness' | 'hadContent' | 'edits'>): void {
    this.#doc = doc;
    const sync = new AwarenessSync(awareness, {
      send: (update) => this.#upload.push({ type: 'awareness', update }),
      env: this.#env,
      report: this.#core.report,
    });
    this.#awareness = sync;
    const session: DocumentSession = new DocumentSession(
      {
        replica: createReplica(doc, this.origin, () => sync.rename(doc.clientID), this.#core.report),
        join: (options, onAnswer) => this.#core.connector.request('join-room', [this.room, options], onAnswer),
        send: (frame) => this.#upload.push(frame),
        env: this.#env,
        drawSecret: () => randomWord(this.#env, 32),
        drawClientId: () => new DataView(this.#env.randomBytes(4).slice().buffer).getUint32(0),
        changed: () => this.#changed(session),
        edited: () => {
          if (session === this.#session && !this.#closed) this.#count();
        },
        error: (error) => this.#face.tell('error', error),
        failed: (reason) => this.#reset(reason),
      },
      hadContent,
    );
    // Counted already: nothing has changed until the session is this document's.
    for (const { update, local } of edits) session.localUpdate(update, local);
    this.#session = session;
    const onUpdate = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
      if (origin !== this.origin && !this.keptOrigins.has(origin)) session.localUpdate(update, transaction.local);
    };
    doc.on('update', onUpdate);
    const letGo = holdDoc(doc, this.#ownDoc, this.#core.report);
    this.#unmount = () => {
      letGo();
      doc.off('update', onUpdate);
      session.close();
      sync.close();
      if (this.#ownDoc) awareness.destroy();
    };
  }

  #enter(): void {
    const kept = this.#keeping?.userId;
    const owner = kept ?? this.#userId;
    this.#userId = this.#connection?.user.id ?? owner;
    if (owner === undefined || owner === this.#userId) this.#start();
    else if (kept === undefined) {
      this.#restoration.drop();
      this.#reset('other-user');
    } else {
      // It waits for its owner where it is kept.
      this.unsaved = null;
      this.#unmount();
      this.#replace('other-user');
    }
  }

  #start(): void {
    if (!this.#mayJoin) return;
    const { session } = this;
    const ready = this.#keeping?.beforeJoin();
    if (ready)
      void ready.then(() => {
        if (this.#mayJoin && session === this.#session) session.connected();
      });
    else session.connected();
  }

  get #mayJoin(): boolean {
    const waits = this.#keeping?.isLoading || this.#pace.isWaiting;
    return this.#connection !== null && this.#wanted && this.#stopped === null && !this.#closed && !waits;
  }

  #stop(): void {
    this.#pace.stop();
    this.#upload.clear();
    this.#awareness.left();
    this.#session.disconnected();
  }

  #leave(): void {
    const inRoom = this.#session.inRoom || this.#session.status.state === 'joining';
    this.#stop();
    if (inRoom) this.#core.connector.send('leave-room', [this.room]);
  }

  #changed(session: DocumentSession): void {
    // A report of a session that a reset has replaced.
    if (session !== this.#session || this.#closed) return;
    const before = this.#face.status.get();
    // What is kept comes first: to those who wait, that is a part of joining.
    const waits = session.status.state === 'offline' && this.#connection !== null && this.#wanted;
    const status: DocumentStatus = waits ? { state: 'joining' } : session.status;
    if (!session.inRoom) this.#leftRoom();
    else if (before.state === 'joining' || before.state === 'offline') this.#joinedRoom();
    if (session.access !== null && session.access !== this.#face.access.get()) {
      this.#face.access.set(session.access);
      this.#face.tell('access', session.access);
    }
    if (status.state === 'refused') this.#core.members.clear(this.room);
    if (status.state === 'synced' && this.#restoration.isDue) void this.#restore();
    this.#show(status);
    this.#count();
  }

  #show(status: DocumentStatus): void {
    const before = this.#face.status.get();
    if (sameJson(before, status)) return;
    this.#face.status.set(status);
    this.#face.tell('status', { status: bindingStatus(status), detail: status });
    const synced = status.state === 'synced';
    if (synced !== (before.state === 'synced')) this.#face.tell('sync', synced);
    if (synced) this.#face.tell('synced', true);
  }

  #count(): void {
    const { unsaved, added } = this.#session.outbox;
    const savedThrough = added - unsaved;
    const saved = savedThrough > this.#savedThrough;
    this.#savedThrough = savedThrough;
    this.#face.unsavedChanges.set(unsaved + this.#restoration.edits);
    this.#face.everSynced.set(this.#session.everSynced);
    this.#keeping?.changed();
    this.#savers.savedThrough(savedThrough);
    if (saved) this.#face.tell('saved', { unsavedChanges: this.#face.unsavedChanges.get() });
  }

  #joinedRoom(): void {
    if (this.#connection === null) return;
    this.#awareness.joined(this.#connection.user);
    this.#core.members.joined(this.room);
  }

  #leftRoom(): void {
    this.#upload.clear();
    this.#awareness.left();
  }

  async #restore(): Promise<void> {
    const { restored, failed } = await this.#restoration.run(
      () => (this.#closed || this.#session.status.state !== 'synced' ? null : this.#doc),
      this.#core.report,
    );
    if (restored.length + failed.length === 0) return;
    if (failed.length === 0 && this.#restoration.bytes === this.unsaved) this.forgetUnsaved();
    if (failed.length > 0) this.#savers.rejectUncounted(notRestoredError());
    else this.#savers.recount(this.#session.outbox.added);
    this.#count();
    const { doc } = this;
    for (const { update, reason } of failed) {
      this.#face.tell('reset', { reason, unsaved: update, restoring: false, previous: doc, doc });
    }
  }

  // Client and server cannot agree: the server's content counts, and what was not saved is kept for the user.
  #reset(reason: ResetReason): void {
    const previous = this.#doc;
    const { outbox, clientId } = this.#session;
    const unsaved = outbox.merged();
    const edits = outbox.unsaved;
    const others = this.unsaved === this.#restoration.bytes ? null : this.unsaved;
    if (unsaved !== null) this.unsaved = this.unsaved === null ? unsaved : mergeInTree([this.unsaved, unsaved]);
    const mayWrite = this.#face.access.get() !== 'read' && this.#face.access.get() !== 'none';
    const restoring = unsaved !== null && this.#ownDoc && mayWrite && mayRestore(reason);
    // Nobody hears of it: it counts as not saved until somebody has looked.
    if (unsaved !== null && !restoring && this.#face.listeners.size === 0) {
      this.#core.report(stoppedError(reason), this.room);
      if (reason !== 'other-user') this.#restoration.fail(edits);
    }
    this.#upload.clear();
    this.#unmount();
    if (restoring) this.#restoration.begin({ update: unsaved, clientId, edits, reason });
    if (restoring && others === null) this.#restoration.bytes = this.unsaved;
    this.#keeping?.startOver(unsaved === null ? null : this.unsaved, reason);
    if (!this.#ownDoc || reason === 'gone') {
      this.#stopped = reason;
      this.#savers.rejectAll(stoppedError(reason));
      this.#face.unsavedChanges.set(edits + this.#restoration.edits);
      this.#restoration.drop();
      this.#show({ state: 'stopped', reason });
    } else {
      if (this.#restoration.isDue) this.#savers.uncount();
      else this.#savers.rejectAll(stoppedError(reason));
      this.#mountFresh();
      this.#show({ state: 'joining' });
    }
    const { doc } = this;
    this.#face.tell('reset', { reason, unsaved, restoring, previous, doc });
    if (this.#stopped !== null) return;
    this.#count();
    this.#pace.begin(() => this.#start());
  }

  #mountFresh(): void {
    const doc = new Y.Doc();
    this.#mount({ doc, awareness: new Awareness(doc), hadContent: false, edits: [] });
    this.#keeping?.load();
  }

  #replace(reason: ResetReason): void {
    const previous = this.#doc;
    this.#stopped = null;
    this.#restoration.drop();
    this.#savers.rejectAll(stoppedError(reason));
    this.#mountFresh();
    this.#face.tell('reset', { reason, unsaved: null, restoring: false, previous, doc: this.#doc });
    this.#count();
    this.#start();
    this.#changed(this.#session);
  }
}
