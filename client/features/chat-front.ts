import { platformEnvironment } from '../environment.ts';
import { importLater } from '../import-later.ts';
import { Later } from '../later.ts';
import { reportToConsole } from '../report.ts';
import { watched } from '../watched.ts';
import type { ChatMessage } from './chat-log.ts';
import type { createChatSession } from './chat-session.ts';
import { type ChatSession, NO_CHAT } from './chat-state.ts';
import type { FeatureClient } from './feature-client.ts';
import { outgoingMessage } from './outgoing-message.ts';
import { sharedStore } from './shared-store.ts';

type Create = typeof createChatSession;

let create: Create | null = null;
let code: Later<Create> | undefined;

/** A page that shows no chat does not load what makes one. */
function chatCode(): Later<Create> {
  const load = async (): Promise<Create> => {
    ({ createChatSession: create } = await importLater(() => import('./chat-session.ts')));
    return create;
  };
  code ??= new Later(load, platformEnvironment(), reportToConsole);
  return code;
}

/** The session that all parts of a page share: a message sent in one stands in the others. */
export function chatSession(client: FeatureClient, sessionId: string): ChatSession {
  return sharedStore(client, `chat:${sessionId}`, (forget) =>
    create === null ? createChatFront(client, sessionId, forget) : create(client, sessionId, {}, forget),
  );
}

/** What a page sees of its first chat: it is there at once; the session behind it sends what was said by the time its code is here. */
function createChatFront(client: FeatureClient, sessionId: string, onIdle: () => void): ChatSession {
  const env = platformEnvironment();
  const part = chatCode();
  const said: ChatMessage[] = [];
  let session: ChatSession | null = null;
  const whenHere = async (): Promise<ChatSession> => {
    const make = await part.get();
    if (session === null) {
      session = make(client, sessionId, {}, onIdle);
      // What one user said is not sent under another's name.
      for (const { content, userId } of said) if (userId === null || userId === client.user.get()?.id) session.send(content);
    }
    return session;
  };
  const show = (): void => {
    if (session === null) store.set({ ...NO_CHAT, error: part.failure.get(), messages: [...said] });
  };
  const store = watched(NO_CHAT, ({ set }) => {
    let stop: (() => void) | null = null;
    let here = true;
    show();
    void whenHere().then((session) => {
      if (!here) return;
      stop = session.subscribe(set);
      set(session.get());
    });
    return [
      part.failure.subscribe(show),
      client.status.subscribe(({ state }) => {
        if (state === 'connected') part.hurry();
      }),
      () => {
        here = false;
        stop?.();
      },
    ];
  });
  return {
    get: () => (session ?? store).get(),
    subscribe: store.subscribe,
    send(text) {
      const content = text.trim();
      if (session !== null) session.send(content);
      else if (content !== '') {
        said.push(outgoingMessage(client, env, content));
        show();
        void whenHere();
      }
    },
    retry: (key) => session?.retry(key),
    discard: (key) => session?.discard(key),
    loadOlder: () => session?.loadOlder() ?? Promise.resolve(),
    setTyping: (isTyping) => session?.setTyping(isTyping),
  };
}
