import { platformEnvironment } from '../environment.ts';
import { importLater } from '../import-later.ts';
import { Later } from '../later.ts';
import { reportToConsole } from '../report.ts';
import { watched } from '../watched.ts';
import type { createChatSession } from './chat-session.ts';
import { type ChatSession, type ChatState, NO_CHAT } from './chat-state.ts';
import type { FeatureClient } from './feature-client.ts';
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

/** What a page sees of its first chat: it is there at once, and what was sent by then goes as soon as the session behind it is here. */
function createChatFront(client: FeatureClient, sessionId: string, onIdle: () => void): ChatSession {
  let session: ChatSession | null = null;
  const part = chatCode();
  const whenHere = async (): Promise<ChatSession> => {
    const make = await part.get();
    session ??= make(client, sessionId, {}, onIdle);
    return session;
  };
  const store = watched<ChatState>(NO_CHAT, ({ set }) => {
    let stop: (() => void) | null = null;
    let here = true;
    const onFailure = (): void => {
      const error = part.failure.get();
      if (session === null) set({ ...NO_CHAT, state: error === null ? 'loading' : 'refused', error });
    };
    onFailure();
    void whenHere().then((session) => {
      if (!here) return;
      stop = session.subscribe(set);
      set(session.get());
    });
    return [
      part.failure.subscribe(onFailure),
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
    send: (content) => void whenHere().then((session) => session.send(content)),
    retry: (key) => session?.retry(key),
    discard: (key) => session?.discard(key),
    loadOlder: () => session?.loadOlder() ?? Promise.resolve(),
    setTyping: (isTyping) => session?.setTyping(isTyping),
  };
}
