import { AshlarError } from '../../shared/errors.ts';
import { type RoomName, userRoom } from '../../shared/room-name.ts';
import type { LogRecord, NewRecord, StateValue } from './store.ts';

/**
 * The kind of a record whose event was erased: it keeps its `seq` and its epoch, so that a log has no gap and positions stay valid, and
 * nothing else. It is nobody's event: no schema of a product's own events would hold an empty payload, so it is never sent.
 */
export const ERASED_KIND = 'ashlar:erased';

const decoder = new TextDecoder();

/** The record that stands where an event was. */
export function tombstone({ seq, at, epoch }: Pick<LogRecord, 'seq' | 'at' | 'epoch'>): LogRecord {
  const payload = new TextEncoder().encode('{}');
  return { seq, at, epoch, userId: null, kind: ERASED_KIND, payload, version: 1, id: null, session: null, counter: 0 };
}

/** A document's update without its author: others have built upon its content. */
export function withoutAuthor(record: LogRecord): LogRecord {
  return { ...record, userId: null, id: null, session: null, counter: 0 };
}

/** Whether an event is a user's: sent by the user, or by the backend in the user's name (the payload's `userId`). */
export function isEventOf(record: Pick<NewRecord, 'userId' | 'payload'>, userId: string): boolean {
  return record.userId === userId || speaker(() => decoder.decode(record.payload)) === userId;
}

/** Whether a state value is a user's: its key is the user's id, or its payload's `userId`. No author is kept with it. */
export function isStateOf({ key, value }: Pick<StateValue, 'key' | 'value'>, userId: string): boolean {
  return key === userId || (value?.includes('"userId"') === true && speaker(() => value) === userId);
}

/** The room of the user who is to be erased. @throws AshlarError `invalid-room` where that is no user's id */
export function roomToErase(userId: string): RoomName {
  if (typeof userId !== 'string' || userId === '') throw new AshlarError('invalid-room', { detail: 'a user has an id' });
  return userRoom(userId);
}

/** Whether a user's id is a part of a room's name: those are the product's, made of parts with colons, and often hyphens, between. */
export function isNamedAfter(room: string, userId: string): boolean {
  return room.split(/[:/._-]/).includes(userId) || room.slice(room.indexOf(':') + 1) === userId;
}

/** How a user's id stands in JSON, as a value of its own. */
export function inJson(userId: string): string {
  return JSON.stringify(userId);
}

/** An idempotency key's answer that names the room of the user, without that; null: it does not. */
export function answerWithout(answer: string, room: string): string | null {
  if (!answer.includes(inJson(room))) return null;
  return answer.replaceAll(inJson(room), '"user:erased"');
}

function speaker(json: () => string): unknown {
  try {
    return (JSON.parse(json()) as { userId?: unknown } | null)?.userId;
  } catch {
    return undefined;
  }
}
