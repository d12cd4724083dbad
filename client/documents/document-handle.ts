import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { Listeners } from '../listeners.ts';
import type { Readable } from '../readable.ts';
import { quiet, type Report } from '../report.ts';
import type { DocumentListener, ResetEvent } from './document-listener.ts';
import type { DocumentStatus } from './document-status.ts';
import type { LiveDocument } from './live-document.ts';

/** A handle's events. `status` and `sync` are y-websocket's, as bindings expect them. */
export interface DocumentEvents {
  status: [event: { status: 'connecting' | 'connected' | 'disconnected'; detail: DocumentStatus }];
  sync: [synced: boolean];
  /** Everything that others saved is here. */
  synced: [synced: true];
  /** The server put edits on disk; so many are left. */
  saved: [event: { unsavedChanges: number }];
  access: [access: Access];
  reset: [event: ResetEvent];
  error: [error: AshlarError];
}

/** An open document. Bind an editor to `doc` and `awareness`, and again after each `reset`. */
export interface DocumentHandle {
  readonly name: string;
  /** Another one after a `reset`. */
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** What the user may do here; null until the first join. */
  readonly access: Readable<Access | null>;
  readonly status: Readable<DocumentStatus>;
  /** Local transactions that are not on disk yet. */
  readonly unsavedChanges: Readable<number>;
  /** What the last reset could not save, a Yjs update (V1): offer it for download. Null: nothing. */
  readonly unsaved: Uint8Array | null;
  /** The user has the `unsaved` bytes, or does not want them: they are null from now on, and forgotten where they were kept. */
  forgetUnsaved(): void;
  /**
   * With the option `offline`: resolves once what was kept is in `doc`. Also once that cannot be for now (nothing is kept, or nobody can
   * be asked whose it is): then `everSynced` is false, and what is kept follows once the server answers. At once without the option.
   * Never rejects.
   */
  readonly whenLoaded: Promise<void>;
  /**
   * Whether `doc` holds what the server had at some time: synced here, or kept after that. False: it was never loaded here, and a `doc`
   * that is empty says nothing of the document. False again after a `reset`, until synced.
   */
  readonly everSynced: Readable<boolean>;
  /** Whether everything that others saved is here. */
  readonly synced: boolean;
  /** Resolves once synced: the same promise until that changes. Rejects where the server refuses or the handle is destroyed. */
  readonly whenSynced: Promise<void>;
  /** Resolves once everything edited before the call is on disk; rejects where a reset took it out. */
  whenSaved(): Promise<void>;
  /** @returns a function that removes the listener */
  on<Name extends keyof DocumentEvents>(name: Name, listener: (...args: DocumentEvents[Name]) => void): () => void;
  off<Name extends keyof DocumentEvents>(name: Name, listener: (...args: DocumentEvents[Name]) => void): void;
  /** Needed only after `disconnect`, or to start over after `stopped`. */
  connect(): void;
  /** Leaves the document's room, unless another handle is in it. Edits wait. */
  disconnect(): void;
  /** Gives the handle up. The document stays until the last handle's edits are on disk. */
  destroy(): void;
}

/** What a handle needs of the registry that made it. */
export interface HandleOwner {
  /** Whether this handle wants the document in its room. */
  wants(handle: object, wanted: boolean): void;
  released(handle: object): void;
}

export function createHandle(name: string, live: LiveDocument, owner: HandleOwner, report: Report): DocumentHandle {
  const listeners = new Listeners<DocumentEvents>(report);
  let destroyed = false;
  let syncing: { promise: Promise<void>; settle(error: AshlarError | null): void } | null = null;

  const settleSync = (error: AshlarError | null): void => {
    syncing?.settle(error);
    if (error !== null) syncing = null;
  };
  const heard: DocumentListener = {
    status(status) {
      if (status.state === 'refused') settleSync(status.error);
      if (status.state === 'stopped') settleSync(AshlarError.fromWire({ code: status.reason }));
      listeners.emit('status', { status: bindingStatus(status), detail: status });
    },
    sync(synced) {
      if (synced) settleSync(null);
      else syncing = null;
      listeners.emit('sync', synced);
      if (synced) listeners.emit('synced', true);
    },
    saved: (unsavedChanges) => listeners.emit('saved', { unsavedChanges }),
    access: (access) => listeners.emit('access', access),
    reset: (event) => listeners.emit('reset', event),
    error(error) {
      if (listeners.has('error')) listeners.emit('error', error);
      else report(error, `document ${name}`);
    },
  };
  live.listeners.add(heard);

  return {
    name,
    get doc() {
      return live.doc;
    },
    get awareness() {
      return live.awareness;
    },
    get unsaved() {
      return live.unsaved;
    },
    forgetUnsaved: () => live.forgetUnsaved(),
    get whenLoaded() {
      return live.whenLoaded;
    },
    get synced() {
      return live.status.get().state === 'synced';
    },
    access: live.access,
    status: live.status,
    unsavedChanges: live.unsavedChanges,
    everSynced: live.everSynced,
    get whenSynced() {
      if (destroyed) return quiet(Promise.reject(new AshlarError('client-closed')));
      if (syncing !== null) return syncing.promise;
      let settle: (error: AshlarError | null) => void = () => {};
      const promise = quiet(
        new Promise<void>((resolve, reject) => {
          settle = (error) => (error === null ? resolve() : reject(error));
        }),
      );
      syncing = { promise, settle };
      const status = live.status.get();
      if (status.state === 'synced') settle(null);
      if (status.state === 'refused') settleSync(status.error);
      if (status.state === 'stopped') settleSync(AshlarError.fromWire({ code: status.reason }));
      return promise;
    },
    whenSaved: () => quiet(live.whenSaved()),
    on: (event, listener) => listeners.on(event, listener),
    off: (event, listener) => listeners.off(event, listener),
    connect() {
      if (!destroyed) owner.wants(heard, true);
    },
    disconnect() {
      if (!destroyed) owner.wants(heard, false);
    },
    destroy() {
      if (destroyed) return;
      destroyed = true;
      live.listeners.delete(heard);
      settleSync(new AshlarError('client-closed'));
      owner.released(heard);
    },
  };
}

function bindingStatus({ state }: DocumentStatus): 'connecting' | 'connected' | 'disconnected' {
  if (state === 'synced' || state === 'syncing') return 'connected';
  return state === 'joining' ? 'connecting' : 'disconnected';
}
