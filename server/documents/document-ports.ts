import type { ErrorCode } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import type { Member } from '../rooms/member.ts';
import type { Room } from '../rooms/room.ts';
import type { LogRecord } from '../storage/store.ts';
import type { DocumentRoom } from './document-room.ts';
import type { PrivateTransfers } from './private-transfers.ts';
import type { ReservedIds } from './reserved-ids.ts';
import type { WentBack } from './went-back.ts';
import type { DocumentWorkers } from './worker/document-workers.ts';

/** What documents need of the rest of the house. */
export interface DocumentPorts {
  readonly clock: Clock;
  readonly workers: DocumentWorkers;
  readonly reservedIds: ReservedIds;
  readonly wentBack: WentBack;
  readonly privateTransfers: PrivateTransfers;
  readonly overflowRecords: number;
  readonly frameBytes: number;
  readonly updateBytes: number;
  readonly structsPerUpdate: number;
  readonly subdocuments: boolean;
  readonly compactAfterRecords: number;
  readonly compactAfterBytes: number;
  hashSecret(secret: string): string;
  catchUp(member: Member): void;
  /** Puts a member out of its room: its place is taken. */
  evict(member: Member): void;
  /** An update was refused. */
  refused(member: Member, code: ErrorCode): void;
  /** Asks for a new snapshot, some time soon; later where it `canWait` and the last one took long. */
  compact(document: DocumentRoom, canWait?: boolean): void;
  /** Updates were committed and sent. */
  changed(room: Room, records: readonly LogRecord[]): void;
}
