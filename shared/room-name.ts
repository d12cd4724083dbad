import { AshlarError } from './errors.ts';

declare const checked: unique symbol;
/** A room name that passed the grammar. Made by `parseRoomName` alone. */
export type RoomName = string & { readonly [checked]: 'RoomName' };

type Space = ' ' | '\n' | '\t';

/**
 * The type of a room's name, as far as one can tell: a literal that the grammar refuses becomes the sentence that says why, and so fits
 * no argument; all others, `string` too, stay as they are.
 */
export type RoomNameLike<Name extends string> = Name extends ''
  ? 'a room name has 1 to 128 characters'
  : Name extends `${string}*${string}` | `${string}..${string}`
    ? 'a room name has no ".." and no "*"'
    : Name extends `${Space}${string}` | `${string}${Space}`
      ? 'a room name has no white space at its ends'
      : Name;

/** The same for a room of events: a document is opened by its name. */
export type EventRoomLike<Name extends string> = Name extends 'doc:'
  ? Name
  : Name extends `doc:${string}`
    ? 'a document is opened with client.document(name) or useDocument(name)'
    : RoomNameLike<Name>;

export const DOCUMENT_PREFIX = 'doc:';

/** Longest room name, in UTF-16 units. */
export const MAX_ROOM_NAME = 128;

// Controls, line and paragraph separators, bidi controls and invisible marks: nothing that a log line or a screen would misread.
const FORBIDDEN = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/**
 * Checks a room name: 1 to 128 UTF-16 units, NFC, no controls, no white space at its ends, no `..`, no `*`, and not a name
 * that JavaScript objects inherit.
 * @throws AshlarError `invalid-room`
 */
export function parseRoomName(value: unknown): RoomName {
  if (typeof value !== 'string') throw new AshlarError('invalid-room', { detail: 'a room name is a string' });
  const refuse = (detail: string) => new AshlarError('invalid-room', { detail });
  if (value.length === 0 || value.length > MAX_ROOM_NAME) throw refuse(`1 to ${MAX_ROOM_NAME} characters`);
  if (FORBIDDEN.test(value)) throw refuse('no control characters');
  if (value !== value.normalize('NFC')) throw refuse('Unicode form NFC');
  if (value !== value.trim()) throw refuse('no white space at its ends');
  if (value.includes('..') || value.includes('*')) throw refuse('no ".." and no "*"');
  if (value in {}) throw refuse('a reserved word');
  return value as RoomName;
}

/** The room of a document. @throws AshlarError `invalid-room` */
export function documentRoom(name: string): RoomName {
  if (typeof name !== 'string' || name === '') throw new AshlarError('invalid-room', { detail: 'a document has a name' });
  return parseRoomName(`${DOCUMENT_PREFIX}${name}`);
}

/** Whether a room's content is a Yjs document. */
export function isDocumentRoom(room: string): boolean {
  return room.startsWith(DOCUMENT_PREFIX) && room.length > DOCUMENT_PREFIX.length;
}

/** The document's name of a `doc:` room. */
export function documentName(room: RoomName): string {
  return room.slice(DOCUMENT_PREFIX.length);
}

/** The room that only one user reads. @throws AshlarError `invalid-room` */
export function userRoom(userId: string): RoomName {
  return parseRoomName(`user:${userId}`);
}
