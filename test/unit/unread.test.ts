import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type LoggedNotification,
  type MarkChange,
  markRead,
  NOTIFICATION_READ,
  notificationsIn,
  readMarks,
  readUpTo,
  unreadOf,
} from '../../server/events/unread.ts';
import type { LogRecord, StateValue } from '../../server/storage/store.ts';
import { parseRoomName, type RoomName } from '../../shared/room-name.ts';

const ALL = parseRoomName('notifications');
const OWN = parseRoomName('user:anna');
const AT = Date.UTC(2026, 0, 1);

function record(seq: number, id: string, kind = 'system:notification'): LogRecord {
  const payload = new TextEncoder().encode(JSON.stringify({ id, level: 'info', title: '', message: '', timestamp: '' }));
  return { seq, at: AT, userId: null, kind, payload, epoch: 'e', version: 1, id: null, session: null, counter: 0 };
}

/** The user's room as the server keeps it, with two logs. */
function createInbox() {
  const states = new Map<string, StateValue>();
  const logs = new Map<RoomName, LogRecord[]>([
    [ALL, []],
    [OWN, []],
  ]);
  const inbox = {
    states,
    logs,
    publish(room: RoomName, id: string, kind?: string): void {
      const log = logs.get(room) ?? [];
      log.push(record((log.at(-1)?.seq ?? 0) + 1, id, kind));
    },
    marks: () => readMarks(states.values()),
    notifications(): LoggedNotification[] {
      return [...logs].flatMap(([room, log]) =>
        notificationsIn(
          room,
          log.filter(({ seq }) => seq > readUpTo(inbox.marks(), room)),
        ),
      );
    },
    unread: () => unreadOf(inbox.notifications(), inbox.marks()).map(({ id }) => id),
    mark(request: { ids: string[] } | { all: true }): { changes: MarkChange[]; newlyRead: string[] } {
      const heads = new Map([...logs].map(([room, log]) => [room, log.at(-1)?.seq ?? 0]));
      const result = markRead({ request, marks: inbox.marks(), notifications: inbox.notifications(), heads, at: AT });
      for (const { key, value } of result.changes) {
        if (value === null) states.delete(key);
        else states.set(key, { event: NOTIFICATION_READ, key, value, rev: 1, at: AT });
      }
      return result;
    },
  };
  return inbox;
}

describe('notifications', () => {
  test('are unread until they are marked, for all and for one alike', () => {
    const inbox = createInbox();
    for (const id of ['a', 'b', 'c']) inbox.publish(ALL, id);
    inbox.publish(OWN, 'mine');
    expect(inbox.unread()).toEqual(['a', 'b', 'c', 'mine']);
    expect(inbox.mark({ ids: ['b', 'mine'] }).newlyRead).toEqual(['b', 'mine']);
    expect(inbox.unread()).toEqual(['a', 'c']);
  });

  test('are all read at once, and what comes later is not', () => {
    const inbox = createInbox();
    inbox.publish(ALL, 'a');
    inbox.publish(OWN, 'b');
    inbox.mark({ ids: ['b'] });
    expect(inbox.mark({ all: true }).newlyRead).toEqual(['a']);
    expect(inbox.unread()).toEqual([]);
    inbox.publish(ALL, 'c');
    inbox.publish(OWN, 'd');
    expect(inbox.unread()).toEqual(['c', 'd']);
  });

  test('marks are kept as documented', () => {
    const inbox = createInbox();
    for (const id of ['a', 'b', 'c']) inbox.publish(ALL, id);
    expect(inbox.mark({ ids: ['c'] }).changes).toEqual([
      { key: '*', value: JSON.stringify({ seqs: { notifications: 0, 'user:anna': 0 }, at: AT }) },
      { key: 'c', value: '"2026-01-01T00:00:00.000Z"' },
    ]);
    expect(inbox.mark({ ids: ['a'] }).changes).toEqual([
      { key: '*', value: JSON.stringify({ seqs: { notifications: 1, 'user:anna': 0 }, at: AT }) },
    ]);
  });

  test('marks go when what they mark is read up to, and with the last one all of them', () => {
    const inbox = createInbox();
    for (let n = 1; n <= 100; n++) inbox.publish(ALL, `n${n}`);
    for (let n = 100; n > 1; n--) inbox.mark({ ids: [`n${n}`] });
    expect(inbox.states.size).toBe(100);
    inbox.mark({ ids: ['n1'] });
    expect([...inbox.states.keys()]).toEqual(['*']);
    expect(inbox.unread()).toEqual([]);
  });

  test('that left the log take their marks with them', () => {
    const inbox = createInbox();
    for (const id of ['a', 'b', 'c', 'd']) inbox.publish(ALL, id);
    inbox.mark({ ids: ['b'] });
    inbox.logs.get(ALL)?.splice(0, 2);
    inbox.mark({ ids: ['d'] });
    expect([...inbox.states.keys()].sort()).toEqual(['*', 'd']);
    expect(inbox.unread()).toEqual(['c']);
  });

  test('marked again, or unknown, change nothing and store nothing', () => {
    const inbox = createInbox();
    inbox.publish(ALL, 'a');
    inbox.publish(ALL, 'b');
    inbox.mark({ ids: ['b'] });
    expect(inbox.mark({ ids: ['b', 'never', '*', '__proto__'] })).toEqual({ changes: [], newlyRead: [] });
    inbox.mark({ all: true });
    expect(inbox.mark({ all: true })).toEqual({ changes: [], newlyRead: [] });
  });

  test('with the id * leave the marks readable', () => {
    const inbox = createInbox();
    for (const id of ['a', '*', 'b']) inbox.publish(ALL, id);
    inbox.mark({ ids: ['*', 'b'] });
    expect(inbox.unread()).toEqual(['a', '*']);
    inbox.mark({ all: true });
    expect(inbox.unread()).toEqual([]);
  });

  test('leave other events of the rooms and other states alone', () => {
    const inbox = createInbox();
    inbox.publish(ALL, 'x', 'order:shipped');
    inbox.states.set('other', { event: 'order:state', key: 'a', value: '1', rev: 1, at: AT });
    inbox.publish(ALL, 'a');
    expect(inbox.unread()).toEqual(['a']);
    inbox.mark({ ids: ['a'] });
    expect(inbox.states.has('other')).toBe(true);
    expect(readMarks([{ event: NOTIFICATION_READ, key: 'gone', value: null, rev: 1, at: AT }]).ids.size).toBe(0);
  });

  test('are unread exactly when nobody marked them, however it was done; and marks never outnumber what lies beyond the first unread', () => {
    const step = fc.oneof(
      fc.record({ publish: fc.constantFrom(ALL, OWN) }),
      fc.record({ mark: fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }) }),
      fc.constant({ all: true as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const inbox = createInbox();
        const unread = new Set<string>();
        let published = 0;
        for (const next of steps) {
          if ('publish' in next) {
            const id = `n${published++}`;
            inbox.publish(next.publish, id);
            unread.add(id);
          } else if ('all' in next) {
            inbox.mark(next);
            unread.clear();
          } else {
            const ids = next.mark.map((n) => `n${n}`);
            inbox.mark({ ids });
            for (const id of ids) unread.delete(id);
          }
          expect(new Set(inbox.unread())).toEqual(unread);
          expect(inbox.states.size).toBeLessThanOrEqual(1 + inbox.notifications().length);
          if (unread.size === 0) expect(inbox.states.size).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
