import type { AshlarError } from '../../shared/errors.ts';
import type { Readable } from '../readable.ts';
import type { ChatMessage } from './chat-log.ts';
import type { Typer } from './typing.ts';

export interface ChatState {
  /** `loading`: the newest page is on its way (and what was there before is shown); `refused`: see `error`. */
  readonly state: 'loading' | 'ready' | 'refused';
  /**
   * Why it is refused; with `ready`, why the newest page could not be read: then `messages` may lack what was written before, and what may
   * pass (`retry: 'later'`) is tried again by itself. With `loading` it is `not-loaded`: the code of chats has not come so far, and is asked for again.
   */
  readonly error: AshlarError | null;
  /** Oldest first; those on their way and those that failed at the end. */
  readonly messages: readonly ChatMessage[];
  /** There are messages before the first one. */
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  /** Who types, without this user. */
  readonly typing: readonly Typer[];
}

export interface ChatActions {
  /** Sends a message: in `messages` at once, as `sending`; then `sent`, or `failed`. White space at its ends is cut; nothing is sent for nothing. */
  send(content: string): void;
  /** Sends a failed message again, under the same id: one that had arrived after all is not doubled. */
  retry(key: string): void;
  /** Takes a failed message out. */
  discard(key: string): void;
  /** Loads the page before the first message. Rejects with an `AshlarError`; one that nobody awaits is not thrown. */
  loadOlder(): Promise<void>;
  /** Call it with every key that is pressed, and with `false` when the field is left or emptied; a sent message ends it. */
  setTyping(isTyping?: boolean): void;
}

/** A chat session: the room is joined, and the messages kept, while somebody subscribes. */
export interface ChatSession extends Readable<ChatState>, ChatActions {}

/** What is shown before anything is known. */
export const NO_CHAT: ChatState = {
  state: 'loading',
  error: null,
  messages: [],
  hasOlder: false,
  loadingOlder: false,
  typing: [],
};
