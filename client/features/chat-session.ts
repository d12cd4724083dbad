import { AshlarError } from '../../shared/errors.ts';
import { onAnotherUser } from '../another-user.ts';
import { backoffMs } from '../backoff.ts';
import { type Environment, platformEnvironment } from '../environment.ts';
import { quiet } from '../report.ts';
import type { RoomStatus } from '../rooms.ts';
import { watched } from '../watched.ts';
import { answered, type ChatLog, discarded, EMPTY_LOG, failed, paged, received, renewed, retried, sending } from './chat-log.ts';
import { type ChatSession, type ChatState, NO_CHAT } from './chat-state.ts';
import type { FeatureClient } from './feature-client.ts';
import { holdRoom } from './hold-room.ts';
import { outgoingMessage } from './outgoing-message.ts';
import { createTypingSignal, Typers } from './typing.ts';

/** How long the newest page that could not be read is left before it is asked for again. */
const AGAIN = { baseMs: 2_000, capMs: 30_000 };

export interface ChatSessionOptions {
  /** Messages per page. Default 50, at most 200. */
  pageSize?: number;
  environment?: Environment;
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
  /** The newest page is still to come: what was there before is not all. */
  let behind = true;
  let failures = 0;

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
    behind = true;
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
      behind = false;
      failures = 0;
      change = { state: 'ready', ...(joinsOn ? {} : { hasOlder: hasMore }) };
    } catch (thrown) {
      if (mine !== load) return;
      const error = AshlarError.from(thrown);
      // The join brings messages too: they are better than none, and those of before better than nothing.
      if (!sameLog || fresh.sent.length > 0) log = renewed(log, fresh, sameLog);
      if (error.retry === 'later') {
        env.after(Math.max(error.retryAfterMs ?? 0, backoffMs(++failures, env.random(), AGAIN)), () => {
          if (mine === load && joined) void loadNewest(true);
        });
      }
      change = { state: error.retry === 'never' ? 'refused' : 'ready', error, hasOlder: (log.sent[0]?.seq ?? 1) > 1 };
    }
    fresh = null;
    show(change);
  };

  // What another user was told, or was about to say, is nothing of this one's.
  const watchUser = onAnotherUser(client.user, () => apply(() => EMPTY_LOG));

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
    else if (behind && fresh === null) void loadNewest(true);
    else show({ state: fresh === null ? 'ready' : 'loading', error: null });
  };

  const start = (): readonly (() => void)[] => {
    active = true;
    const unwatchUser = watchUser();
    const status = client.room(room);
    joined = status.get().state === 'joined';
    const stops = [
      unwatchUser,
      () => {
        active = false;
        load++;
        fresh = null;
        behind = true;
      },
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
      holdRoom(client, room, (error) => show({ state: 'refused', error })),
      () => {
        typers.clear();
        show({ state: 'loading', loadingOlder: false });
        if (log.outgoing.length === 0) onIdle();
      },
    ];
    // In the room already: the join's messages went by. Else the answer to the join says what to load.
    if (joined) void loadNewest(true);
    return stops;
  };

  const store = watched(NO_CHAT, start);
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
      const message = outgoingMessage(client, env, content);
      apply((before) => sending(before, message));
      signal(false);
      deliver(message.key, content);
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
