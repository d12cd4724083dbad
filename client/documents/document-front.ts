import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import type { ClientCore } from '../event-client.ts';
import type { Later } from '../later.ts';
import { sameJson, type Writable, writable } from '../readable.ts';
import { quiet } from '../report.ts';
import { liveDocumentMaker, type MakeLive } from './document-code.ts';
import type { DocumentFace, DocumentStart } from './document-face.ts';
import type { DocumentEvents, DocumentListener } from './document-listener.ts';
import { bindingStatus, type DocumentStatus } from './document-status.ts';
import { hasContent } from './has-content.ts';
import type { Keep } from './keeper.ts';
import type { LiveDocument } from './live-document.ts';

export interface FrontOptions {
  /** The caller's own document; undefined: the SDK makes one, and a fresh one at each reset. */
  readonly doc?: Y.Doc | undefined;
  readonly awareness?: Awareness | undefined;
}

/** What a document needs besides, as it is loaded. */
export interface FrontParts {
  readonly live: Later<MakeLive>;
  /** Keeps it over reloads; needs a document that the SDK made. Undefined: nothing does. */
  readonly keep: Later<Keep> | undefined;
}

/**
 * One document of the page, whatever number of handles it has: what they see of it. It is there at once; the `LiveDocument` behind it, which
 * keeps it in step with the server, follows as soon as its code is loaded, and takes over what was edited by then.
 */
export class DocumentFront implements DocumentFace {
  readonly room: string;
  readonly listeners = new Set<DocumentListener>();
  readonly status: Writable<DocumentStatus>;
  readonly access: Writable<Access | null>;
  readonly unsavedChanges: Writable<number>;
  readonly everSynced: Writable<boolean>;
  readonly isKept: boolean;
  readonly #core: ClientCore;
  readonly #whenLive: Promise<LiveDocument>;
  #settle!: { resolve(live: LiveDocument): void; reject(error: AshlarError): void };
  /** Until `LiveDocument` takes over: it may give this document up at a reset. */
  #start: Omit<DocumentStart, 'keep' | 'userId'> | null;
  /** Keeps it in step with the server; null: not here yet. */
  live: LiveDocument | null = null;
  readonly #stopNoting: () => void;
  readonly #ownAwareness: boolean;
  #userId: string | undefined;
  #connection: SessionAnnouncement | null = null;
  #wanted = false;
  #closed = false;
  readonly #parts: FrontParts;
  /** Why a part is not here. */
  #failure: AshlarError | null = null;
  readonly #whenFailed: Promise<void>;
  #failed: () => void = () => {};
  #stopHearing: (() => void)[] = [];

  constructor(room: string, options: FrontOptions, parts: FrontParts, core: ClientCore) {
    this.room = room;
    this.#core = core;
    this.status = writable<DocumentStatus>({ state: 'offline' }, core.report, { same: sameJson });
    this.access = writable<Access | null>(null, core.report);
    this.unsavedChanges = writable(0, core.report);
    this.everSynced = writable(false, core.report);
    this.isKept = parts.keep !== undefined;
    this.#parts = parts;
    const doc = options.doc ?? options.awareness?.doc ?? new Y.Doc();
    const edits: DocumentStart['edits'][number][] = [];
    const own = options.doc === undefined && options.awareness === undefined;
    const awareness = options.awareness ?? new Awareness(doc);
    this.#start = { doc, awareness, own, hadContent: hasContent(doc), edits };
    this.#ownAwareness = options.awareness === undefined;
    const note = (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction): void => {
      edits.push({ update, local });
      this.unsavedChanges.set(edits.length);
    };
    doc.on('update', note);
    this.#stopNoting = () => doc.off('update', note);
    this.#whenLive = quiet(new Promise((resolve, reject) => (this.#settle = { resolve, reject })));
    const make = liveDocumentMaker();
    this.#whenFailed = new Promise((resolve) => (this.#failed = resolve));
    if (make !== null && parts.keep === undefined) this.#takeOver(make, undefined);
    else void this.#load();
  }

  get doc(): Y.Doc {
    return (this.live ?? this.#start)!.doc;
  }

  get awareness(): Awareness {
    return (this.live ?? this.#start)!.awareness;
  }

  /** What resets could not save; null: nothing. */
  get unsaved(): Uint8Array | null {
    return this.live?.unsaved ?? null;
  }

  /** Whether anything would be lost if the document were dropped now. */
  get hasUnsaved(): boolean {
    return this.live?.hasUnsaved ?? this.unsavedChanges.get() > 0;
  }

  /** Resolves once what was kept is in the document, or nothing can be for now. */
  get whenLoaded(): Promise<void> {
    if (this.live !== null) return this.live.whenLoaded;
    if (!this.isKept) return Promise.resolve();
    const loaded = this.#whenLive.then(
      (live) => live.whenLoaded,
      () => {},
    );
    return Promise.race([loaded, this.#whenFailed]);
  }

  /** Resolves once everything edited before the call is on disk. */
  whenSaved(): Promise<void> {
    if (this.live !== null) return this.live.whenSaved();
    return this.hasUnsaved ? this.#whenLive.then((live) => live.whenSaved()) : Promise.resolve();
  }

  /** Whether somebody wants the document to be in its room. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    this.live?.want(wanted);
    this.#showWaiting();
  }

  /** Nobody looks at it any more: others should not see this user there. */
  hide(): void {
    this.awareness.setLocalState(null);
  }

  show(): void {
    if (this.awareness.getLocalState() !== null) return;
    if (this.live === null) this.awareness.setLocalState({});
    else this.live.show();
  }

  connected(connection: SessionAnnouncement): void {
    this.#userId ??= connection.user.id;
    this.#connection = connection;
    this.live?.connected(connection);
    this.#showWaiting();
  }

  disconnected(): void {
    this.#connection = null;
    this.live?.disconnected();
    this.#showWaiting();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.live?.close();
    if (this.#start === null) return;
    for (const stop of this.#stopHearing) stop();
    this.#stopNoting();
    this.#settle.reject(new AshlarError('client-closed'));
    const { doc, awareness, own } = this.#start;
    if (this.#ownAwareness) awareness.destroy();
    if (own) doc.destroy();
  }

  async #load(): Promise<void> {
    const { live, keep } = this.#parts;
    const here = Promise.all([live.get(), keep?.get()]);
    this.#stopHearing = [live, keep].map((part) => part?.failure.subscribe(() => this.#showWaiting()) ?? (() => {}));
    this.#showWaiting();
    const [make, keeps] = await here;
    if (!this.#closed) this.#takeOver(make, keeps);
  }

  #takeOver(make: MakeLive, keep: Keep | undefined): void {
    for (const stop of this.#stopHearing) stop();
    this.#showWaiting();
    this.#stopNoting();
    const live = make(this, { ...this.#start!, keep, userId: this.#userId }, this.#core);
    this.live = live;
    this.#start = null;
    this.#settle.resolve(live);
    if (this.#connection !== null) live.connected(this.#connection);
    live.want(this.#wanted);
  }

  /** Until the code is here the document is on its way into its room, as far as anybody can see; or it does not come. */
  #showWaiting(): void {
    if (this.live !== null) return;
    const cause = this.#parts.live.failure.get() ?? this.#parts.keep?.failure.get() ?? null;
    const isNews = cause !== null && this.#failure === null;
    if (cause === null) this.#failure = null;
    else this.#failure ??= new AshlarError('not-loaded', { room: this.room, cause: cause.cause });
    const waiting: DocumentStatus = { state: this.#connection !== null && this.#wanted ? 'joining' : 'offline' };
    const detail: DocumentStatus = this.#failure === null ? waiting : { state: 'refused', error: this.#failure };
    if (!sameJson(this.status.get(), detail)) {
      this.status.set(detail);
      this.tell('status', { status: bindingStatus(detail), detail });
    }
    if (!isNews) return;
    this.#failed();
    this.tell('error', this.#failure!);
  }

  tell<Name extends keyof DocumentEvents>(name: Name, ...event: DocumentEvents[Name]): void {
    for (const listener of [...this.listeners]) listener(name, ...event);
  }
}
