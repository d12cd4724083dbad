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
import type { DocumentListener } from './document-listener.ts';
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
  readonly #options: FrontOptions;
  readonly #doc: Y.Doc;
  readonly #awareness: Awareness;
  /** The SDK made the document, and destroys it. */
  readonly #own: boolean;
  readonly #hadContent: boolean;
  readonly #edits: DocumentStart['edits'][number][] = [];
  readonly #onUpdate: (update: Uint8Array, origin: unknown, doc: Y.Doc, transaction: Y.Transaction) => void;
  readonly #whenLive: Promise<LiveDocument>;
  #settle!: { resolve(live: LiveDocument): void; reject(error: AshlarError): void };
  #live: LiveDocument | null = null;
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
    this.#options = options;
    this.status = writable<DocumentStatus>({ state: 'offline' }, core.report, { same: sameJson });
    this.access = writable<Access | null>(null, core.report);
    this.unsavedChanges = writable(0, core.report);
    this.everSynced = writable(false, core.report);
    this.isKept = options.keep !== undefined;
    this.#own = options.doc === undefined && options.awareness === undefined;
    this.#doc = options.doc ?? options.awareness?.doc ?? new Y.Doc();
    this.#awareness = options.awareness ?? new Awareness(this.#doc);
    this.#hadContent = hasContent(this.#doc);
    this.#onUpdate = (update, _origin, _doc, { local }) => {
      this.#edits.push({ update, local });
      this.unsavedChanges.set(this.#edits.length);
    };
    this.#whenLive = quiet(new Promise((resolve, reject) => (this.#settle = { resolve, reject })));
    this.#doc.on('update', this.#onUpdate);
    const make = liveDocumentMaker();
    if (make === null) void this.#load();
    else this.#takeOver(make);
  }

  get doc(): Y.Doc {
    return this.#live?.doc ?? this.#doc;
  }

  get awareness(): Awareness {
    return this.#live?.awareness ?? this.#awareness;
  }

  /** What resets could not save; null: nothing. */
  get unsaved(): Uint8Array | null {
    return this.#live?.unsaved ?? null;
  }

  /** Whether anything would be lost if the document were dropped now. */
  get hasUnsaved(): boolean {
    return this.#live?.hasUnsaved ?? this.#edits.length > 0;
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
    if (this.#live !== null) return;
    this.#cancelLoad();
    this.#doc.off('update', this.#onUpdate);
    this.#settle.reject(new AshlarError('client-closed'));
    if (!this.#own) return;
    this.#awareness.destroy();
    this.#doc.destroy();
  }

  async #load(): Promise<void> {
    try {
      const make = await loadLiveDocument();
      if (!this.#closed) this.#takeOver(make);
    } catch (error) {
      if (this.#closed) return;
      this.#fail(new AshlarError('not-loaded', { room: this.room, cause: error }));
      const wait = backoffMs(++this.#failures, this.#core.env.random(), LOAD_AGAIN);
      this.#cancelLoad = this.#core.env.after(wait, () => void this.#load());
    }
  }

  #takeOver(make: NonNullable<ReturnType<typeof liveDocumentMaker>>): void {
    this.#failure = null;
    this.#showWaiting();
    this.#doc.off('update', this.#onUpdate);
    const { keep } = this.#options;
    const start = {
      doc: this.#doc,
      awareness: this.#awareness,
      own: this.#own,
      hadContent: this.#hadContent,
      edits: this.#edits,
      keep,
    };
    const live = make(this, start, this.#core);
    this.#live = live;
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
    for (const listener of [...this.listeners]) listener('status', { status: bindingStatus(detail), detail });
  }

  #fail(error: AshlarError): void {
    const isNews = this.#failure === null;
    this.#failure ??= error;
    this.#showWaiting();
    if (!isNews) return;
    for (const listener of [...this.listeners]) listener('error', error);
  }
}
