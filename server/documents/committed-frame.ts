import type { CommittedEntry, ServerFrame } from '../../shared/document-frame.ts';
import type { Position } from '../../shared/position.ts';
import type { LogRecord } from '../storage/store.ts';
import type { WriterSession } from './writers.ts';

/**
 * The frame that brings records to a member: its own session's as counters.
 * @param records of one epoch, at least one
 * @param seal gives the epoch of a position as clients get it
 */
export function committedFrame(
  records: readonly LogRecord[],
  session: WriterSession | null,
  seal: (last: Position) => string,
): ServerFrame {
  const entries: CommittedEntry[] = records.map((record) =>
    session !== null && record.session === session.hash
      ? { seq: record.seq, counter: record.counter }
      : { seq: record.seq, update: record.payload },
  );
  return { type: 'committed', epoch: seal(records[records.length - 1] as LogRecord), entries };
}
