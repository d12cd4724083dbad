import { AshlarError } from '../../shared/errors.ts';
import { onAnotherUser } from '../another-user.ts';
import type { Readable } from '../readable.ts';
import { quiet } from '../report.ts';
import { watched } from '../watched.ts';
import type { FeatureClient } from './feature-client.ts';
import { holdRoom } from './hold-room.ts';
import { allMarked, arrived, EMPTY_INBOX, type Inbox, listed, marked, type NotificationItem } from './inbox.ts';
import { sharedStore } from './shared-store.ts';

export interface NotificationsState {
  /** `loading`: the list is on its way (and what was there before is shown). */
  readonly state: 'loading' | 'ready';
  /** Newest first: at most the 200 newest unread ones, what came since, and what was read meanwhile. */
  readonly notifications: readonly NotificationItem[];
  /** How many are unread, in all. */
  readonly unread: number;
}

export interface NotificationActions {
  /** Marks one or several read, on every device of the user; here at once. Rejects with an `AshlarError`; one that nobody awaits is not thrown. */
  markRead(ids: string | readonly string[]): Promise<void>;
  markAllRead(): Promise<void>;
}

/** The user's notifications: those for the user alone, and those for all where they may be read. Kept while somebody subscribes. */
export interface Notifications extends Readable<NotificationsState>, NotificationActions {}

/** What is shown before anything is known. */
export const NO_NOTIFICATIONS: NotificationsState = { state: 'loading', notifications: [], unread: 0 };

const LISTED = 200;
/** What one message may mark. */
const MARKED = 500;

/** The notifications that all parts of a page share. */
export function notifications(client: FeatureClient): Notifications {
  return sharedStore(client, 'notifications', () => createNotifications(client));
}

/** Notifications of one's own. Making them does nothing; they live while somebody subscribes. */
export function createNotifications(client: FeatureClient): Notifications {
  let inbox = EMPTY_INBOX;
  /** While the list is asked for: what happens meanwhile. */
  let since: { arrived: Set<string>; marked: Set<string> } | null = null;

  const show = (change: Partial<NotificationsState> = {}): void => {
    const unread = inbox.items.filter(({ read }) => !read).length + inbox.unlisted;
    store.set({ ...store.get(), notifications: inbox.items, unread, ...change });
  };
  const apply = (next: Inbox): void => {
    inbox = next;
    show();
  };
  const read = (ids: readonly string[], { unlisted }: Partial<Inbox> = {}): void => {
    for (const id of ids) since?.marked.add(id);
    const next = marked(inbox, ids);
    apply({ ...next, unlisted: unlisted ?? next.unlisted });
  };

  const load = async (): Promise<void> => {
    const mine = { arrived: new Set<string>(), marked: new Set<string>() };
    since = mine;
    show({ state: 'loading' });
    try {
      const page = await client.unreadNotifications({ limit: LISTED });
      if (since !== mine) return;
      const items = page.notifications.map(({ data, meta }) => ({ data, at: meta.at }));
      inbox = listed(inbox, { items, unread: page.unread }, mine);
    } catch {
      // Asked again at the next connection; until then the rooms tell what is new.
      if (since !== mine) return;
    }
    since = null;
    show({ state: 'ready' });
  };

  const watchUser = onAnotherUser(client.user, () => apply(EMPTY_INBOX));
  const store = watched<NotificationsState>(NO_NOTIFICATIONS, () => {
    let connection: string | null = null;
    const onStatus = (): void => {
      const status = client.status.get();
      const id = status.state === 'connected' ? status.id : null;
      if (id === connection) return;
      connection = id;
      // What was read elsewhere while we were away is told to nobody again.
      if (id !== null) void load();
    };
    const stops = [
      watchUser(),
      client.on('system:notification', (data, { at }) => {
        since?.arrived.add(data.id);
        apply(arrived(inbox, { data, at }));
      }),
      client.on('notification:read', ({ ids, all }) => {
        if (ids !== undefined) read(ids);
        else if (all === true) apply(allMarked(inbox));
      }),
      client.status.subscribe(onStatus),
      holdRoom(client, 'notifications'),
      () => {
        since = null;
      },
    ];
    onStatus();
    return stops;
  });

  const tell = (request: readonly string[] | 'all'): Promise<void> =>
    client.markNotificationsRead(request).catch((error: unknown) => {
      // Shown as read too early.
      void load();
      throw AshlarError.from(error);
    });
  return {
    get: store.get,
    subscribe: store.subscribe,
    markRead(given) {
      const ids = typeof given === 'string' ? [given] : [...given];
      // Which of those beyond the list were unread, the server tells.
      read(ids, inbox);
      const parts: Promise<void>[] = [];
      for (let from = 0; from < ids.length; from += MARKED) parts.push(tell(ids.slice(from, from + MARKED)));
      return quiet(Promise.all(parts).then(() => {}));
    },
    markAllRead() {
      for (const { id } of inbox.items) since?.marked.add(id);
      apply(allMarked(inbox));
      return quiet(tell('all'));
    },
  };
}
