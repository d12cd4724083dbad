import type { CatalogEvents, InputOf, PayloadOf } from '../../shared/catalog.ts';
import { AshlarError } from '../../shared/errors.ts';
import type { PublicUser } from '../../shared/user.ts';
import type { Clock } from '../clock.ts';

/** A client's message as it is stored and sent: with who wrote it, always. */
export type PreparedChatMessage = Required<PayloadOf<CatalogEvents, 'chat:message'>>;

// Line ends and tab are text. The others are for terminals, and a NUL breaks some databases.
const CONTROL = /(?![\r\n\t])\p{Cc}/u;

const LONE_SURROGATE = /\p{Cs}/u;

/**
 * Completes what a client sends in a chat: id, time and sender come from the server, name and user id from the token. The content
 * stays exactly as it was written.
 * @param input has passed the event's schema
 * @throws AshlarError `invalid-payload` where the content holds control characters or half a character
 */
export function prepareChatMessage(
  input: InputOf<CatalogEvents, 'chat:message'>,
  user: PublicUser,
  clock: Pick<Clock, 'now' | 'randomBytes'>,
): PreparedChatMessage {
  const { sessionId, content } = input;
  if (CONTROL.test(content)) throw refuse('no control characters but line ends and tab');
  if (LONE_SURROGATE.test(content)) throw refuse('well-formed Unicode');
  return {
    id: Buffer.from(clock.randomBytes(16)).toString('base64url'),
    sessionId,
    content,
    sender: 'user',
    timestamp: new Date(clock.now()).toISOString(),
    userId: user.id,
    name: user.name,
  };
}

function refuse(detail: string): AshlarError {
  return new AshlarError('invalid-payload', { detail: `chat:message at content: ${detail}` });
}
