import { AshlarError, type ErrorCode } from '../../../shared/errors.ts';
import type { RoomName } from '../../../shared/room-name.ts';
import type { LogRecord, RoomLease, StoreSpace } from '../store.ts';
import type { Reader } from './reader.ts';
import type { Quota } from './space.ts';
import type { Writer } from './writer.ts';

/** What the main thread may ask the writing worker for. */
export type WriterCalls = Omit<Writer, 'open' | 'purge'> & { open(room: RoomName): RoomLease };
/** And the reading one. */
export type ReaderCalls = Reader;

/** A call by name: answered once, by the same `id`. */
export interface Question {
  readonly id: number;
  readonly call: string;
  readonly args: readonly unknown[];
}

interface SentError {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly room: string | undefined;
}

export type WorkerMessage =
  | { readonly type: 'ready' }
  /** It could not start. */
  | { readonly type: 'refused'; readonly error: SentError }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: SentError }
  | { readonly type: 'space'; readonly space: StoreSpace }
  /** For the log. */
  | { readonly type: 'warning'; readonly message: string; readonly error: SentError };

/** What both workers are started with. */
export interface WorkerSettings {
  readonly path: string;
  readonly epoch: string;
  /** undefined: no limit but the disk's. */
  readonly quota: Quota | undefined;
  /** For tests of a full disk. */
  readonly maxPages: number | undefined;
}

export function sendError(error: AshlarError): SentError {
  return { code: error.code, detail: error.detail, room: error.room };
}

export function receiveError({ code, detail, room }: SentError): AshlarError {
  return new AshlarError(code, { detail, room });
}

/**
 * The same arrays on one new buffer, which can be transferred: posting a view of a pooled Buffer would clone the whole pool, and
 * transferring a caller's buffer would take it from them.
 */
function pack(parts: readonly Uint8Array[]): { buffer: ArrayBuffer; parts: Uint8Array[] } {
  const buffer = new ArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  const packed = parts.map((part) => {
    const view = new Uint8Array(buffer, offset, part.length);
    view.set(part);
    offset += part.length;
    return view;
  });
  return { buffer, parts: packed };
}

/** Records with their payloads on one buffer, for the way between threads. */
export function packRecords<T extends { readonly payload: Uint8Array }>(
  records: readonly T[],
): { buffer: ArrayBuffer; records: T[] } {
  const { buffer, parts } = pack(records.map((record) => record.payload));
  return { buffer, records: records.map((record, index) => ({ ...record, payload: parts[index] as Uint8Array })) };
}

/** At the end of that way: payloads that are copies of their own. */
export function unpackRecord(record: LogRecord): LogRecord {
  return { ...record, payload: record.payload.slice() };
}
