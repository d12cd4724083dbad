import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import { AshlarError } from '../../shared/errors.ts';
import { Listeners } from '../listeners.ts';
import type { Readable } from '../readable.ts';
import { quiet, type Report } from '../report.ts';
import type { DocumentFront } from './document-front.ts';
import type { DocumentEvents, DocumentListener } from './document-listener.ts';
import type { DocumentStatus } from './document-status.ts';

/** An open document. Bind an editor to `doc` and `awareness`, and again after each `reset`. */
export interface DocumentHandle {
  readonly name: string;
  /** Another one after a `reset`. Shared by the handles of its name: one that the SDK made ends with the last of them, and its own `destroy` does nothing. */
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** What the user may do here; null until the first join. */
  readonly access: Readable<Access | null>;
  readonly status: Readable<DocumentStatus>;
  /** Local transactions that are not on disk yet; those that could not be put back after a `reset` count until `forgetUnsaved`. */
  readonly unsavedChanges: Readable<number>;
  /** What resets could not save, a Yjs update (V1): offer it for download. Null: nothing. */
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
  /** Resolves once everything edited before the call is on disk; rejects where a reset took it out, and it was not put back. */
  whenSaved(): Promise<void>;
  /** @returns a function that removes the listener */
  on<Name extends keyof DocumentEvents>(name: Name, listener: (...args: DocumentEvents[Name]) => void): () => void;
  off<Name extends keyof DocumentEvents>(name: Name, listener: (...args: DocumentEvents[Name]) => void): void;
  /** Needed only after `disconnect`, or to start over after `stopped`. */
  connect(): void;
  /** Leaves the document's room, unless another handle is in it. Edits wait. */
  disconnect(): void;
  /**
   * Gives the handle up. Its edits are sent, and once they are on disk the document leaves its room where no other handle wants it there; with
   * the last handle it goes.
   */
  destroy(): void;
}

/** What a handle needs of the registry that made it. */
export interface HandleOwner {
  /** Whether this handle wants the document in its room. */
  wants(handle: DocumentHandle, wanted: boolean): void;
  released(handle: DocumentHandle): void;
}

export function createHandle(name: string, front: DocumentFront, owner: HandleOwner, report: Report): DocumentHandle {
  const listeners = new Listeners<DocumentEvents>(report);
  let destroyed = false;
  let syncing: { promise: Promise<void>; settled: boolean; resolve(): void; reject(error: AshlarError): void } | null = null;

  const reject = (error: AshlarError): void => {
    syncing?.reject(error);
    syncing = null;
  };
  const settleSync = (): void => {
    const status = front.status.get();
    if (status.state === 'refused') reject(status.error);
    else if (status.state === 'stopped') reject(AshlarError.fromWire({ code: status.reason }));
    else if (status.state !== 'synced') syncing = syncing?.settled ? null : syncing;
    else if (syncing !== null) {
      syncing.settled = true;
      syncing.resolve();
    }
  };
  const heard: DocumentListener = (event, ...told) => {
    if (event === 'status') settleSync();
    if (event === 'error' && !listeners.has(event)) report(told[0], `document ${name}`);
    else listeners.emit(event, ...told);
  };
  front.listeners.add(heard);

  const handle: DocumentHandle = {
    name,
    get doc() {
      return front.doc;
    },
    get awareness() {
      return front.awareness;
    },
    get unsaved() {
      return front.unsaved;
    },
    forgetUnsaved: () => front.live?.forgetUnsaved(),
    get whenLoaded() {
      return front.whenLoaded;
    },
    get synced() {
      return front.status.get().state === 'synced';
    },
    access: front.access,
    status: front.status,
    unsavedChanges: front.unsavedChanges,
    everSynced: front.everSynced,
    get whenSynced() {
      if (destroyed) return quiet(Promise.reject(new AshlarError('client-closed')));
      if (syncing !== null) return syncing.promise;
      let settle: { resolve(): void; reject(error: AshlarError): void } | undefined;
      const promise = quiet(
        new Promise<void>((onSynced, onError) => {
          settle = { resolve: onSynced, reject: onError };
        }),
      );
      syncing = { promise, settled: false, ...settle! };
      settleSync();
      return promise;
    },
    whenSaved: () => quiet(front.whenSaved()),
    on: (event, listener) => listeners.on(event, listener),
    off: (event, listener) => listeners.off(event, listener),
    connect() {
      if (!destroyed) owner.wants(handle, true);
    },
    disconnect() {
      if (!destroyed) owner.wants(handle, false);
    },
    destroy() {
      if (destroyed) return;
      destroyed = true;
      front.listeners.delete(heard);
      reject(new AshlarError('client-closed'));
      owner.released(handle);
    },
  };
  return handle;
}
