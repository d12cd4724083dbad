import type { CatalogEvents, PayloadOf } from '../../shared/catalog.ts';

/** A notification as the server tells it. */
type ToldNotification = PayloadOf<CatalogEvents, 'system:notification'>;

/** A notification of this user. One keeps its identity until it is read. */
export interface NotificationItem extends Readonly<ToldNotification> {
  readonly read: boolean;
  /** When the server took it, Unix ms. */
  readonly at: number;
}

/** What is known of a user's notifications. */
export interface Inbox {
  /** Newest first: the unread ones, and what was read since they are watched. */
  readonly items: readonly NotificationItem[];
  /** Unread ones beyond those listed. */
  readonly unlisted: number;
}

export const EMPTY_INBOX: Inbox = { items: [], unlisted: 0 };

export interface ToldItem {
  readonly data: ToldNotification;
  readonly at: number;
}

/** A notification came; one that is known already changes nothing. */
export function arrived(inbox: Inbox, told: ToldItem): Inbox {
  if (inbox.items.some(({ id }) => id === told.data.id)) return inbox;
  const item: NotificationItem = { ...told.data, read: false, at: told.at };
  const newer = inbox.items.filter(({ at }) => at > item.at).length;
  const items = inbox.items.toSpliced(newer, 0, item);
  // A join brings all that are unread: one that is not the newest was counted.
  return { items, unlisted: inbox.unlisted && inbox.unlisted - Math.min(newer, 1) };
}

/** Some were marked read, here or on another device. */
export function marked(inbox: Inbox, ids: readonly string[]): Inbox {
  const read = new Set(ids);
  const known = inbox.items.filter(({ id }) => read.has(id)).length;
  const items = inbox.items.map((item) => (read.has(item.id) && !item.read ? { ...item, read: true } : item));
  return { items, unlisted: Math.max(0, inbox.unlisted - (read.size - known)) };
}

/** All were marked read. */
export function allMarked(inbox: Inbox): Inbox {
  const ids = inbox.items.map(({ id }) => id);
  return { ...marked(inbox, ids), unlisted: 0 };
}

/**
 * The server listed what is unread: what is not among it was read elsewhere, unless it is older than all of it and more are unread.
 * @param since ids of those that came, and of those that were marked read, after it was asked
 */
export function listed(
  inbox: Inbox,
  answer: { readonly items: readonly ToldItem[]; readonly unread: number },
  since: { readonly arrived: ReadonlySet<string>; readonly marked: ReadonlySet<string> },
): Inbox {
  const unread = new Set(answer.items.map(({ data }) => data.id));
  let unlisted = answer.unread - unread.size;
  const settled = inbox.items.map((item) => {
    const isListed = unread.has(item.id);
    const isOlder = !isListed && !item.read && unlisted > 0 && item.at <= answer.items[0]!.at;
    if (isOlder) unlisted--;
    const read = !isListed && !isOlder && !since.arrived.has(item.id);
    return read === item.read ? item : { ...item, read };
  });
  const { items } = answer.items.reduce(arrived, { items: settled, unlisted: 0 } satisfies Inbox as Inbox);
  return { ...marked({ items, unlisted }, [...since.marked]), unlisted };
}
