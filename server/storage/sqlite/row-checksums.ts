import type { ClientClock, IdempotencyKey, LogRecord, QuarantinedRecord, SessionMark, Snapshot, StateValue } from '../store.ts';
import { checksumOf } from './checksum.ts';

// What each kind of row is sealed with. The room is part of it: a row that turns up in another room is damage too.

export function recordChecksum(room: string, record: LogRecord): number {
  const { seq, at, userId, kind, epoch, version, id, session, counter, payload } = record;
  return checksumOf([room, seq, at, userId, kind, epoch, version, id, session, counter], payload);
}

export function quarantinedChecksum(room: string, record: QuarantinedRecord): number {
  return checksumOf([recordChecksum(room, record), record.reason, record.quarantinedAt]);
}

export function clockChecksum(room: string, clock: ClientClock): number {
  return checksumOf([room, clock.clientId, clock.userId, clock.clock]);
}

export function sessionChecksum(room: string, mark: SessionMark): number {
  return checksumOf([room, mark.session, mark.userId, mark.clientId, mark.counter]);
}

export function stateChecksum(room: string, state: StateValue): number {
  return checksumOf([room, state.event, state.key, state.value, state.rev, state.at]);
}

export function snapshotChecksum(room: string, snapshot: Snapshot): number {
  return checksumOf([room, snapshot.seq, snapshot.epoch], snapshot.state, snapshot.stateVector);
}

export function grantChecksum(room: string, userId: string, access: string): number {
  return checksumOf([room, userId, access]);
}

export function keyChecksum(key: IdempotencyKey): number {
  return checksumOf([key.userId, key.key, key.requestHash, key.answer, key.at]);
}
