import { type Environment, randomWord } from '../environment.ts';
import type { ChatMessage } from './chat-log.ts';
import type { FeatureClient } from './feature-client.ts';

/** A message of this client's user, as it stands while it is on its way. @param content without white space at its ends */
export function outgoingMessage(client: Pick<FeatureClient, 'user'>, env: Environment, content: string): ChatMessage {
  const { id: userId = null, name = null } = client.user.get() ?? {};
  const timestamp = new Date(env.now()).toISOString();
  const key = randomWord(env, 22);
  return { key, id: null, seq: null, content, sender: 'user', userId, name, timestamp, status: 'sending', error: null };
}
