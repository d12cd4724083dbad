import type { AshlarError } from '../../shared/errors.ts';
import type {
  ClientClock,
  CommitKey,
  LogRecord,
  NewRecord,
  Quarantine,
  RoomAppend,
  SessionMark,
  StateValue,
} from '../storage/store.ts';

/** One thing that happens in a room. Entries leave in the order in which they were submitted. */
export interface Entry {
  /** What the log gets, if anything. */
  readonly record?: NewRecord;
  /** State values written in the same commit. */
  readonly states?: readonly StateValue[];
  readonly clocks?: readonly ClientClock[];
  readonly sessions?: readonly SessionMark[];
  readonly key?: CommitKey;
  readonly lifecycle?: NonNullable<RoomAppend['lifecycle']>;
  readonly quarantine?: Quarantine;
  /** Must be on disk before it leaves. An entry that is not leaves at once, or behind the durable ones before it. */
  readonly durable: boolean;
  /** Sends it out. `record` is the committed record where there is one. */
  leave(record: LogRecord | null): void;
  /** The commit failed: nothing may be taken as stored, and `leave` is never called. */
  fail(error: AshlarError): void;
}
