import { expect, test } from 'vitest';
import { allMarked, arrived, EMPTY_INBOX, type Inbox, listed, marked, type ToldItem } from '../../client/features/inbox.ts';

const told = (id: string, at: number): ToldItem => ({
  at,
  data: { id, level: 'info', title: id, message: '', timestamp: '2026-01-01T00:00:00Z' },
});
const shown = ({ items, unlisted }: Inbox) => [items.map(({ id, read }) => (read ? `(${id})` : id)).join(' '), unlisted];
const nothing = { arrived: new Set<string>(), marked: new Set<string>() };

test('the newest stand first, each once, and the others keep their identity when one is read', () => {
  const inbox = [told('a', 1), told('c', 3), told('b', 2), told('a', 1)].reduce(arrived, EMPTY_INBOX);
  expect(shown(inbox)).toEqual(['c b a', 0]);
  const read = marked(inbox, ['b']);
  expect(shown(read)).toEqual(['c (b) a', 0]);
  expect(read.items[0]).toBe(inbox.items[0]);
  expect(shown(allMarked({ ...inbox, unlisted: 5 }))).toEqual(['(c) (b) (a)', 0]);
});

test('what is not in the list was read elsewhere, unless it came after the question', () => {
  const inbox = [told('old', 2), told('new', 3)].reduce(arrived, EMPTY_INBOX);
  const answer = { items: [told('missed', 1)], unread: 4 };
  expect(shown(listed(inbox, answer, { arrived: new Set(['new']), marked: new Set() }))).toEqual(['new (old) missed', 3]);
  // One that was shown as read, and is not: it could not be marked.
  expect(shown(listed(marked(inbox, ['old']), { items: [told('old', 1)], unread: 1 }, nothing))).toEqual(['(new) old', 0]);
});

test('what is older than the list stays unread while more are unread than it has, and is counted once', () => {
  const inbox = [told('a', 1), told('b', 2), told('c', 3), told('d', 4)].reduce(arrived, EMPTY_INBOX);
  const newest = [told('c', 3), told('d', 4)];
  expect(shown(listed(inbox, { items: newest, unread: 4 }, nothing))).toEqual(['d c b a', 0]);
  expect(shown(listed(marked(inbox, ['b']), { items: newest, unread: 5 }, nothing))).toEqual(['d c (b) a', 2]);
  expect(shown(listed(inbox, { items: newest, unread: 2 }, nothing))).toEqual(['d c (b) (a)', 0]);
  // Of the same millisecond as the oldest that is listed.
  const twin = arrived(inbox, told('b2', 3));
  expect(shown(listed(twin, { items: newest, unread: 5 }, nothing))).toEqual(['d b2 c b a', 0]);
  // The join brings them before the answer, or behind it.
  const all = new Set(['a', 'b', 'c', 'd']);
  expect(shown(listed(inbox, { items: newest, unread: 4 }, { arrived: all, marked: new Set(['b']) }))).toEqual(['d c (b) a', 0]);
  const short = listed(EMPTY_INBOX, { items: newest, unread: 4 }, nothing);
  expect(shown([told('a', 1), told('b', 2), told('e', 5)].reduce(arrived, short))).toEqual(['e d c b a', 0]);
});

test('what was marked while the list was on its way stays read', () => {
  const since = { arrived: new Set<string>(), marked: new Set(['a', 'unknown']) };
  expect(shown(listed(EMPTY_INBOX, { items: [told('a', 1), told('b', 2)], unread: 2 }, since))).toEqual(['b (a)', 0]);
});

test('marks of notifications beyond the list count too', () => {
  const inbox = { ...[told('a', 1)].reduce(arrived, EMPTY_INBOX), unlisted: 2 };
  expect(shown(marked(inbox, ['a', 'x']))).toEqual(['(a)', 1]);
});
