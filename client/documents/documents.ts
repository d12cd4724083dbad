import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { ACCESS_LEVELS, type Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { documentRoom } from '../../shared/room-name.ts';
import { type Allowed, checkOptions, type Options } from '../check-options.ts';
import { isRecord } from '../connector.ts';
import type { ClientCore } from '../event-client.ts';
import { importLater } from '../import-later.ts';
import { Later } from '../later.ts';
import type { OfflineDocuments } from '../offline/offline-documents.ts';
import type { OfflineStorage } from '../offline/offline-storage.ts';
import { type Writable, writable } from '../readable.ts';
import { loadLiveDocument, type MakeLive } from './document-code.ts';
import { DocumentFront } from './document-front.ts';
import { createHandle, type DocumentHandle } from './document-handle.ts';
import type { Keep } from './keeper.ts';

export interface DocumentOptions {
  /**
   * A document of your own. The SDK never replaces it: at a reset it stops. What another provider brings into it (y-indexeddb, say) must have been
   * on the server before: edits of an earlier page that were never sent are refused (`foreign-client-id`), since nobody can tell whose they are.
   * `offline` keeps such edits, and sends them.
   */
  doc?: Y.Doc;
  /** An awareness of your own, of the same document. */
  awareness?: Awareness;
  /**
   * Keeps the document in the browser (IndexedDB), for the client's `userId`, or the user whom the server verified last: it opens without a network, edits
   * survive a reload or a closed browser, and the user's tabs see each other's edits without the server. Default false. Not together
   * with a `doc` or an `awareness` of your own.
   */
  offline?: boolean;
}

export interface DocumentsOptions {
  /**
   * Asks before the page is left while edits are not on the server's disk, those of documents with `offline` too. Default true. Only
   * in browsers.
   */
  warnBeforeUnload?: boolean;
  /** Where documents with `offline` are kept. Default: the browser's IndexedDB. */
  offlineStorage?: OfflineStorage;
  /**
   * The id of the page's user, as in the token. With it nobody else's documents open offline, on a shared browser, before the server has
   * answered. Default: unknown; then those of the user whom the server verified last open once it cannot be asked. Another user needs
   * another client.
   */
  userId?: string | undefined;
}

const BOOLEAN: Allowed = ['boolean'];

/** What a client with documents takes besides. */
export const DOCUMENTS_OPTIONS: Options = { warnBeforeUnload: BOOLEAN, offlineStorage: ['object'], userId: ['string'] };

const DOCUMENT_OPTIONS: Options = { doc: ['object'], awareness: ['object'], offline: BOOLEAN };

/** A document with edits that are not on the server's disk. */
export interface UnsavedDocument {
  readonly name: string;
  /** Local transactions. */
  readonly unsavedChanges: number;
}

interface Open {
  readonly front: DocumentFront;
  /** Handle → whether it wants the document in its room. */
  readonly handles: Map<DocumentHandle, boolean>;
  cancelClose: () => void;
}

// A component that unmounts and mounts again finds its document as it was.
const CLOSE_GRACE_MS = 250;

/** The open documents of a client: one subscription each, shared by its handles. */
export class Documents {
  readonly #core: ClientCore;
  readonly #options: DocumentsOptions;
  readonly #open = new Map<string, Open>();
  /** Those with edits that are not on the server's disk. */
  readonly unsaved: Writable<readonly UnsavedDocument[]>;
  #offline: OfflineDocuments | null = null;
  readonly #live: Later<MakeLive>;
  readonly #keep: Later<Keep>;
  #stopWarning: (() => void) | null = null;

  constructor(core: ClientCore, options: DocumentsOptions) {
    this.#core = core;
    this.#options = options;
    this.unsaved = writable<readonly UnsavedDocument[]>([], core.report, { same: sameUnsaved });
    this.#live = new Later(loadLiveDocument, core.env, core.report);
    this.#keep = new Later(() => this.#loadKeep(), core.env, core.report);
    core.connector.attach({
      up: (session) => {
        for (const part of [this.#live, this.#keep]) part.hurry();
        for (const { front } of [...this.#open.values()]) front.connected(session);
      },
      down: () => {
        for (const { front } of [...this.#open.values()]) front.disconnected();
      },
      message: (event, args) => this.#onMessage(event, args),
    });
  }

  /** @throws AshlarError `invalid-room` for a bad name, `invalid-options` where the document is open with another Y.Doc */
  open(name: string, options: DocumentOptions): DocumentHandle {
    const room = documentRoom(name);
    this.#core.connector.mustLive();
    checkOptions(options, DOCUMENT_OPTIONS);
    const open = this.#find(room, options) ?? this.#create(room, options);
    open.front.show();
    const handle = createHandle(
      name,
      open.front,
      {
        wants: (key, wanted) => {
          open.handles.set(key, wanted);
          if (wanted) {
            open.cancelClose();
            // Also starts a stopped one over.
            open.front.want(true);
          } else if (!isWanted(open)) open.front.want(false);
        },
        released: (key) => {
          open.handles.delete(key);
          this.#release(room, open);
        },
      },
      this.#core.report,
    );
    handle.connect();
    return handle;
  }

  /** Closes all of them, saved or not. */
  destroy(): void {
    for (const [room, open] of this.#open) {
      for (const handle of open.handles.keys()) handle.destroy();
      this.#close(room, open);
    }
    for (const part of [this.#live, this.#keep]) part.stop();
  }

  /** Deletes what is kept of all documents. */
  async clearOffline(): Promise<void> {
    await (await this.#loadOffline()).clear();
  }

  // A page that keeps nothing does not load what keeps.
  async #loadOffline(): Promise<OfflineDocuments> {
    const { OfflineDocuments } = await importLater(() => import('../offline/offline-documents.ts'));
    const { offlineStorage, userId } = this.#options;
    this.#offline ??= new OfflineDocuments(this.#core, { storage: offlineStorage, userId });
    return this.#offline;
  }

  async #loadKeep(): Promise<Keep> {
    const offline = await this.#loadOffline();
    return (document, onLoaded) => offline.keep(document, onLoaded);
  }

  #find(room: string, { doc, awareness, offline = false }: DocumentOptions): Open | undefined {
    const open = this.#open.get(room);
    if (open === undefined) return undefined;
    const wanted = doc ?? awareness?.doc;
    const fits =
      (!offline || open.front.isKept) &&
      (wanted === undefined || wanted === open.front.doc) &&
      (awareness === undefined || awareness === open.front.awareness);
    if (fits) return open;
    if (open.handles.size > 0 || open.front.hasUnsaved) {
      throw new AshlarError('invalid-options', {
        room,
        detail: 'it is open with another Y.Doc or awareness, or not offline',
      });
    }
    this.#close(room, open);
    return undefined;
  }

  #create(room: string, options: DocumentOptions): Open {
    const { doc, awareness, offline = false } = options;
    const given = doc ?? awareness?.doc;
    // By what it has: with two copies of Yjs in a page no `instanceof` tells.
    if ((doc ?? awareness) !== undefined && (given?.store === undefined || (awareness ?? { doc }).doc !== given)) {
      throw new AshlarError('invalid-options', { room, detail: 'doc: a Y.Doc; awareness: one of that Y.Doc' });
    }
    if (offline && given !== undefined) {
      throw new AshlarError('invalid-options', { room, detail: 'offline: only a Y.Doc that the SDK made' });
    }
    const parts = { live: this.#live, keep: offline ? this.#keep : undefined };
    const front = new DocumentFront(room, { doc, awareness }, parts, this.#core);
    front.unsavedChanges.subscribe(() => this.#countUnsaved());
    // A document that stops has nothing more to save.
    front.status.subscribe(() => this.#countUnsaved());
    const open: Open = { front, handles: new Map(), cancelClose: () => {} };
    this.#open.set(room, open);
    const session = this.#core.connector.session.get();
    if (session) front.connected(session);
    return open;
  }

  // Nobody wants it in its room: it is left, or closed where nobody has it any more.
  #release(room: string, open: Open): void {
    const { front, handles } = open;
    if (isWanted(open)) return;
    const end = (): void => (handles.size > 0 ? front.want(false) : this.#close(room, open));
    const endWhenSaved = (): void => {
      if (!front.hasUnsaved) {
        end();
        return;
      }
      // Edits wait until saved, also those of a page that moved on; its presence does not.
      if (handles.size === 0) {
        front.hide();
        front.want(true);
      }
      const stop = front.unsavedChanges.subscribe(() => {
        if (front.hasUnsaved) return;
        stop();
        end();
      });
      open.cancelClose = stop;
    };
    open.cancelClose();
    open.cancelClose = this.#core.env.after(CLOSE_GRACE_MS, endWhenSaved);
  }

  #close(room: string, open: Open): void {
    open.cancelClose();
    if (this.#open.get(room) === open) this.#open.delete(room);
    open.front.close();
    this.#countUnsaved();
  }

  #countUnsaved(): void {
    const unsaved = [...this.#open.values()].flatMap(({ front: { room, hasUnsaved, unsavedChanges } }) =>
      hasUnsaved ? { name: room.slice(4), unsavedChanges: unsavedChanges.get() } : [],
    );
    this.unsaved.set(unsaved);
    // Only while something is unsaved: a page with such a listener is not kept for the back button.
    if (unsaved.length === 0) {
      this.#stopWarning?.();
      this.#stopWarning = null;
    } else if (this.#options.warnBeforeUnload !== false) this.#stopWarning ??= this.#core.env.confirmUnload?.() ?? null;
  }

  #onMessage(event: string, args: readonly unknown[]): void {
    const [first, second] = args;
    const told = isRecord(first) ? first : { room: first };
    const front = this.#open.get(String(told.room))?.front;
    if (front === undefined) return;
    const bytes = event === 'document' ? asBytes(second) : null;
    if (bytes !== null) front.live?.frame(bytes);
    if (event === 'room:access' && isAccess(told.access)) front.live?.accessChanged(told.access);
    if (event === 'error' && told.code === 'not-a-member') front.live?.notAMember();
  }
}

// Asked at each edit: by JSON it took as long as the edit.
function sameUnsaved(left: readonly UnsavedDocument[], right: readonly UnsavedDocument[]): boolean {
  return (
    left.length === right.length &&
    left.every((one, index) => one.name === right[index]?.name && one.unsavedChanges === right[index].unsavedChanges)
  );
}

/** The document is in its room while one handle wants it. */
function isWanted({ handles }: Open): boolean {
  return [...handles.values()].includes(true);
}

// Browsers hand out an ArrayBuffer, Node a Buffer.
function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : null;
}

function isAccess(value: unknown): value is Access {
  return ACCESS_LEVELS.some((access) => access === value);
}
