import type { AshlarError } from '../../shared/errors.ts';
import type { JoinOptions } from '../../shared/messages.ts';
import type { ResetReason } from './document-status.ts';
import type { Replica } from './replica.ts';
import type { SenderPorts } from './update-sender.ts';

/** What a session needs of the world. No sockets, no clock of its own. */
export interface SessionPorts extends SenderPorts {
  readonly replica: Replica;
  /** Joins the room; the answer is given before any frame that the server sent after it. */
  join(options: JoinOptions, onAnswer: (error: AshlarError | null, answer: unknown) => void): void;
  /** A fresh secret, and a fresh Yjs client id. */
  drawSecret(): string;
  drawClientId(): number;
  /** Status, access or the outbox changed. */
  changed(): void;
  /** The outbox took an edit; nothing else changed. */
  edited(): void;
  /** The server refused something; what to do about it is decided here. */
  error(error: AshlarError): void;
  /** Client and server cannot agree: the session is over. */
  failed(reason: ResetReason): void;
}
