import { AshlarError } from '../../shared/errors.ts';
import { type Environment, platformEnvironment, randomWord } from '../environment.ts';
import type { Readable } from '../readable.ts';
import { quiet } from '../report.ts';
import type { RoomStatus } from '../rooms.ts';
import { shallowEqual } from '../snapshot.ts';
import { watched } from '../watched.ts';
import {
  answered,
  type ChatLog,
  type ChatMessage,
  discarded,
  EMPTY_LOG,
  failed,
  paged,
  received,
  renewed,
  retried,
  sending,
} from './chat-log.ts';
import type { FeatureClient } from './feature-client.ts';
import { sharedStore } from './shared-store.ts';
import { createTypingSignal, type Typer, Typers } from './typing.ts';

export interface ChatState {
  /** `loading`: the newest page is on its way (and what was there before is shown); `refused`: see `error`. */
  readonly state: 'loading' | 'ready' | 'refused';
  /** Why it is refused; with `ready`, why the newest page could not be read: then `messages` says nothing of what was written before. */
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

export interface ChatSessionOptions {
  /** Messages per page. Default 50, at most 200. */
  pageSize?: number;
  environment?: Environment;
}

const UNKNOWN: ChatState = { state: 'loading', error: null, messages: [], hasOlder: false, loadingOlder: false, typing: [] };

/** What is shown before anything is known. */
export const NO_CHAT = UNKNOWN;

/** The session that all parts of a page share: a message sent in one stands in the others. */
export function chatSession(client: FeatureClient, sessionId: string): ChatSession {
  return sharedStore(client, `chat:${sessionId}`, (forget) => createChatSession(client, sessionId, {}, forget));
}

/**
 * A chat session of its own. Making one does nothing; it lives while somebody subscribes.
 * @param onIdle called when all subscribers have gone and no message is left that is not sent
 */
export function createChatSession(
  client: FeatureClient,
  sessionId: string,
  options: ChatSessionOptions = {},
  onIdle: () => void = () => {},
): ChatSession {
  const env = options.environment ?? platformEnvironment();
  const limit = options.pageSize ?? 50;
  const room = `chat:${sessionId}`;
  let log = EMPTY_LOG;
  /** While the newest page is asked for: what the room tells meanwhile. */
  let fresh: ChatLog | null = null;
  /** Grows with each load and each stop: an answer to an older one is ignored. */
  let load = 0;
  let active = false;
  let joined = false;

  const ownId = (): string | undefined => client.user.get()?.id;
  const show = (change: Partial<ChatState> = {}): void => {
    const messages = log.outgoing.length === 0 ? log.sent : [...log.sent, ...log.outgoing];
    store.set({ ...store.get(), messages, ...change });
  };
  const apply = (operation: (log: ChatLog) => ChatLog): void => {
    log = operation(log);
    if (fresh !== null) fresh = operation(fresh);
    show();
    if (!active && log.outgoing.length === 0) onIdle();
  };

  const loadNewest = async (sameLog: boolean): Promise<void> => {
    const mine = ++load;
    fresh = { sent: [], outgoing: log.outgoing };
    show({ state: 'loading', error: null, loadingOlder: false });
    let change: Partial<ChatState>;
    try {
      const { messages, hasMore } = await client.chatHistory(sessionId, { limit });
      if (mine !== load) return;
      fresh = paged(fresh, messages.map(toTold), ownId());
      const first = fresh.sent[0]?.seq;
      log = renewed(log, fresh, sameLog);
      const joinsOn = log.sent[0]?.seq !== first;
      change = { state: 'ready', ...(joinsOn ? {} : { hasOlder: hasMore }) };
    } catch (thrown) {
      if (mine !== load) return;
      const error = AshlarError.from(thrown);
      // The join brings messages too: they are better than none.
      log = renewed(log, fresh, sameLog);
      change = { state: error.retry === 'never' ? 'refused' : 'ready', error, hasOlder: (log.sent[0]?.seq ?? 1) > 1 };
    }
    fresh = null;
    show(change);
  };

  const onRoom = (status: RoomStatus): void => {
    const wasJoined = joined;
    joined = status.state === 'joined';
    if (status.state === 'refused') {
      load++;
      fresh = null;
      show({ state: 'refused', error: status.error, loadingOlder: false });
    }
    if (!joined) typers.clear();
    if (status.state !== 'joined' || wasJoined) return;
    // Not from where we were: the log may even be another one.
    if (!status.recovered) void loadNewest(false);
    else if (store.get().state === 'loading' && fresh === null) void loadNewest(true);
    else show({ state: fresh === null ? 'ready' : 'loading', error: null });
  };

  const start = (): (() => void) => {
    active = true;
    const status = client.room(room);
    joined = status.get().state === 'joined';
    const stops = [
      client.on('chat:message', (data, { seq, room: where }) => {
        if (where !== room || seq === undefined) return;
        typers.set({ userId: data.userId ?? null, name: null }, false);
        if (fresh !== null) {
          fresh = received(fresh, { data, seq }, ownId());
          return;
        }
        const before = log;
        log = received(log, { data, seq }, ownId());
        if (log !== before) show();
      }),
      client.on('chat:typing', ({ isTyping, userId, name }, { room: where }) => {
        if (where === room && (userId === undefined || userId !== ownId())) {
          typers.set({ userId: userId ?? null, name: name ?? null }, isTyping);
        }
      }),
      status.subscribe(onRoom),
    ];
    void client.joinRoom(room).catch((error: unknown) => {
      if (active && status.get().state !== 'joined') show({ state: 'refused', error: AshlarError.from(error) });
    });
    // In the room already: the join's messages went by. Else the answer to the join says what to load.
    if (joined) void loadNewest(true);
    return () => {
      active = false;
      load++;
      fresh = null;
      for (const stop of stops) stop();
      typers.clear();
      client.leaveRoom(room);
      show({ state: 'loading', loadingOlder: false });
      if (log.outgoing.length === 0) onIdle();
    };
  };

  const store = watched<ChatState>(UNKNOWN, start, { same: shallowEqual });
  const typers = new Typers(env, (typing) => show({ typing }));
  const signal = createTypingSignal(env, (isTyping) => void client.emit('chat:typing', { sessionId, isTyping }));
  const deliver = (key: string, content: string): void => {
    client.emit('chat:message', { sessionId, content }, { id: key }).then(
      ({ data, meta }) => {
        const seq = meta?.seq;
        if (data !== undefined && seq !== undefined) apply((before) => answered(before, key, { data, seq }));
      },
      (error: unknown) => apply((before) => failed(before, key, AshlarError.from(error))),
    );
  };

  return {
    get: store.get,
    subscribe: store.subscribe,
    send(text) {
      const content = text.trim();
      if (content === '') return;
      const user = client.user.get();
      const key = randomWord(env, 22);
      const timestamp = new Date(env.now()).toISOString();
      apply((before) => sending(before, { key, content, userId: user?.id ?? null, name: user?.name ?? null, timestamp }));
      signal(false);
      deliver(key, content);
    },
    retry(key) {
      const message = log.outgoing.find((one) => one.key === key && one.status === 'failed');
      if (message === undefined) return;
      apply((before) => retried(before, key));
      deliver(key, message.content);
    },
    discard: (key) => apply((before) => discarded(before, key)),
    loadOlder: () => quiet(loadOlder()),
    setTyping: (isTyping = true) => signal(isTyping),
  };

  async function loadOlder(): Promise<void> {
    const { hasOlder, loadingOlder, state } = store.get();
    const before = log.sent[0]?.seq ?? null;
    if (!hasOlder || loadingOlder || state !== 'ready' || before === null) return;
    const mine = load;
    show({ loadingOlder: true });
    try {
      const page = await client.chatHistory(sessionId, { before, limit });
      if (mine !== load) return;
      log = paged(log, page.messages.map(toTold), ownId());
      show({ loadingOlder: false, hasOlder: page.hasMore });
    } catch (error) {
      if (mine === load) show({ loadingOlder: false });
      throw AshlarError.from(error);
    }
  }
}

function toTold({ data, meta }: Awaited<ReturnType<FeatureClient['chatHistory']>>['messages'][number]) {
  return { data, seq: meta.seq ?? 0 };
}
