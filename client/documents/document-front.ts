import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { SessionAnnouncement } from '../../shared/messages.ts';
import { backoffMs } from '../backoff.ts';
import type { ClientCore } from '../event-client.ts';
import { sameJson, type Writable, writable } from '../readable.ts';
import { quiet } from '../report.ts';
import { liveDocumentMaker, loadLiveDocument } from './document-code.ts';
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
  /** Keeps it over reloads; needs a document that the SDK made. */
  readonly keep?: Keep | undefined;
}

const LOAD_AGAIN = { baseMs: 1_000, capMs: 30_000 };

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
  #start: DocumentStart | null;
  #live: LiveDocument | null = null;
  readonly #stopNoting: () => void;
  #connection: SessionAnnouncement | null = null;
  #wanted = false;
  #closed = false;
  /** Why the code did not come, the last time. */
  #failure: AshlarError | null = null;
  #failures = 0;
  #cancelLoad: () => void = () => {};

  constructor(room: string, options: FrontOptions, core: ClientCore) {
    this.room = room;
    this.#core = core;
    this.status = writable<DocumentStatus>({ state: 'offline' }, core.report, { same: sameJson });
    this.access = writable<Access | null>(null, core.report);
    this.unsavedChanges = writable(0, core.report);
    this.everSynced = writable(false, core.report);
    this.isKept = options.keep !== undefined;
    const doc = options.doc ?? options.awareness?.doc ?? new Y.Doc();
    const edits: DocumentStart['edits'][number][] = [];
    const own = options.doc === undefined && options.awareness === undefined;
    const awareness = options.awareness ?? new Awareness(doc);
    this.#start = { doc, awareness, own, hadContent: hasContent(doc), edits, keep: options.keep };
    const note = (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction): void => {
      edits.push({ update, local });
      this.unsavedChanges.set(edits.length);
    };
    doc.on('update', note);
    this.#stopNoting = () => doc.off('update', note);
    this.#whenLive = quiet(new Promise((resolve, reject) => (this.#settle = { resolve, reject })));
    const make = liveDocumentMaker();
    if (make === null) void this.#load();
    else this.#takeOver(make);
  }

  get doc(): Y.Doc {
    return (this.#live ?? this.#start)!.doc;
  }

  get awareness(): Awareness {
    return (this.#live ?? this.#start)!.awareness;
  }

  /** What resets could not save; null: nothing. */
  get unsaved(): Uint8Array | null {
    return this.#live?.unsaved ?? null;
  }

  /** Whether anything would be lost if the document were dropped now. */
  get hasUnsaved(): boolean {
    return this.#live?.hasUnsaved ?? this.unsavedChanges.get() > 0;
  }

  /** Resolves once what was kept is in the document, or nothing can be for now. */
  get whenLoaded(): Promise<void> {
    if (this.#live !== null) return this.#live.whenLoaded;
    if (!this.isKept) return Promise.resolve();
    return this.#whenLive.then(
      (live) => live.whenLoaded,
      () => {},
    );
  }

  /** Resolves once everything edited before the call is on disk. */
  whenSaved(): Promise<void> {
    if (this.#live !== null) return this.#live.whenSaved();
    return this.hasUnsaved ? this.#whenLive.then((live) => live.whenSaved()) : Promise.resolve();
  }

  /** The user has the unsaved bytes of the last reset, or does not want them. */
  forgetUnsaved(): void {
    this.#live?.forgetUnsaved();
  }

  /** Whether somebody wants the document to be in its room. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    this.#live?.want(wanted);
    this.#showWaiting();
  }

  /** Nobody looks at it any more: others should not see this user there. */
  hide(): void {
    this.awareness.setLocalState(null);
  }

  show(): void {
    if (this.awareness.getLocalState() !== null) return;
    if (this.#live === null) this.awareness.setLocalState({});
    else this.#live.show();
  }

  connected(connection: SessionAnnouncement): void {
    this.#connection = connection;
    this.#live?.connected(connection);
    this.#showWaiting();
  }

  disconnected(): void {
    this.#connection = null;
    this.#live?.disconnected();
    this.#showWaiting();
  }

  frame(bytes: Uint8Array): void {
    this.#live?.frame(bytes);
  }

  accessChanged(access: Access): void {
    this.#live?.accessChanged(access);
  }

  notAMember(): void {
    this.#live?.notAMember();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#live?.close();
    if (this.#start === null) return;
    this.#cancelLoad();
    this.#stopNoting();
    this.#settle.reject(new AshlarError('client-closed'));
    if (!this.#start.own) return;
    this.#start.awareness.destroy();
    this.#start.doc.destroy();
  }

  async #load(): Promise<void> {
    const make = await loadLiveDocument().catch((error: unknown) => this.#retry(error));
    if (make !== undefined && !this.#closed) this.#takeOver(make);
  }

  #retry(cause: unknown): void {
    if (this.#closed) return;
    const isNews = this.#failure === null;
    this.#failure ??= new AshlarError('not-loaded', { room: this.room, cause });
    this.#showWaiting();
    const wait = backoffMs(++this.#failures, this.#core.env.random(), LOAD_AGAIN);
    this.#cancelLoad = this.#core.env.after(wait, () => void this.#load());
    if (isNews) this.#tell('error', this.#failure);
  }

  #takeOver(make: NonNullable<ReturnType<typeof liveDocumentMaker>>): void {
    const start = this.#start!;
    this.#failure = null;
    this.#showWaiting();
    this.#stopNoting();
    const live = make(this, start, this.#core);
    this.#live = live;
    this.#start = null;
    this.#settle.resolve(live);
    if (this.#connection !== null) live.connected(this.#connection);
    live.want(this.#wanted);
  }

  /** Until the code is here the document is on its way into its room, as far as anybody can see; or it does not come. */
  #showWaiting(): void {
    if (this.#live !== null) return;
    const waiting: DocumentStatus = { state: this.#connection !== null && this.#wanted ? 'joining' : 'offline' };
    const detail: DocumentStatus = this.#failure === null ? waiting : { state: 'refused', error: this.#failure };
    if (sameJson(this.status.get(), detail)) return;
    this.status.set(detail);
    this.#tell('status', { status: bindingStatus(detail), detail });
  }

  #tell<Name extends keyof DocumentEvents>(name: Name, ...event: DocumentEvents[Name]): void {
    for (const listener of [...this.listeners]) listener(name, ...event);
  }
}
