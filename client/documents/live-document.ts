import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { decodeServerFrame } from '../../shared/document-frame.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import { backoffMs } from '../backoff.ts';
import { type Environment, randomWord } from '../environment.ts';
import type { ClientCore } from '../event-client.ts';
import { type Writable, writable } from '../readable.ts';
import { AwarenessSync } from './awareness-sync.ts';
import { DocumentSession } from './document-session.ts';
import type { DocumentStatus, ResetReason } from './document-status.ts';
import { createReplica, hasContent } from './replica.ts';
import { mayRestore, type Unsaved } from './unsaved.ts';
import { Upload } from './upload.ts';

/** What happened to the content of a document, and what became of the edits that were not saved. */
export interface ResetEvent {
  readonly reason: ResetReason;
  /** A Yjs update (V1) of what was not saved, written against `previous`; null: all was saved. */
  readonly unsaved: Uint8Array | null;
  /** The SDK will put the unsaved edits into `doc` by itself. */
  readonly restoring: boolean;
  readonly previous: Y.Doc;
  /** The document from now on: a fresh one, or `previous` where the SDK stopped. Mount bindings again. */
  readonly doc: Y.Doc;
}

/** What a document tells its handles. */
export interface DocumentListener {
  status(status: DocumentStatus): void;
  sync(synced: boolean): void;
  saved(unsavedChanges: number): void;
  access(access: Access): void;
  reset(event: ResetEvent): void;
  error(error: AshlarError): void;
}

interface Saver {
  /** Resolved once the outbox has everything up to this ordinal on disk; null: counted again after a restore. */
  through: number | null;
  resolve(): void;
  reject(error: AshlarError): void;
}

export interface LiveDocumentOptions {
  /** The caller's own document; undefined: the SDK makes one, and a fresh one at each reset. */
  doc?: Y.Doc | undefined;
  awareness?: Awareness | undefined;
}

const RESET_RETRY = { baseMs: 2_000, capMs: 60_000 };
const RESETS_FORGOTTEN_MS = 60_000;

/** One document on the connection, whatever number of handles it has. Survives resets: each gives it a fresh Y.Doc and session. */
export class LiveDocument {
  readonly room: string;
  readonly listeners = new Set<DocumentListener>();
  readonly status: Writable<DocumentStatus>;
  readonly access: Writable<Access | null>;
  readonly unsavedChanges: Writable<number>;
  /** What the last reset could not save; null: nothing. */
  unsaved: Uint8Array | null = null;
  readonly #core: ClientCore;
  readonly #env: Environment;
  readonly #ownDoc: boolean;
  readonly #upload: Upload;
  /** The transaction origin of what comes from the server. */
  readonly #origin = {};
  #doc!: Y.Doc;
  #awareness!: AwarenessSync;
  #session!: DocumentSession;
  #unmount: () => void = () => {};
  #connection: SessionAnnouncement | null = null;
  #wanted = false;
  #stopped: ResetReason | null = null;
  #restoring: Unsaved | null = null;
  /** The code that restores is on its way. */
  #loading = false;
  #savers: Saver[] = [];
  #resets = 0;
  #lastResetAt = 0;
  #cancelStart: () => void = () => {};
  #closed = false;

  constructor(room: string, options: LiveDocumentOptions, core: ClientCore) {
    this.room = room;
    this.#core = core;
    this.#env = core.env;
    this.#ownDoc = options.doc === undefined && options.awareness === undefined;
    this.status = writable<DocumentStatus>({ state: 'offline' }, core.report, { same: sameStatus });
    this.access = writable<Access | null>(null, core.report);
    this.unsavedChanges = writable(0, core.report);
    this.#upload = new Upload({
      send: (frame) => core.connector.send('document', [room, frame]),
      backlogBytes: () => core.connector.backlogBytes(),
      frameBytes: () => this.#connection?.limits.frameBytes ?? 100_000,
      after: (ms, task) => this.#env.after(ms, task),
    });
    const doc = options.doc ?? options.awareness?.doc ?? new Y.Doc();
    this.#mount(doc, options.awareness ?? new Awareness(doc));
  }

  get doc(): Y.Doc {
    return this.#doc;
  }

  get awareness(): Awareness {
    return this.#awareness.awareness;
  }

  /** The SDK made the document, and destroys it. */
  get ownsDoc(): boolean {
    return this.#ownDoc;
  }

  /** Whether anything would be lost if the document were dropped now. */
  get hasUnsaved(): boolean {
    return this.#stopped === null && this.unsavedChanges.get() > 0;
  }

  /** Whether somebody wants the document to be in its room. */
  want(wanted: boolean): void {
    if (this.#closed || (this.#wanted === wanted && this.#stopped === null)) return;
    this.#wanted = wanted;
    if (wanted && this.#stopped !== null && this.#ownDoc) this.#startFresh();
    else if (wanted) this.#start();
    else this.#leave();
  }

  /** Nobody looks at it any more: others should not see this user there. */
  hide(): void {
    this.awareness.setLocalState(null);
  }

  show(): void {
    if (this.awareness.getLocalState() === null) this.#awareness.reappear(this.#connection?.user ?? null);
  }

  connected(connection: SessionAnnouncement): void {
    this.#connection = connection;
    this.#start();
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
    if (this.unsavedChanges.get() === 0) return Promise.resolve();
    if (this.#stopped !== null) return Promise.reject(stoppedError(this.#stopped));
    return new Promise((resolve, reject) => {
      const through = this.#restoring === null ? this.#session.outbox.added : null;
      this.#savers.push({ through, resolve, reject });
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    this.#unmount();
    this.#rejectSavers(new AshlarError('client-closed'));
    if (this.#ownDoc) this.#doc.destroy();
  }

  #mount(doc: Y.Doc, awareness: Awareness): void {
    this.#doc = doc;
    const sync = new AwarenessSync(awareness, {
      send: (update) => this.#upload.push({ type: 'awareness', update }),
      after: (ms, task) => this.#env.after(ms, task),
    });
    this.#awareness = sync;
    const session: DocumentSession = new DocumentSession(
      {
        replica: createReplica(doc, this.#origin, () => sync.rename(doc.clientID), this.#core.report),
        join: (options, onAnswer) => this.#core.connector.request('join-room', [this.room, options], onAnswer),
        send: (frame) => this.#upload.push(frame),
        now: () => this.#env.now(),
        random: () => this.#env.random(),
        after: (ms, task) => this.#env.after(ms, task),
        drawSecret: () => randomWord(this.#env, 32),
        drawClientId: () => new DataView(this.#env.randomBytes(4).slice().buffer).getUint32(0),
        changed: () => this.#changed(session),
        error: (error) => this.#tell((listener) => listener.error(error)),
        failed: (reason) => this.#reset(reason),
      },
      hasContent(doc),
    );
    this.#session = session;
    const onUpdate = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
      if (origin !== this.#origin) session.localUpdate(update, transaction.local);
    };
    doc.on('update', onUpdate);
    this.#unmount = () => {
      doc.off('update', onUpdate);
      session.close();
      sync.close();
      if (this.#ownDoc) awareness.destroy();
    };
  }

  #start(): void {
    if (this.#connection !== null && this.#wanted && this.#stopped === null && !this.#closed) this.#session.connected();
  }

  #stop(): void {
    this.#cancelStart();
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
    const before = this.status.get();
    const status = session.status;
    if (!session.inRoom) this.#leftRoom();
    else if (before.state === 'joining' || before.state === 'offline') this.#joinedRoom();
    if (session.access !== null && session.access !== this.access.get()) {
      this.access.set(session.access);
      this.#tell((listener) => listener.access(session.access!));
    }
    if (status.state === 'synced' && this.#restoring !== null) void this.#restore();
    this.#show(status);
    this.#count();
  }

  #show(status: DocumentStatus): void {
    const before = this.status.get();
    if (sameStatus(before, status)) return;
    this.status.set(status);
    this.#tell((listener) => listener.status(status));
    const synced = status.state === 'synced';
    if (synced !== (before.state === 'synced')) this.#tell((listener) => listener.sync(synced));
  }

  #count(): void {
    const { outbox } = this.#session;
    const before = this.unsavedChanges.get();
    const unsaved = outbox.unsaved + (this.#restoring?.edits ?? 0);
    this.unsavedChanges.set(unsaved);
    const saved = this.#savers.filter(({ through }) => through !== null && outbox.savedThrough >= through);
    this.#savers = this.#savers.filter((saver) => !saved.includes(saver));
    for (const { resolve } of saved) resolve();
    if (unsaved < before) this.#tell((listener) => listener.saved(unsaved));
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

  // Rare, and large: a page loads it when it is needed.
  async #restore(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    const load = await import('./restore.ts').catch((error: unknown) => this.#core.report(error, 'loading of ashlar/client'));
    this.#loading = false;
    // Not there: tried again once it is synced again. The unsaved bytes stay.
    const unsaved = this.#restoring;
    if (load === undefined || this.#closed || unsaved === null || this.#session.status.state !== 'synced') return;
    this.#restoring = null;
    const restored = load.restoreUnsaved(this.#doc, unsaved);
    if (restored && this.unsaved === unsaved.update) this.unsaved = null;
    const waiting = this.#savers.filter(({ through }) => through === null);
    if (restored) {
      for (const saver of waiting) saver.through = this.#session.outbox.added;
    } else {
      this.#savers = this.#savers.filter((saver) => !waiting.includes(saver));
      for (const { reject } of waiting) reject(new AshlarError('invalid-update', { detail: 'see the unsaved bytes' }));
    }
    this.#count();
  }

  // Client and server cannot agree: the server's content counts, and what was not saved is kept for the user.
  #reset(reason: ResetReason): void {
    const previous = this.#doc;
    const { outbox, clientId } = this.#session;
    const unsaved = outbox.merged();
    const edits = outbox.unsaved;
    if (unsaved !== null) this.unsaved = unsaved;
    const mayWrite = this.access.get() !== 'read' && this.access.get() !== 'none';
    const restoring = unsaved !== null && this.#ownDoc && mayWrite && mayRestore(reason);
    this.#upload.clear();
    this.#unmount();
    // Another reset before the edits of an earlier one came back: those stay what is to be restored.
    if (restoring) this.#restoring = { update: unsaved, clientId, edits };
    if (!this.#ownDoc || reason === 'gone') {
      this.#stopped = reason;
      this.#restoring = null;
      this.#rejectSavers(stoppedError(reason));
      this.unsavedChanges.set(edits);
      this.#show({ state: 'stopped', reason });
    } else {
      if (this.#restoring === null) this.#rejectSavers(stoppedError(reason));
      else for (const saver of this.#savers) saver.through = null;
      this.#mountFresh();
      this.#show({ state: 'joining' });
    }
    const { doc } = this;
    this.#tell((listener) => listener.reset({ reason, unsaved, restoring, previous, doc }));
    if (this.#stopped !== null) return;
    this.#count();
    this.#startAfterReset();
  }

  #mountFresh(): void {
    const doc = new Y.Doc();
    this.#mount(doc, new Awareness(doc));
  }

  #startFresh(): void {
    const previous = this.#doc;
    const reason = this.#stopped ?? 'gone';
    this.#stopped = null;
    this.#mountFresh();
    this.#tell((listener) => listener.reset({ reason, unsaved: null, restoring: false, previous, doc: this.#doc }));
    this.#count();
    this.#start();
    this.#changed(this.#session);
  }

  // A binding that writes as it mounts, for a reader, would reset for ever: each time soon after the last waits longer.
  #startAfterReset(): void {
    const now = this.#env.now();
    this.#resets = now - this.#lastResetAt > RESETS_FORGOTTEN_MS ? 1 : this.#resets + 1;
    this.#lastResetAt = now;
    const wait = this.#resets === 1 ? 0 : 500 * this.#resets + backoffMs(this.#resets - 1, this.#env.random(), RESET_RETRY);
    this.#cancelStart();
    this.#cancelStart = this.#env.after(wait, () => this.#start());
  }

  #rejectSavers(error: AshlarError): void {
    const savers = this.#savers;
    this.#savers = [];
    for (const { reject } of savers) reject(error);
  }

  #tell(call: (listener: DocumentListener) => void): void {
    for (const listener of [...this.listeners]) call(listener);
  }
}

function stoppedError(reason: ResetReason): AshlarError {
  return AshlarError.fromWire({ code: reason, detail: 'the document was reset: see the unsaved bytes' });
}

function sameStatus(left: DocumentStatus, right: DocumentStatus): boolean {
  if (left.state === 'syncing' && right.state === 'syncing')
    return left.received === right.received && left.total === right.total;
  if (left.state === 'refused' && right.state === 'refused') return left.error === right.error;
  if (left.state === 'stopped' && right.state === 'stopped') return left.reason === right.reason;
  return left.state === right.state;
}
