import type { CatalogEvents, PayloadOf } from '../../shared/catalog.ts';
import type { AshlarError } from '../../shared/errors.ts';

/** A message as the server tells it. */
export type ToldMessage = PayloadOf<CatalogEvents, 'chat:message'>;

/** A message of a chat. A message keeps its identity until it changes. */
export interface ChatMessage {
  /** Stays the same from `sending` to `sent`: the key of a list. */
  readonly key: string;
  /** The server's; null until it is sent. */
  readonly id: string | null;
  /** Place in the session's log; null until it is sent. */
  readonly seq: number | null;
  readonly content: string;
  readonly sender: 'user' | 'assistant';
  /** Of whom; null where the backend speaks. */
  readonly userId: string | null;
  readonly name: string | null;
  /** ISO 8601: the server's; this device's until it is sent. */
  readonly timestamp: string;
  readonly status: 'sending' | 'sent' | 'failed';
  /** Why it failed. */
  readonly error: AshlarError | null;
}

/** The messages of a session that are known, and those on their way. */
export interface ChatLog {
  /** By `seq`, without a gap. */
  readonly sent: readonly ChatMessage[];
  /** `sending` and `failed`, oldest first. */
  readonly outgoing: readonly ChatMessage[];
}

export const EMPTY_LOG: ChatLog = { sent: [], outgoing: [] };

export interface Told {
  readonly data: ToldMessage;
  readonly seq: number;
}

/** A message is on its way. */
export function sending(log: ChatLog, message: ChatMessage): ChatLog {
  return { ...log, outgoing: [...log.outgoing, message] };
}

/**
 * The room tells a message. One's own comes before the answer to it, and names no key: the oldest one under way with the same
 * content is taken for it, until `answered` knows.
 * @param ownId the id of this client's user
 */
export function received(log: ChatLog, told: Told, ownId: string | undefined): ChatLog {
  if (placeOf(log.sent, told.seq).found) return log;
  const own = told.data.userId !== undefined && told.data.userId === ownId;
  const match = own
    ? log.outgoing.find((message) => message.content === told.data.content && mayHaveArrived(message))
    : undefined;
  const outgoing = match === undefined ? log.outgoing : log.outgoing.filter((message) => message !== match);
  return { sent: insert(log.sent, toMessage(told, match?.key)), outgoing };
}

/** The server answered the message `key`: it stands at this place, and nowhere else. */
export function answered(log: ChatLog, key: string, told: Told): ChatLog {
  const outgoing = log.outgoing.filter((message) => message.key !== key);
  let { sent } = log;
  const taken = sent.find((message) => message.key === key);
  if (taken?.seq === told.seq) return { sent, outgoing };
  // What was taken for it is the same words, said on another device.
  if (taken !== undefined) sent = givenBack(sent, taken);
  const { index, found } = placeOf(sent, told.seq);
  return { sent: found ? sent.with(index, toMessage(told, key)) : insert(sent, toMessage(told, key)), outgoing };
}

/** It was not taken, or nobody knows. */
export function failed(log: ChatLog, key: string, error: AshlarError): ChatLog {
  const message = { status: 'failed', error } as const;
  const taken = log.sent.find((one) => one.key === key);
  if (taken === undefined || mayHaveArrived({ ...taken, ...message })) return change(log, key, (one) => ({ ...one, ...message }));
  // What was taken for it is the same words, said before or on another device: it stands in both places.
  return { sent: givenBack(log.sent, taken), outgoing: [...log.outgoing, { ...taken, id: null, seq: null, ...message }] };
}

function givenBack(sent: readonly ChatMessage[], taken: ChatMessage): readonly ChatMessage[] {
  return sent.map((message) => (message === taken ? { ...message, key: message.id ?? '' } : message));
}

/** It goes again. */
export function retried(log: ChatLog, key: string): ChatLog {
  return change(log, key, (message) => ({ ...message, status: 'sending', error: null }));
}

export function discarded(log: ChatLog, key: string): ChatLog {
  return { ...log, outgoing: log.outgoing.filter((message) => message.key !== key) };
}

/** A page of the history, or several messages at once, in any order. */
export function paged(log: ChatLog, page: readonly Told[], ownId: string | undefined): ChatLog {
  return page.reduce((before, told) => received(before, told, ownId), log);
}

/**
 * A fresh view of the session, from the newest page on: what was known stays where the page joins on to it, and keeps its keys.
 * @param fresh what came since the view was asked for, with the page
 * @param sameLog false where the log may be another one: then nothing of before counts
 */
export function renewed(known: ChatLog, fresh: ChatLog, sameLog: boolean): ChatLog {
  const first = fresh.sent[0]?.seq ?? Number.POSITIVE_INFINITY;
  const last = known.sent.at(-1)?.seq ?? 0;
  const older = sameLog && (last ?? 0) + 1 >= first ? known.sent.filter((message) => (message.seq ?? 0) < first) : [];
  const byId = new Map(known.sent.map((message) => [message.id, message]));
  const newer = fresh.sent.map((message) => {
    const before = byId.get(message.id);
    return before !== undefined && before.seq === message.seq && before.content === message.content ? before : message;
  });
  return { sent: [...older, ...newer], outgoing: fresh.outgoing };
}

function change(log: ChatLog, key: string, to: (message: ChatMessage) => ChatMessage): ChatLog {
  if (!log.outgoing.some((message) => message.key === key)) return log;
  return { ...log, outgoing: log.outgoing.map((message) => (message.key === key ? to(message) : message)) };
}

// One that the server refused is not what it tells now; one whose answer was lost may be.
function mayHaveArrived({ status, error }: ChatMessage): boolean {
  return status === 'sending' || error?.code === 'timeout' || error?.code === 'client-closed';
}

function toMessage({ data, seq }: Told, key = data.id): ChatMessage {
  const { id, content, sender, timestamp, userId = null, name = null } = data;
  return { key, id, seq, content, sender, userId, name, timestamp, status: 'sent', error: null };
}

function insert(sent: readonly ChatMessage[], message: ChatMessage): readonly ChatMessage[] {
  return sent.toSpliced(placeOf(sent, message.seq ?? 0).index, 0, message);
}

// From the end: nearly all come in order.
function placeOf(sent: readonly ChatMessage[], seq: number): { index: number; found: boolean } {
  let index = sent.length;
  while (index > 0 && (sent[index - 1]?.seq ?? 0) > seq) index--;
  return sent[index - 1]?.seq === seq ? { index: index - 1, found: true } : { index, found: false };
}
