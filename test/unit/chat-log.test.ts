import { describe, expect, test } from 'vitest';
import {
  answered,
  type ChatLog,
  discarded,
  EMPTY_LOG,
  failed,
  paged,
  received,
  renewed,
  retried,
  sending,
  type Told,
} from '../../client/features/chat-log.ts';
import { AshlarError } from '../../shared/errors.ts';

const told = (seq: number, content: string, userId = 'ada'): Told => ({
  seq,
  data: { id: `m${seq}`, sessionId: 's', content, sender: 'user', timestamp: '2026-01-01T00:00:00Z', userId, name: userId },
});
const out = (log: ChatLog, key: string, content: string) =>
  sending(log, {
    key,
    content,
    userId: 'ada',
    name: 'Ada',
    timestamp: '2026-01-01T00:00:00Z',
    id: null,
    seq: null,
    sender: 'user',
    status: 'sending',
    error: null,
  });
const shown = ({ sent, outgoing }: ChatLog) => [
  ...sent.map(({ key, seq, content }) => `${seq} ${key} ${content}`),
  ...outgoing.map(({ key, status, content }) => `${status} ${key} ${content}`),
];

describe('a message of one’s own', () => {
  test('that was refused is shown as failed, also where the same words, said before or elsewhere, stood for it meanwhile', () => {
    const log = received(out(EMPTY_LOG, 'k', 'yes'), told(5, 'yes'), 'ada');
    expect(shown(log)).toEqual(['5 k yes']);
    expect(shown(failed(log, 'k', new AshlarError('rate-limited')))).toEqual(['5 m5 yes', 'failed k yes']);
    expect(shown(retried(failed(log, 'k', new AshlarError('access-denied')), 'k'))).toEqual(['5 m5 yes', 'sending k yes']);
    // Nobody knows whether it arrived: it may be the one that is told.
    expect(shown(failed(log, 'k', new AshlarError('timeout')))).toEqual(['5 k yes']);
  });

  test('stands once, whichever comes first: the room’s word or the answer', () => {
    const log = out(EMPTY_LOG, 'k1', 'hi');
    expect(shown(log)).toEqual(['sending k1 hi']);
    const heard = received(log, told(1, 'hi'), 'ada');
    expect(shown(heard)).toEqual(['1 k1 hi']);
    expect(shown(answered(heard, 'k1', told(1, 'hi')))).toEqual(['1 k1 hi']);
    const answeredFirst = answered(log, 'k1', told(1, 'hi'));
    expect(shown(answeredFirst)).toEqual(['1 k1 hi']);
    expect(received(answeredFirst, told(1, 'hi'), 'ada')).toBe(answeredFirst);
  });

  test('is not taken for the same words of somebody else, and for one’s own of another device only until the answer', () => {
    const log = out(EMPTY_LOG, 'k1', 'hi');
    expect(shown(received(log, told(1, 'hi', 'bob'), 'ada'))).toEqual(['1 m1 hi', 'sending k1 hi']);
    const phone = received(log, told(1, 'hi'), 'ada');
    expect(shown(phone)).toEqual(['1 k1 hi']);
    expect(shown(answered(phone, 'k1', told(2, 'hi')))).toEqual(['1 m1 hi', '2 k1 hi']);
  });

  test('keeps its order with the same words sent twice', () => {
    const log = out(out(EMPTY_LOG, 'k1', 'hi'), 'k2', 'hi');
    const both = received(received(log, told(1, 'hi'), 'ada'), told(2, 'hi'), 'ada');
    expect(shown(answered(answered(both, 'k1', told(1, 'hi')), 'k2', told(2, 'hi')))).toEqual(['1 k1 hi', '2 k2 hi']);
    // The page was quicker than the answer.
    const page = answered(paged(EMPTY_LOG, [told(1, 'hi')], 'eve'), 'k1', told(1, 'hi'));
    expect(shown(page)).toEqual(['1 k1 hi']);
  });

  test('that failed stays until it is sent again or taken out; one whose answer was lost settles by itself', () => {
    const log = failed(out(EMPTY_LOG, 'k1', 'hi'), 'k1', new AshlarError('access-denied'));
    expect(shown(log)).toEqual(['failed k1 hi']);
    expect(shown(received(log, told(1, 'hi'), 'ada'))).toEqual(['1 m1 hi', 'failed k1 hi']);
    expect(shown(retried(log, 'k1'))).toEqual(['sending k1 hi']);
    expect(shown(discarded(log, 'k1'))).toEqual([]);
    const unknown = failed(out(EMPTY_LOG, 'k1', 'hi'), 'k1', new AshlarError('timeout'));
    expect(shown(received(unknown, told(1, 'hi'), 'ada'))).toEqual(['1 k1 hi']);
    // Told, and then the answer got lost: it has arrived all the same.
    const arrived = received(out(EMPTY_LOG, 'k1', 'hi'), told(1, 'hi'), 'ada');
    expect(failed(arrived, 'k1', new AshlarError('timeout'))).toBe(arrived);
  });
});

describe('a page', () => {
  const known = paged(EMPTY_LOG, [told(4, 'd'), told(3, 'c')], undefined);

  test('goes in by seq, and what is known keeps its identity', () => {
    const log = paged(known, [told(1, 'a'), told(2, 'b'), told(3, 'c')], undefined);
    expect(shown(log)).toEqual(['1 m1 a', '2 m2 b', '3 m3 c', '4 m4 d']);
    expect(log.sent[2]).toBe(known.sent[0]);
  });

  test('that joins on renews the view without losing what stood before it', () => {
    const fresh = paged(EMPTY_LOG, [told(4, 'd'), told(5, 'e')], undefined);
    const log = renewed(known, fresh, true);
    expect(shown(log)).toEqual(['3 m3 c', '4 m4 d', '5 m5 e']);
    expect(log.sent[1]).toBe(known.sent[1]);
  });

  test('that begins right behind what was known joins on as well', () => {
    const fresh = paged(EMPTY_LOG, [told(5, 'e')], undefined);
    expect(shown(renewed(known, fresh, true))).toEqual(['3 m3 c', '4 m4 d', '5 m5 e']);
  });

  test('beyond a gap, or of a log that may be another one, starts over', () => {
    const gap = paged(EMPTY_LOG, [told(6, 'f')], undefined);
    expect(shown(renewed(known, gap, true))).toEqual(['6 m6 f']);
    const other = paged(EMPTY_LOG, [told(4, 'D')], undefined);
    expect(shown(renewed(known, other, false))).toEqual(['4 m4 D']);
    expect(shown(renewed(known, EMPTY_LOG, false))).toEqual([]);
  });
});
