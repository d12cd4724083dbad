import { beforeEach, expect, test } from 'vitest';
import { ReservedIds } from '../../server/documents/reserved-ids.ts';
import { Writers } from '../../server/documents/writers.ts';
import { UNCLAIMED } from '../../server/storage/store.ts';
import { documentRoom } from '../../shared/room-name.ts';
import type { User } from '../../shared/user.ts';

const user = (id: string): User => ({ id, name: id, color: '#336699', roles: [], permissions: [] });
const [ada, eve] = [user('ada'), user('eve')];

const ROOM = documentRoom('notes');
const HOUR_MS = 3_600_000;

let writers: Writers;
let now: number;
let wentBack: boolean;

beforeEach(() => {
  now = 1_000;
  wentBack = false;
  const ids = new ReservedIds();
  writers = new Writers(ROOM, [{ clientId: 1, userId: 'ada', clock: 5 }], {
    clock: { now: () => now },
    reservedIds: ids,
    wentBack: { mayRestore: () => wentBack },
  });
});

test('[4] a Yjs client id that the log knows is its owner’s alone', () => {
  expect(() => writers.claim(eve, 1, 'secret of eve', null)).toThrow(expect.objectContaining({ code: 'foreign-client-id' }));
  expect(writers.claim(ada, 1, 'secret of ada', null)).toMatchObject({ userId: 'ada', clientId: 1 });
});

test('[4] a Yjs client id that a live session has is nobody else’s, and not even its user’s second one', () => {
  writers.claim(ada, 2, 'secret of ada', null);
  expect(() => writers.claim(eve, 2, 'secret of eve', null)).toThrow(expect.objectContaining({ code: 'foreign-client-id' }));
  expect(() => writers.claim(ada, 2, 'another secret', null)).toThrow(expect.objectContaining({ code: 'id-in-use' }));
});

test('[4] a session is resumed by its user and under its client id, in memory or from disk', () => {
  const session = writers.claim(ada, 2, 'secret', null);
  expect(writers.claim(ada, 2, 'secret', null)).toBe(session);
  expect(() => writers.claim(eve, 2, 'secret', null)).toThrow(expect.objectContaining({ code: 'id-in-use' }));
  expect(() => writers.claim(ada, 3, 'secret', null)).toThrow(expect.objectContaining({ code: 'id-in-use' }));

  const mark = { session: 'kept', userId: 'ada', clientId: 4, counter: 7 };
  expect(() => writers.claim(eve, 4, 'kept', mark)).toThrow(expect.objectContaining({ code: 'id-in-use' }));
  expect(() => writers.claim(ada, 5, 'kept', mark)).toThrow(expect.objectContaining({ code: 'id-in-use' }));
  expect(writers.claim(ada, 4, 'kept', mark)).toMatchObject({ counter: 7, saved: 7 });
});

test('[4] whose structs an update may hold is known from the log and from live sessions', () => {
  const mine = writers.claim(ada, 2, 'secret of ada', null);
  const other = writers.claim(eve, 3, 'secret of eve', null);
  expect(writers.ownerOf(mine, 2)).toBe('self');
  expect(writers.ownerOf(mine, 1)).toBe('self');
  expect(writers.ownerOf(other, 1)).toBe('other');
  expect(writers.ownerOf(other, 9)).toBe('unclaimed');
  writers.take([{ clientId: 3, userId: 'eve', clock: 1 }]);
  expect(writers.ownerOf(mine, 3)).toBe('other');
});

test('[4] what a user wrote in an earlier session that never joined is theirs to bring, unless the id is another’s', () => {
  const mine = writers.claim(ada, 2, 'secret of ada', null, [7, 8, 9]);
  writers.claim(eve, 8, 'secret of eve', null);
  writers.take([{ clientId: 9, userId: 'eve', clock: 1 }]);
  expect([7, 8, 9, 10].map((id) => writers.ownerOf(mine, id))).toEqual(['self', 'other', 'other', 'unclaimed']);
  // Said anew with each join.
  writers.claim(ada, 2, 'secret of ada', null, [10]);
  expect([7, 10].map((id) => writers.ownerOf(mine, id))).toEqual(['unclaimed', 'self']);
});

test('[4] two tabs of one user may bring each other’s content; a tab of another user may not', () => {
  const first = writers.claim(ada, 2, 'first tab', null);
  writers.claim(ada, 3, 'second tab', null);
  const other = writers.claim(eve, 4, 'secret of eve', null);
  expect(writers.ownerOf(first, 3)).toBe('self');
  expect(writers.ownerOf(other, 3)).toBe('other');
});

test('[4] the first owner of a client id stays its owner', () => {
  writers.take([{ clientId: 1, userId: 'eve', clock: 9 }]);
  expect(writers.ownerOf(writers.claim(ada, 2, 'secret', null), 1)).toBe('self');
  expect(writers.known.get(1)).toBe(9);
});

test('[2] a session stays known as long as something of it is queued, and is then forgotten with its member', () => {
  const session = writers.claim(ada, 2, 'secret', null);
  session.counter = 3;
  session.saved = 2;
  writers.release(session);
  expect(writers.find('secret')).toBe(session);
  session.saved = 3;
  writers.release(session);
  expect(writers.find('secret')).toBeUndefined();
});

test('[2] a session of which an update is being looked at is not forgotten with its member: what it presents is still its own', () => {
  const session = writers.claim(ada, 2, 'secret of ada', null);
  session.busy = true;
  writers.release(session);
  expect(writers.claim(ada, 2, 'secret of ada', null)).toBe(session);
  session.busy = false;
  writers.release(session);
  expect(writers.find('secret of ada')).toBeUndefined();
});

test('[4] an id that lost content is nobody’s afterwards, and all others stay whose they are', () => {
  writers.take([
    { clientId: 2, userId: 'eve', clock: 3 },
    { clientId: 3, userId: UNCLAIMED, clock: 4 },
    { clientId: 4, userId: UNCLAIMED, clock: 2 },
  ]);
  const left = new Map([
    [1, 5],
    [2, 1],
    [3, 4],
  ]);
  expect(writers.clocksAfterLoss(left)).toEqual([
    { clientId: 1, userId: 'ada', clock: 5 },
    { clientId: 2, userId: null, clock: 1 },
    { clientId: 3, userId: UNCLAIMED, clock: 4 },
    { clientId: 4, userId: null, clock: 0 },
  ]);
});

test('[2] when the log is read anew, what was queued is no longer known, and each session stands where the disk says', async () => {
  const session = writers.claim(ada, 2, 'secret', null);
  session.counter = 4;
  writers.take([{ clientId: 2, userId: 'ada', clock: 50 }]);
  await writers.reset([{ clientId: 1, userId: 'ada', clock: 6 }], async () => ({
    session: 'secret',
    userId: 'ada',
    clientId: 2,
    counter: 1,
  }));
  expect([...writers.known]).toEqual([[1, 6]]);
  expect(session).toMatchObject({ counter: 1, saved: 1 });
});

test('[4] an id that awareness has shown stays its user’s for an hour after it left, though nothing was written under it', () => {
  writers.release(writers.claim(ada, 2, 'secret of ada', null));
  const other = writers.claim(eve, 3, 'secret of eve', null, [2]);
  expect(() => writers.claim(eve, 2, 'another secret', null)).toThrow(expect.objectContaining({ code: 'foreign-client-id' }));
  expect(writers.ownerOf(other, 2)).toBe('other');
  expect(writers.claim(ada, 2, 'secret of ada', null)).toMatchObject({ userId: 'ada' });
  writers.release(writers.claim(ada, 2, 'secret of ada', null));
  now += HOUR_MS;
  expect(writers.claim(eve, 2, 'another secret', null)).toMatchObject({ userId: 'eve' });
});

test('[4] where the log went back, others’ ids and nobody’s may be brought back, and only as long as it did', () => {
  const mine = writers.claim(eve, 2, 'secret of eve', null);
  writers.claim(ada, 3, 'secret of ada', null);
  writers.take([{ clientId: 4, userId: null, clock: 1 }]);
  const seen = () => [2, 1, 3, 4, 9].map((clientId) => writers.ownerOf(mine, clientId));
  expect(seen()).toEqual(['self', 'other', 'other', 'other', 'unclaimed']);
  wentBack = true;
  expect(seen()).toEqual(['self', 'restorable', 'restorable', 'restorable', 'restorable']);
  wentBack = false;
  expect(seen()).toEqual(['self', 'other', 'other', 'other', 'unclaimed']);
});

test('[4] an id whose own session has brought all that it has is nobody else’s any more, until a commit fails', async () => {
  wentBack = true;
  const mine = writers.claim(eve, 2, 'secret of eve', null);
  const theirs = writers.claim(ada, 1, 'secret of ada', null);
  writers.settle(theirs);
  expect(writers.ownerOf(mine, 1)).toBe('other');
  await writers.reset([{ clientId: 1, userId: 'ada', clock: 5 }], async () => null);
  expect(writers.ownerOf(mine, 1)).toBe('restorable');
});

test('[4] who brings back what others wrote does not own it: it stays its owner’s, or belongs to nobody until its user comes', () => {
  wentBack = true;
  const mine = writers.claim(eve, 2, 'secret of eve', null);
  writers.claim(ada, 3, 'secret of ada', null);
  writers.take([{ clientId: 4, userId: null, clock: 1 }]);
  expect([2, 1, 3, 4, 9].map((clientId) => writers.userFor(mine, clientId))).toEqual(['eve', 'ada', 'ada', null, UNCLAIMED]);
  writers.take([{ clientId: 9, userId: UNCLAIMED, clock: 7 }]);
  wentBack = false;
  expect([writers.known.get(9), writers.ownerOf(mine, 9)]).toEqual([7, 'unclaimed']);
  expect(writers.clocksAfterLoss(new Map([[9, 7]]))).toContainEqual({ clientId: 9, userId: UNCLAIMED, clock: 7 });
  const came = writers.claim(ada, 9, 'secret of ada, another', null);
  expect(writers.userFor(came, 9)).toBe('ada');
  expect(writers.ownerOf(mine, 9)).toBe('other');
  writers.take([{ clientId: 9, userId: 'ada', clock: 8 }]);
  expect(() => writers.claim(eve, 9, 'secret of eve, another', null)).toThrow(
    expect.objectContaining({ code: 'foreign-client-id' }),
  );
});
