import { Member } from '../rooms/member.ts';
import type { Snapshot } from '../storage/store.ts';
import type { AwarenessEntry } from './document-awareness.ts';
import type { SharedTransfer } from './shared-transfer.ts';
import type { UpdateParts } from './update-parts.ts';
import type { WriterSession } from './writers.ts';

/** The state that a client is pulling, chunk by chunk. */
export interface StateTransfer {
  readonly id: number;
  /** Where others get the same bytes: then its packets are theirs too. */
  readonly shared: SharedTransfer | null;
  /** Lets go of bytes that are this member's alone. */
  readonly release: (() => void) | null;
  readonly bytes: Uint8Array;
  readonly count: number;
  /** The chunk that the client may ask for next. */
  next: number;
  readonly snapshot: Pick<Snapshot, 'seq' | 'epoch'>;
}

/** One socket in one document. */
export class DocumentMember extends Member {
  /** Null for a client that named no Yjs client id: it only reads. */
  session: WriterSession | null = null;
  transfer: StateTransfer | null = null;
  /** A state is being read for it: a second `sync` waits for nothing and is dropped. */
  syncing = false;
  parts: UpdateParts | null = null;
  /** Others' awareness that its queue had no room for: the latest of each client id, of those that went too. Null: none. */
  missedAwareness: Map<number, AwarenessEntry> | null = null;

  /** What there was no room for, to be sent now. Who went is among it: a client forgets nobody by itself. */
  takeMissedAwareness(): AwarenessEntry[] {
    const missed = [...(this.missedAwareness?.values() ?? [])];
    this.missedAwareness = null;
    return missed;
  }

  /** The state has been pulled, or nobody will. */
  endTransfer(): void {
    this.transfer?.release?.();
    this.transfer = null;
  }
}
