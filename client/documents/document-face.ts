import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Access } from '../../shared/access.ts';
import type { Writable } from '../readable.ts';
import type { DocumentEvents } from './document-listener.ts';
import type { DocumentStatus } from './document-status.ts';
import type { Keep } from './keeper.ts';

/** What the handles of a document see of it. */
export interface DocumentFace {
  readonly room: string;
  readonly status: Writable<DocumentStatus>;
  readonly access: Writable<Access | null>;
  readonly unsavedChanges: Writable<number>;
  readonly everSynced: Writable<boolean>;
  /** One of each handle. */
  readonly listeners: { readonly size: number };
  /** Tells all handles. */
  tell<Name extends keyof DocumentEvents>(name: Name, ...event: DocumentEvents[Name]): void;
}

/** A document as it is when what keeps it in step with the server takes over. */
export interface DocumentStart {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** The SDK made both, and destroys them. */
  readonly own: boolean;
  /** The document held something before it was opened. */
  readonly hadContent: boolean;
  /** The updates since; not `local`: from another provider on the same document. */
  readonly edits: readonly { readonly update: Uint8Array; readonly local: boolean }[];
  readonly keep: Keep | undefined;
  /** Whose edits they are: the first that the server named; undefined: whoever it names. */
  readonly userId: string | undefined;
}
